"""Tells listeners of mail as it is stored, on whatever node that was.

One poll at a time asks for the events that the last one did not see. A notice wakes it, and a timer
while notices may be missed; nothing is done while nobody listens. So a lost notice or connection
costs time, and never a message (docs/adr/0007-events-by-snapshot.md).
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, DeferredLock, DeferredSemaphore, ensureDeferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from mailsacd.core.errors import InvalidInputError, UnavailableError
from mailsacd.core.event import Arrival, Interest, Position, Snapshot
from mailsacd.core.sequence import Sequences
from mailsacd.mail.audience import Audience
from mailsacd.mail.pushed import MAX_AT_ONCE, PushedForms, Rendered
from mailsacd.mail.replay import AT_ONCE, EVENTS_LAST_MS, Replay, Tools, check_age, pushed
from mailsacd.mail.stream import BROKEN, OVERLOADED, Backlog, Listener, Stream
from mailsacd.store.events import Events, current_snapshot, events_after
from mailsacd.store.notices import MAIL, Notices
from mailsacd.store.pool import Database
from mailsacd.store.usage import PUSH

MAX_STREAMS: Final = 20_000
TICK_S: Final = 0.5  # between polls while notices may be missed, and while the database is away
POLL_AT_LEAST_EVERY_S: Final = 60.0
MIN_GAP_S: Final = 0.004  # between the beginnings of two polls

_GROUP_BYTES: Final = 524_288  # of messages before compression, fetched and rendered together

STOPPING: Final = "The server is stopping. Go on with the last sequence you got"
AWAY: Final = "The database is away. Go on with the last sequence you got, later"
TOO_LATE: Final = "Messages may have been missed here. Go on with the last sequence you got"
_STOPS: Final = "The daemon is stopping, try again later"
_NOT_OURS: Final = "The sequence is of another database: start without one"

_log = Logger()

_Match = tuple[int, Arrival, list[Stream]]


class Counts(Protocol):
    """Counts operations (mail.usage)."""

    def count(self, account: str, kind: str, n: int = 1) -> None:
        """``account`` has used ``n`` of ``kind``."""


class Hub:
    """Stops before the database does. ``usage`` is told of pushes that count."""

    def __init__(
        self,
        database: Database,
        notices: Notices,
        forms: PushedForms,
        sequences: Sequences,
        usage: Counts | None = None,
        *,
        reactor: Any,
    ) -> None:
        self._database = database
        self._notices = notices
        self._forms = forms
        self._usage = usage
        self._reactor = reactor
        self._sequences = sequences
        self._backlog = Backlog()
        self._audience = Audience()
        self._streams: dict[Stream, None] = {}
        self._replays: set[Deferred[None]] = set()
        self._replay_turn = DeferredSemaphore(AT_ONCE)
        self._seen: Snapshot | None = None  # None while nobody listens
        self._standing: Position | None = None
        self._beginning = DeferredLock()
        self._polling: Deferred[None] | None = None
        self._poll_again = False
        self._polled_s = 0.0
        self._may_have_missed = True
        self._stopped = False
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = reactor
        notices.subscribe(MAIL, lambda _: self.wake(), self._lost_notices)

    def start(self) -> None:
        """Begin to watch the clock."""
        self._ticking.start(TICK_S, now=False).addErrback(
            lambda f: _log.failure("mail is no longer looked for in time", f)
        )

    async def stop(self) -> None:
        """End all streams; returns when nothing is under way."""
        self._stopped = True
        if self._ticking.running:
            self._ticking.stop()
        self._lose_all(STOPPING)
        for running in tuple(self._replays):
            await running
        if self._polling is not None:
            await self._polling

    async def open(self, interest: Interest, since: str | None, listener: Listener) -> Stream:
        """A stream of what ``interest`` names: from now on, or after the sequence ``since``.

        Nothing is pushed before the reactor's next turn, so that the caller may write its greeting
        first. Raises InvalidInputError for a sequence that is not one, or too old for all public
        mail, and UnavailableError when the database is away.
        """
        if self._stopped or len(self._streams) >= MAX_STREAMS:
            raise UnavailableError(_STOPS if self._stopped else OVERLOADED)
        stream = Stream(interest, listener, self._backlog, ended=self._ended, standing=self._where)
        self._streams[stream] = None
        try:
            await self._begin(stream, since)
        except BaseException:
            stream.close()
            raise
        finally:
            self._rest()  # it may have ended before there was anything to follow
        if not stream.is_open:
            stream.close()
            raise UnavailableError(_STOPS if self._stopped else AWAY)
        return stream

    def wake(self) -> None:
        """Look for new mail, now or as soon as the look that is under way has ended."""
        self._poll_again = True
        if self._polling is None and self._seen is not None and not self._stopped:
            self._polling = ensureDeferred(self._poll_on())
            self._polling.addErrback(self._poll_failed)
            if self._polling.called:
                self._polling = None

    # Beginnings and ends of streams

    async def _begin(self, stream: Stream, since: str | None) -> None:
        await self._beginning.run(lambda: ensureDeferred(self._follow()))
        sequences = self._sequences
        if not since:
            self._audience.add(stream)
            now = await current_snapshot(self._database)
            stream.stand_at(sequences.write(Position(now)))
            stream.join(now)
            self._reactor.callLater(0, stream.begin)
            return
        position = sequences.read(since)
        now = await current_snapshot(self._database)
        if position.newest.next_xid > now.next_xid:
            raise InvalidInputError(_NOT_OURS)
        if stream.interest.all_public:
            check_age(position.seen, now)
        stream.stand_at(since)
        self._reactor.callLater(0, self._replay, stream, position)

    async def _follow(self) -> None:
        """Know where to begin, unless that is known."""
        if self._seen is None:
            self._seen = await current_snapshot(self._database)
            self._standing = Position(self._seen)
            self._polled_s = self._reactor.seconds()

    def _replay(self, stream: Stream, position: Position) -> None:
        stream.begin()
        tools = Tools(
            self._database,
            self._forms,
            self._sequences,
            self._backlog,
            self._replay_turn,
            self._reactor,
        )
        running = ensureDeferred(
            self._replaying(Replay(stream, tools, self._join), stream, position)
        )
        if not running.called:
            self._replays.add(running)
            running.addBoth(lambda _: self._replays.discard(running))

    async def _replaying(self, replay: Replay, stream: Stream, position: Position) -> None:
        try:
            await replay.run(position)
        except UnavailableError:
            stream.lose(AWAY)
        except InvalidInputError as e:
            stream.lose(e.public)
        except Exception:  # noqa: BLE001  one stream's failure
            _log.failure("a replay failed")
            stream.lose(BROKEN)

    def _join(self, stream: Stream) -> None:
        self._audience.add(stream)

    def _ended(self, stream: Stream) -> None:
        self._streams.pop(stream, None)
        self._audience.discard(stream)
        self._rest()

    def _rest(self) -> None:
        if not self._streams and self._polling is None:
            self._seen = self._standing = None

    def _lose_all(self, reason: str) -> None:
        for stream in tuple(self._streams):
            stream.lose(reason)

    def _where(self, joined: Snapshot) -> str | None:
        if self._standing is None or not self._standing.seen.includes(joined):
            return None
        return self._sequences.write(self._standing)

    # Looking for new mail

    def _lost_notices(self) -> None:
        self._may_have_missed = True
        self.wake()

    def _tick(self) -> None:
        missed, self._may_have_missed = self._may_have_missed, not self._notices.listening
        since_s = self._reactor.seconds() - self._polled_s
        if self._streams and (missed or since_s > POLL_AT_LEAST_EVERY_S):
            self.wake()

    async def _poll_on(self) -> None:
        while self._poll_again and self._streams and not self._stopped:
            self._poll_again = False
            began_s = self._reactor.seconds()
            await self._poll()
            gap_s = MIN_GAP_S - (self._reactor.seconds() - began_s)
            if self._poll_again and gap_s > 0:
                await deferLater(self._reactor, gap_s)
        self._polling = None
        self._rest()

    def _poll_failed(self, failure: Any) -> None:
        _log.failure("looking for new mail failed", failure)
        self._polling = None
        self._lose_all(BROKEN)
        self._rest()

    async def _poll(self) -> None:
        seen = self._seen
        if seen is None:
            return
        try:
            events = await events_after(self._database, seen)
        except UnavailableError:
            await self._pause()
            self._poll_again = True
            return
        self._polled_s = self._reactor.seconds()
        if not _is_next(seen, events.now):
            self._lose_all(TOO_LATE)
            self._seen = events.now
            self._standing = Position(events.now)
            return
        await self._tell(seen, events)
        self._seen = events.reached
        self._standing = Position(events.reached)
        self._poll_again = self._poll_again or events.more

    async def _tell(self, seen: Snapshot, events: Events) -> None:
        matches = [
            (xid, arrival, streams)
            for xid, arrival in events.arrivals
            if (streams := self._audience.of(arrival))
        ]
        last_id = events.arrivals[-1][1].id if events.arrivals else ""
        while matches and self._streams:
            keys = [(arrival.inbox, arrival.id) for _, arrival, _ in matches[:MAX_AT_ONCE]]
            try:
                rendered, count = await self._forms.find(keys, max_bytes=_GROUP_BYTES)
            except UnavailableError:
                await self._pause()
                continue
            by_id = {each.found.message.id: each for each in rendered}
            for match in matches[:count]:
                found = by_id.get(match[1].id)
                if found is not None:
                    reached = events.reached
                    last = match[1].id == last_id
                    self._push(
                        match,
                        found,
                        Position(reached) if last else Position(seen, reached, match[1].id),
                    )
            del matches[:count]

    def _push(self, match: _Match, rendered: Rendered, position: Position) -> None:
        xid, _, streams = match
        there = [s for s in streams if rendered.found.is_there_for(s.interest.account)]
        if not there:
            return
        self._standing = position
        what = pushed(rendered, self._sequences.write(position))
        for stream in there:
            stream.offer(what, xid)
        self._count(there)
        self._relieve()

    def _count(self, streams: Sequence[Stream]) -> None:
        """The first push of a message is free, for each account."""
        if self._usage is None:
            return
        accounts = [s.interest.account for s in streams if s.interest.account is not None]
        for account in set(accounts):
            if (more := accounts.count(account) - 1) > 0:
                self._usage.count(account, PUSH, more)

    def _relieve(self) -> None:
        while self._backlog.exceeded:
            max(self._streams, key=lambda s: s.waiting_bytes).lose(OVERLOADED)

    async def _pause(self) -> None:
        await deferLater(self._reactor, TICK_S)


def _is_next(seen: Snapshot, now: Snapshot) -> bool:
    """Whether all that came after ``seen`` is still there, and the database the same."""
    return now.next_xid >= seen.next_xid and now.taken_ms - seen.taken_ms <= EVENTS_LAST_MS
