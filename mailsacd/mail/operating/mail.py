"""Whose mail is refused, and mail on its way out, as an operator sees and changes them."""

from mailsacd.core.actor import Actor, operators_account
from mailsacd.core.audit import Act, author_of
from mailsacd.core.errors import InvalidInputError
from mailsacd.core.outgoing import Outgoing
from mailsacd.mail.receiving.denylist_entry import allow, deny, seconds_of
from mailsacd.mail.records.audit import audit
from mailsacd.mail.sending.outgoing_queue import OutgoingQueue
from mailsacd.store.denylist import Denied, search_denied
from mailsacd.store.outgoing_queue import Change, Selection
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction


class OperatorMail:
    """Every call raises UnauthenticatedError or ForbiddenError unless an operator has signed in.

    What is changed is in the audit log of the operator's account.
    """

    def __init__(self, database: Database, queue: OutgoingQueue) -> None:
        self._database = database
        self._queue = queue

    async def denied(
        self, actor: Actor, *, query: str = "", limit: int = 100, skip: int = 0
    ) -> list[Denied]:
        """The denylist by entry; ``query`` is a part of the entry or the reason."""
        operators_account(actor)
        return await search_denied(self._database, query, limit=limit, skip=skip)

    async def deny(
        self,
        actor: Actor,
        text: str,
        reason: str = "",
        *,
        recipient: bool = False,
        lasting: str = "",
    ) -> str:
        """Put an entry on the list for a time such as ``7d`` (empty: for good); its normal form.

        Raises InvalidInputError.
        """
        operators_account(actor)
        for_s = seconds_of(lasting) if lasting else None

        async def also(transaction: Transaction, entry: str) -> None:
            detail = " ".join(filter(None, ("recipient" * recipient, lasting, reason)))
            await self._note(transaction, actor, Act("operator", "denied", entry, detail))

        return await deny(self._database, text, reason, recipient=recipient, for_s=for_s, also=also)

    async def allow(self, actor: Actor, text: str, *, recipient: bool = False) -> str:
        """Take it off the list; its normal form. Raises InvalidInputError and NotFoundError."""
        operators_account(actor)

        async def also(transaction: Transaction, entry: str) -> None:
            act = Act("operator", "allowed", entry, "recipient" if recipient else "")
            await self._note(transaction, actor, act)

        return await allow(self._database, text, recipient=recipient, also=also)

    async def outgoing(
        self,
        actor: Actor,
        which: Selection,
        *,
        ended: bool = False,
        limit: int = 100,
        skip: int = 0,
    ) -> list[Outgoing]:
        """What is on its way, the oldest first; with ``ended`` all that is kept."""
        operators_account(actor)
        return await self._queue.list(which, ended=ended, limit=limit, skip=skip)

    async def outgoing_message(self, actor: Actor, outgoing_id: str) -> Outgoing:
        """One message on its way, of anybody's. Raises NotFoundError."""
        operators_account(actor)
        return await self._queue.get(outgoing_id)

    async def change(
        self, actor: Actor, change: Change, outgoing_id: str, recipient: str | None = None
    ) -> Outgoing:
        """Change one message, as `OutgoingQueue.change` does; it may be anybody's."""
        operators_account(actor)

        async def also(transaction: Transaction) -> None:
            act = Act("operator", f"queue-{change}", outgoing_id, recipient or "")
            await self._note(transaction, actor, act)

        return await self._queue.change(change, outgoing_id, recipient=recipient, also=also)

    async def change_all(
        self, actor: Actor, change: Change, which: Selection, *, everything: bool = False
    ) -> int:
        """Change all open recipients that ``which`` selects. Returns how many there were.

        Raises InvalidInputError where it selects nothing, and it is not said that ``everything`` is
        meant.
        """
        operators_account(actor)
        if not (which.account or which.domain or everything):
            raise InvalidInputError("Name an account, a domain or both, or say that all is meant")
        subject = which.account or which.domain or "all"
        detail = f"to {which.domain}" if which.account and which.domain else ""
        act = Act("operator", f"queue-{change}", subject, detail)
        await self._note_first(actor, act)
        return await self._queue.change_all(change, which)

    async def _note_first(self, actor: Actor, act: Act) -> None:
        """Before it is done: it takes any number of transactions."""
        await self._database.transaction(lambda t: self._note(t, actor, act))

    async def _note(self, transaction: Transaction, actor: Actor, act: Act) -> None:
        await audit(transaction, operators_account(actor), author_of(actor), act)
