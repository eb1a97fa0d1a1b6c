"""Looks again, in the background, at the DNS of domains: proofs come, and proofs go."""

import random
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsacd.core.errors import UnavailableError
from mailsacd.mail.domains import Domains

EVERY_S: Final = 60.0
AT_A_TIME: Final = 10
LEASE_S: Final = 600
"""After so long other nodes take over what this one claimed: more than AT_A_TIME looks last."""

_JITTER: Final = 0.2

_log = Logger()


class VerifyJob:
    """Claims what is due, looks, and sleeps; any number of nodes share the work."""

    def __init__(self, domains: Domains, reactor: Any) -> None:
        self._domains = domains
        self._reactor = reactor
        self._running: Deferred[None] | None = None

    def start(self) -> None:
        """Begin, a while from now."""
        self._running = ensureDeferred(self._run())
        self._running.addErrback(_ended)

    async def stop(self) -> None:
        """End; what was under way is done by another node when its lease is over."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    async def _run(self) -> None:
        while True:
            # Nodes that were started together do not ask in step
            await deferLater(
                self._reactor,
                EVERY_S * random.uniform(1 - _JITTER, 1 + _JITTER),  # noqa: S311
            )
            try:
                while await self._domains.verify_due(limit=AT_A_TIME, lease_s=LEASE_S) == AT_A_TIME:
                    pass
            except UnavailableError as e:
                _log.debug("domains are not looked at now: {why}", why=e.public)
            except CancelledError:  # Twisted's is an Exception
                raise
            except Exception:  # noqa: BLE001  a defect in one run ends no later one
                _log.failure("domains were not looked at")


def _ended(failure: Any) -> None:
    if not failure.check(CancelledError):
        _log.failure("domains are no longer looked at", failure)
