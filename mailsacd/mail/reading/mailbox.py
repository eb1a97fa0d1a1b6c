"""The messages of an inbox, and the only door to what they contain.

What a caller may not see is refused here (see mail.reading.access), whatever edge the request
came by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.message import Message
from mailsacd.core.token import time_prefix
from mailsacd.mail.reading.access import Gate
from mailsacd.mime.extract import text_of_stored
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.trace import parse_stored
from mailsacd.store import messages
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.inbox import purge_inbox
from mailsacd.store.pool import Database
from mailsacd.store.views import Page as PageOfIds

T = TypeVar("T")

_OFF_REACTOR_BYTES: Final = 65_536  # larger messages are unpacked and parsed in a thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which messages of a list: the newest ``limit`` after ``skip`` of those within the times.

    ``since_ms`` (that millisecond included) and ``until_ms`` (excluded) count from the epoch.
    """

    limit: int = 20
    skip: int = 0
    since_ms: int | None = None
    until_ms: int | None = None

    def bounds(self) -> PageOfIds:
        """The same in ids, for the store."""
        return {
            "before_id": None if self.until_ms is None else time_prefix(self.until_ms),
            "from_id": None if self.since_ms is None else time_prefix(self.since_ms),
            "limit": self.limit,
            "skip": self.skip,
        }


class Mailbox:
    """Reads and deletes messages for an Actor.

    Every call takes the address as the caller wrote it and raises BadAddressError for what is
    none, UnauthenticatedError where a key is needed, ForbiddenError for an inbox of another
    account, UnavailableError when the database is away.
    """

    def __init__(self, database: Database, gate: Gate, *, reactor: IReactorThreads) -> None:
        self._database = database
        self._gate = gate
        self._reactor = reactor

    async def list_json(self, actor: Actor, email: str, page: Page) -> str:
        """The messages of an inbox, newest first, as the text of one JSON array."""
        inbox = await self._gate.inbox(actor, email)
        return await messages.list_messages_json(
            self._database, inbox, actor.account, **page.bounds()
        )

    async def count(self, actor: Actor, email: str) -> tuple[int, str]:
        """How many messages an inbox has, and its normal address."""
        inbox = await self._gate.inbox(actor, email)
        return await messages.count_messages(self._database, inbox, actor.account), inbox

    async def get(self, actor: Actor, email: str, message_id: str) -> Message:
        """One message. Raises NotFoundError when the inbox has none with that id."""
        access = await self._gate.access(actor, email)
        found = await messages.find_message(
            self._database, access.inbox, message_id, actor.account, is_open=access.is_open
        )
        return access.found(found)

    async def delete(self, actor: Actor, email: str, message_id: str) -> str:
        """Delete one message; the normal address of its inbox. Raises NotFoundError."""
        access = await self._gate.access(actor, email)
        deleted = await messages.delete_message(
            self._database, access.inbox, message_id, actor.account, is_open=access.is_open
        )
        access.found(deleted or None)
        return access.inbox

    async def purge(self, actor: Actor, email: str) -> None:
        """Delete all messages of an inbox but starred ones, for who owns it or its domain."""
        inbox = await self._gate.owned_inbox(actor, email)
        account = account_of(actor)
        while await purge_inbox(self._database, inbox, account):
            pass

    async def raw(self, actor: Actor, email: str, message_id: str) -> bytes:
        """The stored bytes: the trace headers, then the message as received. NotFoundError."""
        return await self._read(actor, email, message_id, expand)

    async def text(self, actor: Actor, email: str, message_id: str) -> str:
        """The message's text, or one made of its HTML. NotFoundError."""
        return await self._read(
            actor, email, message_id, lambda stored: text_of_stored(expand(stored))
        )

    async def parsed(self, actor: Actor, email: str, message_id: str) -> ParsedMessage:
        """The message's structure, the trace headers among its headers. NotFoundError."""
        return await self._read(
            actor, email, message_id, lambda stored: parse_stored(expand(stored))
        )

    async def view(
        self, actor: Actor, email: str, message_id: str, view: Callable[[ParsedMessage], T]
    ) -> T:
        """What ``view`` makes of the message's structure, in a thread if large. NotFoundError."""
        return await self._read(
            actor, email, message_id, lambda stored: view(parse_stored(expand(stored)))
        )

    async def ping(self) -> None:
        """Raises UnavailableError when the database does not answer."""
        await self._database.ping()

    async def _read(
        self, actor: Actor, email: str, message_id: str, work: Callable[[bytes], T]
    ) -> T:
        access = await self._gate.access(actor, email)
        stored = access.found(
            await messages.find_raw(
                self._database, access.inbox, message_id, actor.account, is_open=access.is_open
            )
        )
        if expanded_bytes(stored) <= _OFF_REACTOR_BYTES:
            return work(stored)
        return await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work, stored)
