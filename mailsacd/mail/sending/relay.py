"""The queue as its relay sees it: what is claimed and given back, and the mail behind a claim."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from mailsacd.core.relay import Claim, QueuedMessage, Rooms
from mailsacd.core.token import utc_from_ms
from mailsacd.mime.trace import LOOP_FIELD
from mailsacd.settings import RelaySettings
from mailsacd.store import relay as store
from mailsacd.store import relay_claims as claiming
from mailsacd.store import suppression
from mailsacd.store.pool import Database
from mailsacd.store.relay_claims import Taken, Turns

MAX_SUPPRESSED: Final = 10_000
"""So many addresses of an account's are suppressed at most: of more the newest."""

_MAX_REMEMBERED: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Some of what an account sends to a domain; the claims of one message stand together."""

    account: str
    domain: str
    claims: tuple[Claim, ...]

    @property
    def messages(self) -> list[tuple[Claim, ...]]:
        """The claims, message by message, in the order in which these were queued."""
        ordered = sorted(self.claims, key=lambda claim: claim.key)
        return [tuple(some) for _, some in groupby(ordered, key=lambda claim: claim.message_id)]


class Relay:
    """Takes mail on to be sent. All calls may raise UnavailableError.

    ``settings`` say how long a claim holds and how many messages a line has at most. The name of
    this host goes before each message, so that one that comes back is known (mime.trace).
    """

    def __init__(
        self, database: Database, settings: RelaySettings, hostname: str, *, reactor: Any
    ) -> None:
        """``hostname`` is our own."""
        self._database = database
        self._lease_s = settings.lease_s
        self._messages = settings.messages_per_connection
        self._first_wait_s = settings.retry_first_s
        self._loop_field = f"{LOOP_FIELD}: {hostname}\r\n".encode()
        self._reactor = reactor
        self._account = ""
        self._domains: OrderedDict[str, str] = OrderedDict()

    async def ready(self) -> bool:
        """Have what is due be ready, and return whether anything may be claimed."""
        await claiming.ready_due(self._database, self._now())
        return await claiming.is_any_ready(self._database)

    async def claim(self, rooms: Rooms) -> list[Line]:
        """Claim what is ready: every account, and every domain of each, has its turn."""
        taken = await claiming.claim_lines(
            self._database,
            self._now(),
            rooms,
            Turns(account=self._account, domains=self._domains),
            lease_s=self._lease_s,
            messages=self._messages,
        )
        self._remember(taken)
        claims = sorted((one.claim for one in taken), key=_line)
        return [
            Line(account=account, domain=domain, claims=tuple(some))
            for (account, domain), some in groupby(claims, key=_line)
        ]

    async def find(self, message_id: str) -> QueuedMessage | None:
        """Return a message, or None when it is gone. Without content it is nobody's any more."""
        found = await store.find_queued(self._database, message_id)
        if found is None or not found.content:
            return found
        return replace(found, content=self._loop_field + found.content)

    async def renew(self, claims: Sequence[Claim]) -> set[tuple[str, int]]:
        """Hold ``claims`` for another while. Returns the keys of those that are still held."""
        return await store.renew_claims(self._database, claims, self._now(), lease_s=self._lease_s)

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give ``claims`` back, which were not tried."""
        await store.release_claims(self._database, claims)

    async def put_off(self, line: Line) -> None:
        """Have what else the line's account sends to its domain wait, as after a first attempt."""
        due = self._now() + timedelta(seconds=self._first_wait_s)
        await store.put_off(self._database, line.account, line.domain, due)

    async def forget_suppressed(self) -> None:
        """Delete suppressions that are over, and an account's beyond MAX_SUPPRESSED."""
        while await suppression.forget_expired(self._database, self._now()):
            pass
        while await suppression.forget_surplus(self._database, MAX_SUPPRESSED):
            pass

    def _remember(self, taken: Iterable[Taken]) -> None:
        """Where the next search goes on: after the last account, and the last domain of each."""
        last = 0
        for one in sorted(taken, key=lambda one: one.step):
            self._domains.pop(one.claim.account, None)
            self._domains[one.claim.account] = one.claim.domain
            if one.sender >= last:
                last, self._account = one.sender, one.claim.account
        while len(self._domains) > _MAX_REMEMBERED:
            self._domains.popitem(last=False)

    def _now(self) -> datetime:
        return utc_from_ms(int(self._reactor.seconds() * 1000))


def _line(claim: Claim) -> tuple[str, str]:
    return claim.account, claim.domain
