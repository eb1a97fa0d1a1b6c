"""The only door to stored messages: every edge reads and changes them through here.

What a caller may not see is refused here, whatever edge the request came by.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from twisted.internet.interfaces import IReactorThreads
from twisted.internet.threads import deferToThreadPool

from mailsacd.core.errors import NotFoundError, UnauthenticatedError
from mailsacd.core.message import Message
from mailsacd.core.token import time_prefix
from mailsacd.mail.accept import inbox_of
from mailsacd.mail.auth import Actor
from mailsacd.mail.compose import expand
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.parse import parse
from mailsacd.store import messages
from mailsacd.store.pool import Database

T = TypeVar("T")

_OFF_REACTOR_BYTES: Final = 65_536  # larger stored messages are unpacked and parsed in a thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which messages of a list: the newest ``limit`` after ``skip`` of those within the times.

    ``since_ms`` (that millisecond included) and ``until_ms`` (excluded) count from the epoch.
    """

    limit: int = 20
    skip: int = 0
    since_ms: int | None = None
    until_ms: int | None = None


class Mailbox:
    """Reads and deletes messages for an Actor.

    Every call takes the address as the caller wrote it and raises BadAddressError for what is
    none, UnauthenticatedError where a key is needed, UnavailableError when the database is away.
    """

    def __init__(
        self, database: Database, *, anonymous_read: bool, reactor: IReactorThreads
    ) -> None:
        self._database = database
        self._anonymous_read = anonymous_read
        self._reactor = reactor

    async def list(self, actor: Actor, email: str, page: Page) -> list[Message]:
        """The messages of an inbox, newest first."""
        inbox = self._readable(actor, email)
        return await messages.list_messages(
            self._database,
            inbox,
            before_id=None if page.until_ms is None else time_prefix(page.until_ms),
            from_id=None if page.since_ms is None else time_prefix(page.since_ms),
            limit=page.limit,
            skip=page.skip,
        )

    async def count(self, actor: Actor, email: str) -> tuple[int, str]:
        """How many messages an inbox has, and its normal address."""
        inbox = self._readable(actor, email)
        return await messages.count_messages(self._database, inbox), inbox

    async def get(self, actor: Actor, email: str, message_id: str) -> Message:
        """One message. Raises NotFoundError when the inbox has none with that id."""
        inbox = self._readable(actor, email)
        return _found(await messages.find_message(self._database, inbox, message_id))

    async def delete(self, actor: Actor, email: str, message_id: str) -> str:
        """Delete one message; the normal address of its inbox. Raises NotFoundError."""
        inbox = self._readable(actor, email)
        if not await messages.delete_message(self._database, inbox, message_id):
            raise NotFoundError(_NOT_THERE)
        return inbox

    async def purge(self, actor: Actor, email: str) -> None:
        """Delete all messages of an inbox: for its owner alone, so nobody may as yet."""
        self._readable(actor, email)
        raise UnauthenticatedError(
            "Only the owner of an address may purge it: an API key is needed"
        )

    async def raw(self, actor: Actor, email: str, message_id: str) -> bytes:
        """The stored bytes: the trace headers, then the message as received. NotFoundError."""
        return await self._read(actor, email, message_id, expand)

    async def parsed(self, actor: Actor, email: str, message_id: str) -> ParsedMessage:
        """The message's structure, the trace headers among its headers. NotFoundError."""
        return await self._read(actor, email, message_id, lambda stored: parse(expand(stored)))

    async def view(
        self, actor: Actor, email: str, message_id: str, view: Callable[[ParsedMessage], T]
    ) -> T:
        """What ``view`` makes of the message's structure, in a thread if large. NotFoundError."""
        return await self._read(
            actor, email, message_id, lambda stored: view(parse(expand(stored)))
        )

    async def ping(self) -> None:
        """Raises UnavailableError when the database does not answer."""
        await self._database.fetch("select 1", ())

    def _readable(self, actor: Actor, email: str) -> str:
        if actor.account is None and not self._anonymous_read:
            raise UnauthenticatedError("An API key is needed to read mail here")
        return str(inbox_of(email))

    async def _read(
        self, actor: Actor, email: str, message_id: str, work: Callable[[bytes], T]
    ) -> T:
        inbox = self._readable(actor, email)
        stored = _found(await messages.find_raw(self._database, inbox, message_id))
        if len(stored) <= _OFF_REACTOR_BYTES:
            return work(stored)
        return await deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work, stored)


_NOT_THERE: Final = "There is no such message in this inbox"


def _found(value: T | None) -> T:
    if value is None:
        raise NotFoundError(_NOT_THERE)
    return value
