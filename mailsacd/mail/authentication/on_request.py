"""Who sent a message, for who asks: what is written beside it, or what is found out now."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from mailsacd.core.actor import Actor
from mailsacd.core.authentication import (
    Authentication,
    authentication_text,
    read_authentication,
)
from mailsacd.core.message import Message, Reads
from mailsacd.core.token import milliseconds, time_of
from mailsacd.mail.authentication.examination import Examiner
from mailsacd.store.authentication import FoundOut, keep_authentication
from mailsacd.store.pool import Database
from mailsacd.work.sharing import Sharing
from mailsacd.work.turns import CallerTurns

AT_ONCE: Final = 10
MAX_WAITING: Final = 100


class ChecksOnRequest:
    """Tells it to whoever may see the message, and raises as `Mailbox` does."""

    def __init__(self, database: Database, mailbox: Reads, examiner: Examiner) -> None:
        self._database = database
        self._mailbox = mailbox
        self._examiner = examiner
        self._turns = CallerTurns(AT_ONCE, MAX_WAITING)
        self._examining: Sharing[tuple[str, str], Authentication] = Sharing()

    async def authentication(self, actor: Actor, email: str, message_id: str) -> Authentication:
        """Return it. Where the DNS had failed, it is looked up again.

        Raises OverloadedError when too many wait for theirs.
        """
        message = await self._mailbox.get(actor, email, message_id)
        if message.auth is not None:
            known = read_authentication(message.auth)
            if not known.is_temporary:
                return known
        key = (message.inbox, message.id)
        read = partial(self._mailbox.raw, actor, email, message_id)
        examine = partial(self._examine, message, read)
        return await self._examining.get(key, partial(self._turns.run, actor, examine))

    async def _examine(
        self, message: Message, read: Callable[[], Awaitable[bytes]]
    ) -> Authentication:
        raw = await read()  # now, and not before: what waits for its turn is not in memory
        found = await self._examiner.examine_raw(raw, milliseconds(time_of(message.id)))
        text = authentication_text(found)
        await keep_authentication(self._database, [FoundOut(message.inbox, message.id, text)])
        return found
