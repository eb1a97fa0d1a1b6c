"""Claims that this node holds: they are renewed for as long as it has not done with them.

A node that dies renews nothing, and others go on with its claims when their lease is over.
"""

from collections.abc import Sequence
from typing import Any

from mailsacd.core.relay import Claim
from mailsacd.mail.sending.relay import Relay
from mailsacd.work.loop import Loop

_Key = tuple[str, int]


class Leases:
    """Holds claims, for ``lease_s`` seconds each time."""

    def __init__(self, relay: Relay, lease_s: float, *, reactor: Any) -> None:
        self._relay = relay
        self._lease_s = lease_s
        self._reactor = reactor
        self._waiting: dict[_Key, Claim] = {}
        self._begun: dict[_Key, Claim] = {}
        self._until_s: dict[_Key, float] = {}
        self._renewing = Loop(
            "hold outgoing mail", self._renew, every_s=lease_s / 4, clock=reactor, cancels=True
        )
        self.start = self._renewing.start
        self.stop = self._renewing.stop

    def add(self, claims: Sequence[Claim]) -> None:
        """Hold ``claims``, which were made just now."""
        self._waiting |= {claim.key: claim for claim in claims}
        self._extend([claim.key for claim in claims])

    def drop(self, claims: Sequence[Claim]) -> None:
        """Hold ``claims`` no longer."""
        for claim in claims:
            self._forget(claim.key)

    async def begin(self, claims: Sequence[Claim]) -> bool:
        """Return whether ``claims`` may be sent now: nobody else has them, for a while.

        May raise UnavailableError.
        """
        if any(claim.key not in self._waiting for claim in claims):
            return False
        soonest_s = min(self._until_s[claim.key] for claim in claims)
        if soonest_s - self._reactor.seconds() < self._lease_s / 2 and not await self._are_held(
            claims
        ):
            return False
        for claim in claims:
            self._begun[claim.key] = self._waiting.pop(claim.key)
        return True

    async def give_back(self) -> None:
        """Have others send what was not begun. May raise UnavailableError."""
        claims = list(self._waiting.values())
        self.drop(claims)
        if claims:
            await self._relay.release(claims)

    async def _are_held(self, claims: Sequence[Claim]) -> bool:
        held = await self._relay.renew(claims)
        self._extend(list(held))
        return len(held) == len(claims) and all(claim.key in self._waiting for claim in claims)

    async def _renew(self) -> None:
        claims = [*self._waiting.values(), *self._begun.values()]
        if not claims:
            return
        held = await self._relay.renew(claims)
        for claim in claims:
            if claim.key not in held and claim.key in self._waiting:  # somebody else has it
                self._forget(claim.key)
        self._extend([key for key in held if key in self._until_s])

    def _extend(self, keys: Sequence[_Key]) -> None:
        until_s = self._reactor.seconds() + self._lease_s
        self._until_s |= dict.fromkeys(keys, until_s)

    def _forget(self, key: _Key) -> None:
        for known in (self._waiting, self._begun, self._until_s):
            known.pop(key, None)
