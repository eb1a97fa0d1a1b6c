"""The messages of an inbox, and the only door to what they contain.

What a caller may not see is refused here (see mail.reading.access), whatever edge the request
came by.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from mailsacd.core.actor import Actor, viewing_account
from mailsacd.core.message import Message, Neighbours
from mailsacd.core.message_form import UNTOUCHED
from mailsacd.core.token import time_prefix
from mailsacd.mail.reading.access import Access, AccessControl
from mailsacd.mime.extract import text_of_stored
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.trace import parse_stored
from mailsacd.store import messages
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.erasures import erase_unstarred
from mailsacd.store.inbox import purge_inbox
from mailsacd.store.pool import Database
from mailsacd.store.recycling import remove_beside
from mailsacd.store.views import IdPage
from mailsacd.work.sharing import Sharing
from mailsacd.work.threads import LARGE_BYTES, Lane

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which messages of a list: the newest ``limit`` after ``skip`` of those within the times.

    ``since_ms`` (that millisecond included) and ``until_ms`` (excluded) count from the epoch.
    """

    limit: int = 20
    skip: int = 0
    since_ms: int | None = None
    until_ms: int | None = None

    def bounds(self) -> IdPage:
        """Return the same page in ids, as the store reads it."""
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
    account, UnavailableError when the database is away, OverloadedError when too many large
    messages wait to be rendered.
    """

    def __init__(
        self,
        database: Database,
        access_control: AccessControl,
        lane: Lane,
        *,
        shows_marks: bool = True,
    ) -> None:
        """Large messages are rendered in ``lane``; others may use it for what they make of them.

        Unless it ``shows_marks``, messages are as if nobody had done anything to them.
        """
        self._database = database
        self._access_control = access_control
        self.lane = lane
        self._shows_marks = shows_marks
        self._reading: Sharing[_Asked, Any] = Sharing()

    async def list_json(self, actor: Actor, email: str, page: Page) -> str:
        """The messages of an inbox, newest first, as the text of one JSON array."""
        inbox = await self._access_control.inbox(actor, email)
        return await messages.list_messages_json(
            self._database, inbox, actor.account, marked=self._shows_marks, **page.bounds()
        )

    async def count(self, actor: Actor, email: str) -> tuple[int, str]:
        """How many messages an inbox has, and its normal address."""
        inbox = await self._access_control.inbox(actor, email)
        return await messages.count_messages(self._database, inbox, actor.account), inbox

    async def get(self, actor: Actor, email: str, message_id: str) -> Message:
        """One message. Raises NotFoundError when the inbox has none with that id."""
        access = await self._access_control.access(actor, email)
        found = await messages.find_message(
            self._database, access.inbox, message_id, actor.account, is_open=access.is_open
        )
        message = access.found(found)
        return message if self._shows_marks else replace(message, marks=UNTOUCHED)

    async def neighbours(self, actor: Actor, email: str, message_id: str) -> Neighbours:
        """The messages beside one, of those that the actor sees in its inbox. NotFoundError."""
        access = await self._access_control.access(actor, email)
        found = await messages.find_neighbours(
            self._database, access.inbox, message_id, actor.account, is_open=access.is_open
        )
        return access.found(found)

    async def delete(self, actor: Actor, email: str, message_id: str) -> str:
        """Delete one message; the normal address of its inbox. Raises NotFoundError."""
        access = await self._access_control.access(actor, email)
        await remove_beside(self._database, access.inbox, message_id)
        deleted = await messages.delete_message(
            self._database, access.inbox, message_id, actor.account, is_open=access.is_open
        )
        access.found(deleted or None)
        return access.inbox

    async def purge(
        self,
        actor: Actor,
        email: str,
        *,
        until_ms: int | None = None,
        limit: int | None = None,
    ) -> None:
        """Delete messages of an inbox but starred ones, for who owns it or its domain.

        They are the newest ``limit`` (None: all) of those received before ``until_ms``.
        Raises UnauthenticatedError for who owns neither.
        """
        inbox = await self._access_control.owned_inbox(actor, email)
        account = viewing_account(actor)
        before = None if until_ms is None else time_prefix(until_ms)
        gone = await purge_inbox(self._database, inbox, account, before, limit)
        if gone:  # what may be left is gone now, too, and removed later
            left = None if limit is None else limit - gone
            await erase_unstarred(self._database, inbox, account, before, left)

    async def raw(self, actor: Actor, email: str, message_id: str) -> bytes:
        """The stored bytes: the trace headers, then the message as received. NotFoundError."""
        return await self._read(actor, email, message_id, expand)

    async def text(self, actor: Actor, email: str, message_id: str) -> str:
        """The message's text, or one made of its HTML. NotFoundError."""
        return await self._read(actor, email, message_id, _text)

    async def parsed(self, actor: Actor, email: str, message_id: str) -> ParsedMessage:
        """The message's structure, the trace headers among its headers. NotFoundError."""
        return await self._read(actor, email, message_id, _parsed)

    async def view(
        self,
        actor: Actor,
        email: str,
        message_id: str,
        view: Callable[[ParsedMessage], T],
        *,
        weight: int = 1,
    ) -> T:
        """What ``view`` makes of the message's structure, in a thread if large. NotFoundError.

        Who asks for the same view while it is being made waits for that one: a ``view`` is known
        by its function, which touches nothing but its argument. One that takes several times as
        long as parsing has a ``weight``: for it, messages are large that are so many times smaller.
        """
        return await self._read(actor, email, message_id, _View(view), weight)

    async def ping(self) -> None:
        """Raises UnavailableError when the database does not answer."""
        await self._database.ping()

    async def _read(
        self,
        actor: Actor,
        email: str,
        message_id: str,
        work: Callable[[bytes], T],
        weight: int = 1,
    ) -> T:
        access = await self._access_control.access(actor, email)
        asked = _Asked(access, message_id, actor.account, work, weight)
        read: T = await self._reading.get(asked, lambda: self._render(asked))
        return read

    async def _render(self, asked: "_Asked") -> Any:
        access = asked.access
        stored = access.found(
            await messages.find_raw(
                self._database, access.inbox, asked.message_id, asked.viewer, is_open=access.is_open
            )
        )
        size, work = expanded_bytes(stored), partial(asked.work, stored)
        if size * asked.weight > LARGE_BYTES:
            return await self.lane.run_in_thread(work, size)
        return await self.lane.run(size, work)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody wants to read. Who asks for an equal one gets the same answer."""

    access: Access
    message_id: str
    viewer: str | None
    work: Callable[[bytes], Any]
    weight: int


@dataclass(frozen=True, slots=True)
class _View(Generic[T]):
    """A function of a message's structure as one of its stored form."""

    view: Callable[[ParsedMessage], T]

    def __call__(self, stored: bytes) -> T:
        return self.view(_parsed(stored))


def _parsed(stored: bytes) -> ParsedMessage:
    return parse_stored(expand(stored))


def _text(stored: bytes) -> str:
    return text_of_stored(expand(stored))
