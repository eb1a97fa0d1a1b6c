"""The messages that are on their way, and those that were: as senders and the operator see them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.address import normal_domain, parse_address
from mailsacd.core.errors import BadAddressError, ConflictError, NotFoundError
from mailsacd.core.outgoing import Outgoing
from mailsacd.core.token import utc_from_ms
from mailsacd.store import outgoing_queue as store
from mailsacd.store.notices import OUTGOING, give_notice
from mailsacd.store.outgoing_queue import BATCH, Change, Selection
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

_ABSENT = "There is no such message"


class OutgoingQueue:
    """Who sends sees and changes his own; without an account it is all of them, the operator's.

    What has ended is kept for ``kept_days`` days.
    """

    def __init__(self, database: Database, *, kept_days: int, reactor: Any) -> None:
        self._database = database
        self._kept = timedelta(days=kept_days)
        self._reactor = reactor

    async def list_own(self, actor: Actor, *, limit: int, skip: int) -> list[Outgoing]:
        """What the account has sent, the newest first. Raises UnauthenticatedError."""
        return await store.list_outgoing(self._database, account_of(actor), limit=limit, skip=skip)

    async def get_own(self, actor: Actor, outgoing_id: str) -> Outgoing:
        """One that the account has sent. Raises UnauthenticatedError and NotFoundError."""
        return await self.get(outgoing_id, account_of(actor))

    async def change_own(
        self, actor: Actor, change: Change, outgoing_id: str, recipient: str | None
    ) -> Outgoing:
        """Change the ``recipient`` of an own message, None: all that are not being sent to now.

        Raises UnauthenticatedError, NotFoundError, and ConflictError when there is none to change.
        """
        return await self.change(change, outgoing_id, account_of(actor), recipient)

    async def list(
        self, which: Selection, *, ended: bool, limit: int, skip: int = 0
    ) -> list[Outgoing]:
        """What is on its way, the oldest first; with ``ended`` all that is kept."""
        return await store.list_queue(self._database, which, ended=ended, limit=limit, skip=skip)

    async def get(self, outgoing_id: str, account: str | None = None) -> Outgoing:
        """One message of ``account``'s, None: of anybody's. Raises NotFoundError."""
        found = await store.find_outgoing(self._database, outgoing_id, account)
        if found is None:
            raise NotFoundError(_ABSENT)
        return found

    async def change(
        self,
        change: Change,
        outgoing_id: str,
        account: str | None = None,
        recipient: str | None = None,
        also: Callable[[Transaction], Awaitable[None]] | None = None,
    ) -> Outgoing:
        """As `change_own`, of a message of ``account``'s, None: of anybody's.

        What ``also`` does is done together with it.
        """

        async def work(transaction: Transaction) -> None:
            has_content = await store.lock_outgoing(transaction, outgoing_id, account)
            if has_content is None:
                raise NotFoundError(_ABSENT)
            if not has_content:
                raise ConflictError("Each of its recipients is done with: its content is gone")
            found = await store.find_outgoing(transaction, outgoing_id, account)
            place = None if recipient is None else _place(found, recipient)
            if not await store.change_recipients(transaction, change, outgoing_id, place):
                raise ConflictError(f"There is no recipient to {change} now")
            await _follow(transaction, change, [outgoing_id])
            if also is not None:
                await also(transaction)

        await self._database.transaction(work)
        return await self.get(outgoing_id, account)

    async def change_all(self, change: Change, which: Selection) -> int:
        """Change all open recipients that ``which`` selects by account and domain.

        Returns how many there were, without those that are being sent to now.
        """

        async def some(transaction: Transaction) -> int:
            changed = await store.change_some(transaction, change, which)
            await _follow(transaction, change, changed)
            return len(changed)

        return await _until_few(lambda: self._database.transaction(some))

    async def forget_old(self) -> None:
        """Delete what ended longer than ``kept_days`` ago."""
        before = utc_from_ms(int(self._reactor.seconds() * 1000)) - self._kept
        await _until_few(lambda: store.forget_ended(self._database, before))


async def _until_few(step: Callable[[], Awaitable[int]]) -> int:
    """Repeat ``step`` until it has done less than a batch; how many it did in all."""
    total = 0
    while True:
        done = await step()
        total += done
        if done < BATCH:
            return total


async def _follow(transaction: Transaction, change: Change, ids: list[str]) -> None:
    if change == "cancel":
        await store.lock_messages(transaction, ids)
        await store.end_messages(transaction, ids)
    elif change in {"retry", "release"} and ids:
        await give_notice(transaction, OUTGOING, "")


def _place(message: Outgoing | None, recipient: str) -> int:
    for standing in message.recipients if message else ():
        if _normal(standing.address) == _normal(recipient):
            return standing.place
    raise NotFoundError("The message has no such recipient")


def _normal(address: str) -> str:
    try:
        return str(parse_address(address))
    except BadAddressError:
        return address.lower()


def selected(account: str | None, domain: str | None) -> Selection:
    """What is of an account and at a domain; either may be empty. Raises BadAddressError."""
    return Selection(
        account=account.lower() if account else None,
        domain=normal_domain(domain) if domain else None,
    )
