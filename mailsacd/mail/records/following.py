"""An operator follows the mail for one recipient: what was, out of the store, and what comes."""

from collections.abc import Collection
from typing import Any, Final

from mailsacd.core.address import parse_address
from mailsacd.core.errors import OverloadedError
from mailsacd.core.token import EnvelopeIds
from mailsacd.core.trace import TraceStep
from mailsacd.store.alternates import find_alternate
from mailsacd.store.notices import TRACES, give_notice
from mailsacd.store.pool import Database
from mailsacd.store.trace import (
    begin_trace,
    end_trace,
    past_deliveries,
    past_messages,
    renew_trace,
    steps_after,
)
from mailsacd.store.transaction import Transaction

LEASE_S: Final = 30
_RENEW_EVERY_S: Final = 10.0


class Following:
    """A trace: nodes tell it steps between `begin` and `end`, or until its lease is over."""

    def __init__(self, database: Database, inboxes: Collection[str], *, reactor: Any) -> None:
        self.inboxes = inboxes
        self._database = database
        self._reactor = reactor
        self._id = EnvelopeIds().next(int(reactor.seconds() * 1000))[0]
        self._seen = ""
        self._renewed_s = 0.0

    @classmethod
    async def of(cls, database: Database, email: str, *, reactor: Any) -> "Following":
        """Follow the address ``email``, and what it stands for. Raises BadAddressError."""
        address = parse_address(email)
        names = {str(address), str(address.without_tag())}
        if address.without_tag().is_alternate:
            meant = await find_alternate(database, address.without_tag().local)
            names |= {meant} if meant else set()
        return cls(database, names, reactor=reactor)

    async def begin(self) -> None:
        """Have all nodes tell what they see from now on. Raises OverloadedError."""

        async def work(transaction: Transaction) -> None:
            if not await begin_trace(transaction, self._id, sorted(self.inboxes), LEASE_S):
                raise OverloadedError("Too many follow somebody's mail already")
            await give_notice(transaction, TRACES, "")

        await self._database.transaction(work)
        self._renewed_s = self._reactor.seconds()

    async def news(self) -> list[TraceStep]:
        """Return what was seen since the last time, and go on for as long as the lease is."""
        if self._reactor.seconds() - self._renewed_s > _RENEW_EVERY_S:
            await renew_trace(self._database, self._id, LEASE_S)
            self._renewed_s = self._reactor.seconds()
        steps = await steps_after(self._database, self._id, self._seen)
        if steps:
            self._seen = steps[-1].id
        return steps

    async def end(self) -> None:
        """Have nodes tell nothing more, and forget what they told."""

        async def work(transaction: Transaction) -> None:
            await end_trace(transaction, self._id)
            await give_notice(transaction, TRACES, "")

        await self._database.transaction(work)


async def past(database: Database, inboxes: Collection[str], *, limit: int) -> list[TraceStep]:
    """Return what the store tells of the newest ``limit`` messages of ``inboxes``, oldest first."""
    messages = await past_messages(database, list(inboxes), limit=limit)
    deliveries = await past_deliveries(database, list(inboxes), limit=limit)
    return sorted([*messages, *deliveries], key=lambda step: step.id)
