"""Looks again, in the background, at the DNS of domains: proofs come, and proofs go."""

import random
from typing import Any, Final

from mailsacd.mail.ownership.domains import Domains
from mailsacd.work.loop import Loop

EVERY_S: Final = 60.0
AT_A_TIME: Final = 10
LEASE_S: Final = 600
"""After so long other nodes take over what this one claimed: more than AT_A_TIME looks last."""

_JITTER: Final = 0.2


class VerifyJob:
    """Claims what is due, looks, and sleeps; any number of nodes share the work."""

    def __init__(self, domains: Domains, reactor: Any) -> None:
        self._domains = domains
        self._loop = Loop(
            "look at domains", self._step, every_s=EVERY_S, clock=reactor, cancels=True
        )

    def start(self) -> None:
        """Begin, about a minute from now."""
        self._loop.start(_pause_s())

    async def stop(self) -> None:
        """End; what was under way is done by another node when its lease is over."""
        await self._loop.stop()

    async def _step(self) -> float:
        looked_at = await self._domains.verify_due(limit=AT_A_TIME, lease_s=LEASE_S)
        return 0.0 if looked_at == AT_A_TIME else _pause_s()


def _pause_s() -> float:
    """Nodes that were started together do not ask in step."""
    return EVERY_S * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
