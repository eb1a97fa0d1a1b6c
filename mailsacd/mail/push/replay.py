"""What a stream has missed, out of the database, in pages, until it can go on with what is new.

A replay is a row of rounds, each from one snapshot to a later one: what the earlier one does not
see and the later one does, in order of ids. Within a round nothing is added or moves, so it can be
read page by page, and broken off and gone on with anywhere. A round of several pages is followed by
another; during the last one, which is short, the stream is already told of what is new, and keeps
that until the round is over.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore, ensureDeferred
from twisted.internet.task import deferLater

from mailsacd.core.errors import InvalidInputError
from mailsacd.core.event import Position, Snapshot
from mailsacd.core.sequence import Sequences
from mailsacd.mail.push.payload import Payloads, Rendered, pushed
from mailsacd.mail.push.stream import Backlog, Stream
from mailsacd.store.events import current_snapshot, events_after, messages_after
from mailsacd.store.pool import Database

T = TypeVar("T")

AT_ONCE: Final = 2
"""How many replays ask the database at the same time: what is stored meanwhile goes before."""

EVENTS_LAST_MS: Final = 600_000
"""Events are read for so long; they are kept longer (store.events)."""

_PAGE: Final = 100
_GROUP_BYTES: Final = 131_072  # before compression: so much is in memory for a replay that waits
_TIGHT_PAUSE_S: Final = 0.1
_TOO_OLD: Final = (
    "Of all public mail only what came within the last 10 minutes can be replayed: start without"
    " a sequence"
)


@dataclass(frozen=True, slots=True)
class Tools:
    """What all replays of a hub share. A message is pushed ``hold_s`` after it was stored."""

    database: Database
    forms: Payloads
    sequences: Sequences
    backlog: Backlog
    turn: DeferredSemaphore
    hold_s: float
    reactor: Any


@dataclass(frozen=True, slots=True)
class _ReplayBatch:
    """Inboxes and ids, in order: what ``seen`` does not see and ``reached`` does.

    After it the round goes on at ``rest``.
    """

    wanted: Sequence[tuple[str, str]]
    seen: Snapshot
    reached: Snapshot
    rest: Position | None


class Replay:
    """Brings one stream from a position up to now. ``join`` has it told of what is new.

    Raises InvalidInputError when what it should begin with is no longer there, UnavailableError
    when the database is away.
    """

    def __init__(self, stream: Stream, tools: Tools, join: Callable[[Stream], None]) -> None:
        self._stream = stream
        self._tools = tools
        self._join = join

    async def run(self, position: Position) -> None:
        """Returns when the stream has joined, or is closed."""
        if position.within is not None:  # the round that was broken off
            await self._round(position, position.within)
        seen, pages = position.newest, 2
        while self._stream.is_open and pages > 1:
            until = await self._now()
            pages = await self._round(Position(seen), until)
            seen = until
        if not self._stream.is_open:
            return
        self._join(self._stream)
        until = await self._now()
        await self._round(Position(seen), until)
        self._stream.join(until)

    async def _now(self) -> Snapshot:
        """A snapshot of now, once what it sees may be pushed."""
        until = await current_snapshot(self._tools.database)
        if self._tools.hold_s:
            await deferLater(self._tools.reactor, self._tools.hold_s)
        return until

    async def _round(self, position: Position, until: Snapshot) -> int:
        """Push what is after ``position`` and seen by ``until``; how many pages that was."""
        pages = 0
        rest: Position | None = position
        while rest is not None and self._stream.is_open:
            page = await self._in_turn(self._page(rest, until))
            await self._push(page)
            rest = page.rest
            pages += 1
        return pages

    async def _page(self, position: Position, until: Snapshot) -> _ReplayBatch:
        interest, database = self._stream.interest, self._tools.database
        if not interest.all_public:
            found = await messages_after(database, interest, position, until, limit=_PAGE)
            more = len(found) == _PAGE
            rest = Position(position.seen, until, found[-1][1]) if more else None
            return _ReplayBatch(found, position.seen, until, rest)
        events = await events_after(database, position.seen, until)
        check_age(position.seen, events.now)
        wanted = [
            (arrival.inbox, arrival.id)
            for _, arrival in events.arrivals
            if arrival.id > position.id and interest.includes(arrival)
        ]
        rest = Position(events.reached, until, position.id) if events.more else None
        return _ReplayBatch(wanted, position.seen, events.reached, rest)

    async def _push(self, page: _ReplayBatch) -> None:
        done = 0
        while done < len(page.wanted):
            await self._room()
            if not self._stream.is_open:
                return
            finding = self._tools.forms.find(page.wanted[done:], max_bytes=_GROUP_BYTES, again=True)
            rendered, count = await self._in_turn(finding)
            done += count
            for each in rendered:
                await self._push_one(page, each)

    async def _push_one(self, page: _ReplayBatch, rendered: Rendered) -> None:
        message = rendered.found.message
        if rendered.json is None:
            await self._room()
            large = await self._tools.forms.find_large(
                (message.inbox, message.id), lambda: self._stream.is_open, again=True
            )
            if large is None:
                return
            rendered = large
        if not rendered.found.is_there_for(self._stream.interest.account):
            return
        position = Position(page.seen, page.reached, message.id)
        if page.rest is None and message.id == page.wanted[-1][1]:
            position = Position(page.reached)
        sequence = self._tools.sequences.write(position)
        self._stream.replay(pushed(rendered, sequence))

    async def _room(self) -> None:
        """Wait until all that was replayed is with the listener, and there is memory for more."""
        drained: Deferred[None] = Deferred()
        self._stream.when_drained(lambda: drained.callback(None))
        await drained
        while self._stream.is_open and self._tools.backlog.tight:
            await deferLater(self._tools.reactor, _TIGHT_PAUSE_S)

    async def _in_turn(self, work: Awaitable[T]) -> T:
        async def working() -> T:
            return await work

        result: T = await self._tools.turn.run(lambda: ensureDeferred(working()))
        return result


def check_age(seen: Snapshot, now: Snapshot) -> None:
    """Raises InvalidInputError when what came after ``seen`` may no longer be among the events."""
    if now.taken_ms - seen.taken_ms > EVENTS_LAST_MS:
        raise InvalidInputError(_TOO_OLD)
