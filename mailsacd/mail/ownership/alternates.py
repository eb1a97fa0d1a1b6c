"""Which alternate stands for an inbox: handed out to who asks, and with each message pushed.

Mail for an alternate arrives as long as it is remembered in the store: while it is asked for or
mailed to now and then, or its address is reserved. What strangers can have remembered is bounded:
new ones for each network, and all of them together. docs/retention.md.
"""

from collections.abc import Iterable
from typing import Any, Final

from mailsacd.core.address import Address, alternate_local
from mailsacd.core.allowance import Allowance
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.peer import is_loopback, network_of
from mailsacd.store import alternates as store
from mailsacd.store.pool import Database
from mailsacd.store.sql import Executor

REMEMBERED: Final = 50_000
MAX_ALTERNATES: Final = 500_000
"""So many are kept, those of reserved addresses aside: about 100 MB. The ones that nobody needed
for the longest time go first."""

NEW_AT_ONCE: Final = 1_000
NEW_AGAIN_S: Final = 60.0
"""So many new ones can a network, or an account, have made at once, and then one a minute: in the
180 days that they are kept that is half of MAX_ALTERNATES, so nobody alone drives out others'."""

_ASKERS: Final = 10_000
_DAY_S: Final = 86_400


class Alternates:
    """Answers out of memory where it can. Raises UnavailableError when the database is away."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._reactor = reactor
        self._secret: bytes | None = None
        self._known: Recent[str, str] = Recent(REMEMBERED)
        self._day = 0
        self._allowance = Allowance(
            reactor, at_once=NEW_AT_ONCE, again_s=NEW_AGAIN_S, remembered=_ASKERS
        )

    async def secret(self, db: Executor | None = None) -> bytes:
        """Return what alternates are made with, asking ``db`` if need be (a transaction, say)."""
        if self._secret is None:
            self._secret = await store.server_secret(db or self._database)
        return self._secret

    async def local_parts(self, inboxes: Iterable[str]) -> dict[str, str]:
        """The local parts of the alternates of ``inboxes`` (normal addresses)."""
        found: dict[str, str] = {}
        new: list[str] = []
        self._forget_yesterday()
        for inbox in inboxes:
            known = self._known.get(inbox)
            if known is UNKNOWN:
                new.append(inbox)
            else:
                found[inbox] = known
        return found | await self.remember(new) if new else found

    async def remember(self, inboxes: Iterable[str]) -> dict[str, str]:
        """Have the alternates of ``inboxes`` in the store, and tell their local parts."""
        secret = await self.secret()
        locals_ = {inbox: alternate_local(secret, _address(inbox)) for inbox in inboxes}
        await store.remember_alternates(
            self._database, {local: inbox for inbox, local in locals_.items()}
        )
        for inbox, local in locals_.items():
            self._known.remember(inbox, local)
        return locals_

    async def hand_out(self, inbox: Address, *, account: str | None, peer: str) -> str:
        """The local part of the alternate of ``inbox``, for somebody who asks.

        Who asks is an account, or else a peer (IP address). Raises ThrottledError when one who
        is not on this machine has had too many new ones made.
        """
        self._forget_yesterday()
        known = self._known.get(str(inbox))
        if known is not UNKNOWN:
            return known
        local = alternate_local(await self.secret(), inbox)
        if not is_loopback(peer) and not await store.knows_alternate(self._database, local):
            self._allowance.spend(
                f"account {account}" if account else network_of(peer),
                "Too many addresses were asked for that nobody has asked for before",
            )
        return (await self.local_parts((str(inbox),)))[str(inbox)]

    async def forget_old(self) -> None:
        """Delete those that nobody needs any more, and the oldest where there are too many."""
        while await store.forget_old_alternates(self._database):
            pass
        count = await store.count_alternates(self._database, most=2 * MAX_ALTERNATES)
        surplus = count - MAX_ALTERNATES
        while surplus > 0:
            self._known.clear()  # some of them may go now
            gone = await store.forget_oldest_alternates(self._database, surplus)
            surplus = surplus - gone if gone else 0

    def _forget_yesterday(self) -> None:
        """What is asked for is renewed in the store once a day."""
        day = int(self._reactor.seconds() // _DAY_S)
        if day != self._day:
            self._known.clear()
            self._day = day


def _address(inbox: str) -> Address:
    local, _, domain = inbox.rpartition("@")
    return Address(local, domain)
