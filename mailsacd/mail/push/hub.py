"""Tells listeners of mail as it is stored, on whatever node that was.

Here streams begin and end. What is new is found by mail.push.poller and told by
mail.push.fanout; what a stream has missed is read by mail.push.replay
(docs/adr/0007-events-by-snapshot.md).
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import DeferredSemaphore
from twisted.logger import Logger

from mailsacd.core.errors import InvalidInputError, UnavailableError
from mailsacd.core.event import Interest, Position, Snapshot
from mailsacd.core.sequence import Sequences
from mailsacd.mail.push.fanout import Counts, Fanout
from mailsacd.mail.push.payload import Payloads
from mailsacd.mail.push.poller import Poller
from mailsacd.mail.push.push_figures import PushFigures
from mailsacd.mail.push.replay import AT_ONCE, Replay, Tools, check_age
from mailsacd.mail.push.stream import BROKEN, OVERLOADED, Backlog, Stream, Subscriber
from mailsacd.mail.push.watches import Watch, Watches
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.store.events import Events, current_snapshot
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from mailsacd.work.tasks import Tasks

MAX_STREAMS: Final = 20_000

STOPPING: Final = "The server is stopping. Go on with the last sequence you got"
AWAY: Final = "The database is away. Go on with the last sequence you got, later"
MISSED: Final = "Messages may have been missed here. Go on with the last sequence you got"
_STOPS: Final = "The daemon is stopping, try again later"
_NOT_OURS: Final = "The sequence is of another database: start without one"

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTerms:
    """A message is pushed ``hold_s`` after it was stored, at the earliest; ``usage`` is told of
    pushes that count."""

    hold_s: float = 0.0
    usage: Counts | None = None


_AT_ONCE: Final = PushTerms()


class Hub:
    """Stops before the database does."""

    def __init__(
        self,
        database: Database,
        notices: Notices,
        forms: Payloads,
        sequences: Sequences,
        terms: PushTerms = _AT_ONCE,
        *,
        reactor: Any,
    ) -> None:
        self._database = database
        self._sequences = sequences
        self._reactor = reactor
        self._streams: dict[Stream, None] = {}
        self._watches = Watches()
        self._stopped = False
        # A replay for each stream; renderings of large messages are bounded by the backlog
        self._tasks = Tasks("push mail", most=2 * MAX_STREAMS, clock=reactor)
        self._backlog = Backlog(self._streams)
        self._poller = Poller(database, notices, self, hold_s=terms.hold_s, reactor=reactor)
        self._fanout = Fanout(
            forms,
            sequences,
            self._backlog,
            self._tasks,
            pause=self._poller.pause,
            usage=terms.usage,
        )
        turn = DeferredSemaphore(AT_ONCE)
        self._tools = Tools(database, forms, sequences, self._backlog, turn, terms.hold_s, reactor)
        self.wake = self._poller.wake
        self.start = self._poller.start

    def declare(self, telemetry: Telemetry) -> None:
        """Have ``telemetry`` tell of pushes, and of those who listen."""
        self._fanout.figures = PushFigures(telemetry, self._streams, self._reactor.seconds)

    async def stop(self) -> None:
        """End all streams; returns when nothing is under way."""
        self._stopped = True
        self._lose_all(STOPPING)
        await self._poller.stop()
        await self._tasks.finish()

    async def open(self, interest: Interest, since: str | None, subscriber: Subscriber) -> Stream:
        """A stream of what ``interest`` names: from now on, or after the sequence ``since``.

        What was stored less than a hold ago, of which nobody was told yet, comes from now on.
        Nothing is pushed before the reactor's next turn, so that the caller may write its greeting
        first. Raises InvalidInputError for a sequence that is not one, or too old for all public
        mail, and UnavailableError when the database is away.
        """
        if self._stopped or len(self._streams) >= MAX_STREAMS:
            raise UnavailableError(_STOPS if self._stopped else OVERLOADED)
        stream = Stream(
            interest, subscriber, self._backlog, ended=self._ended, standing=self._where
        )
        self._streams[stream] = None
        try:
            await self._begin(stream, since)
        except BaseException:
            stream.close()
            raise
        finally:
            self._poller.rest()  # it may have ended before there was anything to watch
        if not stream.is_open:
            stream.close()
            raise UnavailableError(_STOPS if self._stopped else AWAY)
        return stream

    async def watch(self, watch: Watch) -> None:
        """Wake ``watch`` for what is stored from now on, on whatever node.

        Whoever looks at what is there after this returns misses nothing. Doing it again changes
        nothing. `unwatch` is to be called in any case.
        Raises UnavailableError when the database is away.
        """
        if self._stopped:
            raise UnavailableError(_STOPS)
        self._watches.add(watch)
        await self._poller.begin()

    def unwatch(self, watch: Watch) -> None:
        """End a watch. Doing it again changes nothing."""
        self._watches.discard(watch)
        self._poller.rest()

    # As the poller's Follower

    @property
    def is_listening(self) -> bool:
        """Whether there is any stream, or anybody who watches."""
        return bool(self._streams or self._watches)

    def found(self, events: Events) -> None:
        """Wake those who look for themselves."""
        self._watches.found(arrival for _, arrival in events.arrivals)

    def tell(self, seen: Snapshot, events: Events) -> Awaitable[None]:
        """Give the events that are new since ``seen`` to the streams that wait for them."""
        return self._fanout.tell(seen, events)

    def missed(self) -> None:
        """End all streams, for events may have been missed: their clients resume."""
        self._watches.wake_all()
        self._lose_all(MISSED)

    def failed(self) -> None:
        """End all streams after a defect: what follows is uncertain."""
        self._watches.lose_all()
        self._lose_all(BROKEN)

    # Beginnings and ends of streams

    async def _begin(self, stream: Stream, since: str | None) -> None:
        await self._poller.begin()
        if since:
            position = self._sequences.read(since)
            now = await current_snapshot(self._database)
            if position.newest.next_xid > now.next_xid:
                raise InvalidInputError(_NOT_OURS)
            if stream.interest.all_public:
                check_age(position.seen, now)
            stream.stand_at(since)
            self._reactor.callLater(0, self._replay, stream, position)
        else:
            self._fanout.subscriptions.add(stream)
            now = await self._poller.before_the_held()
            stream.stand_at(self._sequences.write(Position(now)))
            stream.join(now)
            self._reactor.callLater(0, stream.begin)

    def _replay(self, stream: Stream, position: Position) -> None:
        stream.begin()
        if stream.is_open:
            self._tasks.run(self._replaying(stream, position))

    async def _replaying(self, stream: Stream, position: Position) -> None:
        try:
            await Replay(stream, self._tools, self._fanout.subscriptions.add).run(position)
        except UnavailableError:
            stream.lose(AWAY)
        except InvalidInputError as e:
            stream.lose(e.public)
        except Exception:  # noqa: BLE001  one stream's failure
            _log.failure("a replay failed")
            stream.lose(BROKEN)

    def _ended(self, stream: Stream) -> None:
        self._streams.pop(stream, None)
        self._fanout.subscriptions.discard(stream)
        self._poller.rest()

    def _lose_all(self, reason: str) -> None:
        for stream in tuple(self._streams):
            stream.lose(reason)

    def _where(self, joined: Snapshot) -> str | None:
        """The sequence of a stream that joined at a snapshot and has been told all there was."""
        standing = self._fanout.standing
        if standing is None or not standing.seen.includes(joined):
            return None
        return self._sequences.write(standing)
