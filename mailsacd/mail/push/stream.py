"""One subscriber's stream of messages: in order, none missed, none twice, and bounded in memory.

A subscriber that is full has its messages wait here. What would go over the bounds ends the stream;
its client may open another that goes on from the last sequence it got.
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import Final, Protocol

from twisted.logger import Logger

from mailsacd.core.event import Interest, Pushed, Snapshot

MAX_WAITING_MESSAGES: Final = 1_000
MAX_WAITING_BYTES: Final = 33_554_432  # of one stream; what is being rendered counts, too
MAX_BACKLOG_BYTES: Final = 134_217_728  # of all streams; what several wait for counts once
"""These count pushed forms as JSON; what edges make of them comes on top."""

SLOW: Final = "You read too slowly: too much was waiting. Go on with the last sequence you got"
BROKEN: Final = "Something is wrong here. Go on with the last sequence you got"
OVERLOADED: Final = "Too much is waiting here. Go on with the last sequence you got"


_log = Logger()


class Subscriber(Protocol):
    """What an edge gives to a stream. Its calls may not raise."""

    @property
    def full(self) -> bool:
        """Whether nothing may be pushed now; when that ends, `Stream.resume` is to be called."""

    def push(self, pushed: Pushed) -> None:
        """Take the next message; called only while not ``full``."""

    def lost(self, reason: str) -> None:
        """The stream has ended; ``reason`` is a sentence for people. Nothing comes after it."""


class Backlog:
    """The bytes of all that waits in all ``streams``, each message counted once."""

    def __init__(self, streams: Collection["Stream"]) -> None:
        self.streams = streams
        self.held_bytes = 0
        self._holders: dict[Pushed, int] = {}

    @property
    def tight(self) -> bool:
        """Whether so much waits that nothing should be added that can wait elsewhere."""
        return self.held_bytes > MAX_BACKLOG_BYTES // 2

    @property
    def exceeded(self) -> bool:
        """Whether more waits than MAX_BACKLOG_BYTES."""
        return self.held_bytes > MAX_BACKLOG_BYTES

    def holds(self, pushed: Pushed) -> bool:
        """Whether any stream has ``pushed`` waiting."""
        return pushed in self._holders

    def take(self, pushed: Pushed) -> None:
        """Count one more stream that has ``pushed`` waiting."""
        holders = self._holders.get(pushed, 0)
        self._holders[pushed] = holders + 1
        if not holders:
            self.held_bytes += pushed.cost_bytes

    def give(self, pushed: Pushed) -> None:
        """Count one stream less that has ``pushed`` waiting."""
        holders = self._holders[pushed] - 1
        if holders:
            self._holders[pushed] = holders
        else:
            del self._holders[pushed]
            self.held_bytes -= pushed.cost_bytes


class Stream:
    """Made by `mail.push.hub.Hub.open`. An edge uses `resume`, `close` and `sequence`.

    ``ended`` is called once, when it has been closed or lost. ``standing`` tells the sequence of
    a stream that has been given all there was, if that is not before a snapshot.
    """

    def __init__(
        self,
        interest: Interest,
        subscriber: Subscriber,
        backlog: Backlog,
        *,
        ended: Callable[["Stream"], None],
        standing: Callable[[Snapshot], str | None],
    ) -> None:
        self.interest = interest
        self.is_open = True
        self.waiting_bytes = 0
        self._subscriber = subscriber
        self._backlog = backlog
        self._ended = ended
        self._standing = standing
        self._sequence = ""
        self._begun = False
        self._lost_reason = ""
        self._joined: Snapshot | None = None
        self._queue: deque[Pushed] = deque()  # to be pushed now
        self._later: deque[tuple[int, Pushed]] = deque()  # once the replay has ended
        self._when_drained: Callable[[], None] | None = None
        self._flushing = False

    @property
    def sequence(self) -> str:
        """Where the subscriber stands: after the last message that was pushed, or further."""
        if self._joined is not None and not self._queue:
            return self._standing(self._joined) or self._sequence
        return self._sequence

    def resume(self) -> None:
        """Go on pushing: the subscriber is no longer full."""
        self._flush()

    def close(self) -> None:
        """The subscriber has gone. Doing it again changes nothing."""
        self._lost_reason = ""
        if not self.is_open:
            return
        self.is_open = False
        while self._queue:
            self._give(self._queue.popleft())
        while self._later:
            self._give(self._later.popleft()[1])
        self._ended(self)
        self._drained()

    # What the hub and the replay use

    def lose(self, reason: str) -> None:
        """End it, and tell the subscriber, once it has begun."""
        if self.is_open:
            self.close()
            self._lost_reason = reason
            self._tell_lost()

    def begin(self) -> None:
        """Begin to push: the subscriber is ready."""
        self._begun = True
        self._tell_lost()
        self._flush()

    def stand_at(self, sequence: str) -> None:
        """Nothing was pushed yet, and this is where it goes on from."""
        self._sequence = sequence

    def offer(self, pushed: Pushed, xid: int) -> None:
        """A message that was stored now, by the transaction ``xid``."""
        if not self.is_open:
            return
        if self._joined is None:
            self._take(pushed)
            self._later.append((xid, pushed))
            self._check_bounds()
        elif not self._joined.sees(xid):
            self.replay(pushed)

    def withdraw(self, pushed: Pushed) -> None:
        """The message is not for this subscriber after all."""
        if pushed in self._queue:
            self._queue.remove(pushed)
            self._give(pushed)
        else:
            kept = [(xid, later) for xid, later in self._later if later is not pushed]
            if len(kept) < len(self._later):
                self._later = deque(kept)
                self._give(pushed)
        self._flush()

    def replay(self, pushed: Pushed) -> None:
        """A message that is the next one in any case."""
        if self.is_open:
            self._take(pushed)
            self._queue.append(pushed)
            self._flush()
            self._check_bounds()

    def join(self, seen: Snapshot) -> None:
        """All that ``seen`` sees has been replayed; what is stored later follows."""
        self._joined = seen
        later, self._later = self._later, deque()
        for xid, pushed in later:
            if seen.sees(xid):
                self._give(pushed)
            else:
                self._queue.append(pushed)
        self._flush()

    def when_drained(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` once: when nothing waits and there is room, or the stream has ended."""
        self._when_drained = go_on
        self._drained()

    def _tell_lost(self) -> None:
        if self._begun and self._lost_reason:
            reason, self._lost_reason = self._lost_reason, ""
            try:
                self._subscriber.lost(reason)
            except Exception:  # noqa: BLE001  one subscriber's failure must not be the others'
                _log.failure("a subscriber could not be told that its stream ended")

    def _take(self, pushed: Pushed) -> None:
        self.waiting_bytes += pushed.cost_bytes
        self._backlog.take(pushed)

    def _give(self, pushed: Pushed) -> None:
        self.waiting_bytes -= pushed.cost_bytes
        self._backlog.give(pushed)

    def _check_bounds(self) -> None:
        count = len(self._queue) + len(self._later)
        if count > MAX_WAITING_MESSAGES or (count > 1 and self.waiting_bytes > MAX_WAITING_BYTES):
            self.lose(SLOW)

    def _flush(self) -> None:
        if self._flushing:
            return  # the subscriber resumes while it is pushed to
        self._flushing = True
        try:
            while self._may_push():
                pushed = self._queue.popleft()
                self._give(pushed)
                self._sequence = pushed.sequence
                self._subscriber.push(pushed)
        except Exception:  # noqa: BLE001  one subscriber's failure must not be the others'
            _log.failure("a subscriber failed")
            self.lose(BROKEN)
        finally:
            self._flushing = False
        self._drained()

    def _may_push(self) -> bool:
        """A message that is not rendered yet holds up those after it."""
        return bool(
            self._queue and self._queue[0].json and self._begun and not self._subscriber.full
        )

    def _drained(self) -> None:
        if self.is_open and (not self._begun or self._queue or self._subscriber.full):
            return
        go_on, self._when_drained = self._when_drained, None
        if go_on is not None:
            go_on()
