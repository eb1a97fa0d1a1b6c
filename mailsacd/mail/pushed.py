"""The form in which messages are pushed: to WebSockets, event streams and webhooks.

It has all that a list says of the message, and what the message says itself. docs/push.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool

from mailsacd.core.message import Message
from mailsacd.core.token import iso_time, time_of
from mailsacd.mail.alternates import Alternates
from mailsacd.mail.compose import expand
from mailsacd.mime.extract import text_of
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.trace import parse_stored
from mailsacd.store.events import Found, find_messages
from mailsacd.store.pool import Database

MAX_AT_ONCE: Final = 64
"""How many messages `PushedForms.find` takes."""

_OFF_REACTOR_BYTES: Final = 32_768  # larger stored messages are unpacked and parsed in a thread
_BYTES_A_TURN: Final = 65_536  # of small ones, compressed: then the reactor has its turn

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message that is there, and its pushed form as JSON in UTF-8."""

    found: Found
    json: bytes


class PushedForms:
    """Makes them. Raises UnavailableError when the database is away."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._alternates = Alternates(database)
        self._reactor = reactor

    async def form(self, message: Message, stored: bytes) -> bytes:
        """The pushed form: one JSON object in UTF-8. ``stored`` is the compressed raw message."""
        local = (await self._alternates.local_parts((message.inbox,)))[message.inbox]
        return await self._form(message, stored, local)

    async def find(
        self, wanted: Sequence[tuple[str, str]], *, max_bytes: int
    ) -> tuple[list[Rendered], int]:
        """Those of ``wanted`` (inbox, id) that are there, in order, and how many were looked at.

        Not all, when they are larger than ``max_bytes`` together, or more than MAX_AT_ONCE; but
        always one.
        """
        found, count = await find_messages(
            self._database, wanted[:MAX_AT_ONCE], max_bytes=max_bytes
        )
        locals_ = await self._alternates.local_parts({each.message.inbox for each in found})
        rendered = []
        done_bytes = 0
        for each in found:
            form = await self._form(each.message, each.raw, locals_[each.message.inbox])
            rendered.append(Rendered(each, form))
            done_bytes += len(each.raw)
            if done_bytes > _BYTES_A_TURN:
                done_bytes = 0
                await deferLater(self._reactor, 0)
        return rendered, count

    async def _form(self, message: Message, stored: bytes, local: str) -> bytes:
        if len(stored) <= _OFF_REACTOR_BYTES:
            return pushed_form(message, stored, local)
        pool = self._reactor.getThreadPool()
        return await deferToThreadPool(self._reactor, pool, pushed_form, message, stored, local)


def pushed_form(message: Message, stored: bytes, encrypted_inbox: str) -> bytes:
    """The pushed form: one JSON object in UTF-8. ``stored`` is the compressed raw message.

    Runs in any thread; takes about 0.2 ms for a message of 20 KB.
    """
    raw = expand(stored)
    parsed = parse_stored(raw)
    html = parsed.html
    more = _encode(
        {
            "text": text_of(parsed),
            "html": html,
            "body": html,
            "raw": _as_text(raw),
            "headers": _headers(parsed),
            "messageId": parsed.message_id,
            "date": None if parsed.date is None else iso_time(parsed.date),
            "receivedDate": iso_time(time_of(message.id)),
            "priority": parsed.priority,
            "encryptedInbox": encrypted_inbox,
        }
    )
    return b"".join((message.as_json()[:-1].encode(), b",", more[1:]))


def _as_text(raw: bytes) -> str:
    """UTF-8 where it is, else a character for each byte (ISO 8859-1): nothing is lost."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _headers(parsed: ParsedMessage) -> dict[str, str | list[str]]:
    """By name in lower case; a list where there are several of a name."""
    fields: dict[str, str | list[str]] = {}
    for written, value in parsed.headers:
        name = written.lower()
        before = fields.get(name)
        if before is None:
            fields[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            fields[name] = [before, value]
    return fields
