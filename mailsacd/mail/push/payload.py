"""The form in which messages are pushed: to WebSockets, event streams and webhooks.

It has all that a list says of the message, and what the message says itself. docs/push.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.internet.task import deferLater

from mailsacd.core.event import Pushed
from mailsacd.core.message import Message
from mailsacd.core.message_form import PushedFields, pushed_json, with_sequence
from mailsacd.core.token import iso_time, time_of
from mailsacd.mail.ownership.alternates import Alternates
from mailsacd.mime.extract import text_of
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.trace import parse_stored
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.pool import Database
from mailsacd.store.pushed_messages import Found, find_messages
from mailsacd.work.threads import LARGE_BYTES, Lane

MAX_AT_ONCE: Final = 64
"""How many messages `Payloads.find` takes."""

LARGE_AT_ONCE: Final = 2
"""So many large messages are in memory at a time to be rendered; the others wait for their turn."""


_ANY_BYTES: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message that is there, and its pushed form as JSON in UTF-8, unless it is large."""

    found: Found
    json: bytes | None


class Payloads:
    """Makes them. Raises UnavailableError when the database is away."""

    def __init__(self, database: Database, lane: Lane, *, reactor: Any) -> None:
        """Large messages are rendered in ``lane``."""
        self._database = database
        self._lane = lane
        self._alternates = Alternates(database, reactor=reactor)
        self._reactor = reactor
        self._large = DeferredSemaphore(LARGE_AT_ONCE)

    async def form(self, message: Message, stored: bytes) -> bytes:
        """The pushed form: one JSON object in UTF-8. ``stored`` is the compressed raw message."""
        local = (await self._alternates.local_parts((message.inbox,)))[message.inbox]
        work = partial(pushed_form, message, stored, local)
        return await self._lane.run(expanded_bytes(stored), work)

    async def find_large(
        self, wanted: tuple[str, str], needed: Callable[[], bool], *, again: bool = False
    ) -> Rendered | None:
        """A message (inbox, id) of any size; None when it is not there, or not ``needed``.

        That is asked when its turn comes. ``again`` is as of `find`.
        """

        async def find() -> Rendered | None:
            if not needed():
                return None
            found, _ = await find_messages(
                self._database, (wanted,), max_bytes=1, large_bytes=_ANY_BYTES, again=again
            )
            for each in found:
                if each.raw is not None:
                    return Rendered(each, await self.form(each.message, each.raw))
            return None

        rendered: Rendered | None = await self._large.run(lambda: ensureDeferred(find()))
        return rendered

    async def find(
        self, wanted: Sequence[tuple[str, str]], *, max_bytes: int, again: bool = False
    ) -> tuple[list[Rendered], int]:
        """Those of ``wanted`` (inbox, id) that are there, in order, and how many were looked at.

        Not all, when they are larger than ``max_bytes`` together, or more than MAX_AT_ONCE; but
        always one. Of those over LARGE_BYTES there is no form yet: see `find_large`. What comes in
        is pushed once in any case; ``again`` only what is not beyond a limit of what is kept.
        """
        found, count = await find_messages(
            self._database,
            wanted[:MAX_AT_ONCE],
            max_bytes=max_bytes,
            large_bytes=LARGE_BYTES,
            again=again,
        )
        locals_ = await self._alternates.local_parts({each.message.inbox for each in found})
        rendered = []
        done_bytes = 0
        for each in found:
            if each.raw is None:
                rendered.append(Rendered(each, None))
                continue
            form = pushed_form(each.message, each.raw, locals_[each.message.inbox])
            rendered.append(Rendered(each, form))
            done_bytes += each.size
            if done_bytes > LARGE_BYTES:  # together as long as one: others have their turn
                done_bytes = 0
                await deferLater(self._reactor, 0)
        return rendered, count


def pushed(rendered: Rendered, sequence: str) -> Pushed:
    """What is pushed of a message. Of a large one its form is still to come."""
    message = rendered.found.message
    if rendered.json is None:
        return Pushed(message.id, message.inbox, sequence, b"", 3 * rendered.found.size)
    json = with_sequence(rendered.json, sequence)
    return Pushed(message.id, message.inbox, sequence, json, len(json))


def pushed_form(message: Message, stored: bytes, encrypted_inbox: str) -> bytes:
    """The pushed form: one JSON object in UTF-8. ``stored`` is the compressed raw message.

    Runs in any thread; takes about 0.2 ms for a message of 20 KB.
    """
    raw = expand(stored)
    parsed = parse_stored(raw)
    html = parsed.html
    fields = PushedFields(
        text=text_of(parsed),
        html=html,
        body=html,
        raw=_as_text(raw),
        headers=_headers(parsed),
        message_id=parsed.message_id,
        date=None if parsed.date is None else iso_time(parsed.date),
        received_date=iso_time(time_of(message.id)),
        priority=parsed.priority,
        encrypted_inbox=encrypted_inbox,
    )
    return pushed_json(message.as_json(), fields)


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
