"""Lanes of threads: what takes long runs in one of them, and not on the reactor.

Each kind of work has a lane with threads of its own, so that none can starve another. What waits
in a lane is bounded by number and bytes, and what nobody waits for any more is not begun. All
threads share one interpreter (docs/adr/0019-lanes-and-loops.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final, Generic, TypeVar

from twisted.internet.defer import Deferred, execute, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from mailsacd.core.errors import OverloadedError, UnavailableError
from mailsacd.core.figures import Figures
from mailsacd.work.ending import ended_within
from mailsacd.work.process import end_without_waiting

T = TypeVar("T")

LARGE_BYTES: Final = 32_768
"""What has more bytes is large: its work is done in a lane, and that of what is smaller at once.

Rendering so much takes 2 ms, and 15 ms when it was written to take long.
"""

STOP_S: Final = 2.0
"""So long may take what is under way in a thread when the daemon stops."""

_log = Logger()


class Lane:
    """A bounded line before a few threads; ``name`` is in the log and in the threads' names.

    ``threads`` run at a time. At most ``max_waiting`` wait, and ``max_waiting_bytes`` of their
    sizes together, or one that is larger than that.
    """

    def __init__(
        self, name: str, *, threads: int, max_waiting: int, max_waiting_bytes: int, reactor: Any
    ) -> None:
        self._name = name
        self._max_waiting = max_waiting
        self._max_waiting_bytes = max_waiting_bytes
        self._reactor = reactor
        self._free = threads
        self._waiting: dict[_Job[Any], None] = {}  # in the order in which they came
        self._waiting_bytes = 0
        self._running: dict[Deferred[None], None] = {}
        self._pool = _Pool(minthreads=0, maxthreads=threads, name=name)
        self._stopped = False
        self.declare(Figures())

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how the lane stands."""
        name = self._name
        figures.gauge(
            "mailsacd_lane_running",
            "Work that a thread is at",
            lambda: len(self._running),
            lane=name,
        )
        figures.gauge(
            "mailsacd_lane_waiting",
            "Work that waits for a thread",
            lambda: len(self._waiting),
            lane=name,
        )
        self._refused = figures.counter(
            "mailsacd_lane_refused_total", "Work that found its lane full", lane=name
        )

    def run(self, size: int, work: Callable[[], T]) -> Deferred[T]:
        """The result of ``work`` on something of ``size`` bytes: large in a thread, else now.

        Fails with what ``work`` raises; OverloadedError when too much waits; UnavailableError
        when the daemon stops. When it is cancelled the work is not begun; if it is under way, what
        it returns is thrown away.
        """
        if size <= LARGE_BYTES:
            return execute(work)
        return self.run_in_thread(work, size)

    def run_in_thread(self, work: Callable[[], T], size: int = 0) -> Deferred[T]:
        """As `run`, for what takes long or waits for something, whatever its size."""
        job = _Job(work, size, self._given_up)
        if self._stopped:
            job.done.errback(UnavailableError("The daemon is stopping, try again later"))
        elif self._free:
            self._begin(job)
        elif not self._has_room(size):
            self._refused.add()
            job.done.errback(OverloadedError("Too much is waiting for its turn, try again later"))
        else:
            self._waiting[job] = None
            self._waiting_bytes += size
        return job.done

    async def stop(self) -> bool:
        """Begin nothing any more. Returns whether all threads have ended, after STOP_S at most."""
        self._stopped = True
        while self._waiting:
            self._take().done.errback(UnavailableError("The daemon is stopping"))
        if not await ended_within(STOP_S, self._running, self._reactor):
            _log.warn("{n} threads of {lane} go on", n=len(self._running), lane=self._name)
            return False
        if self._pool.started:
            self._pool.stop()
        return True

    def _has_room(self, size: int) -> bool:
        if not self._waiting:
            return self._max_waiting > 0
        return (
            len(self._waiting) < self._max_waiting
            and self._waiting_bytes + size <= self._max_waiting_bytes
        )

    def _take(self) -> "_Job[Any]":
        job = next(iter(self._waiting))
        self._leave(job)
        return job

    def _leave(self, job: "_Job[Any]") -> None:
        del self._waiting[job]
        self._waiting_bytes -= job.size

    def _begin(self, job: "_Job[Any]") -> None:
        if not self._pool.started:
            self._pool.start()
        self._free -= 1
        ended: Deferred[None] = Deferred()
        self._running[ended] = None

        def tell(_: bool, outcome: Any) -> None:  # called in the thread
            self._reactor.callFromThread(self._ended, ended, job.done, outcome)

        self._pool.callInThreadWithCallback(tell, job.work)

    def _ended(self, ended: Deferred[None], done: Deferred[Any], outcome: Any) -> None:
        del self._running[ended]
        self._free += 1
        if self._waiting:
            self._begin(self._take())
        ended.callback(None)
        if done.called:  # it was cancelled: nobody wants the outcome
            return
        if isinstance(outcome, Failure):
            done.errback(outcome)
        else:
            done.callback(outcome)

    def _given_up(self, job: "_Job[Any]") -> None:
        if job in self._waiting:
            self._leave(job)


class _Job(Generic[T]):
    """Work with the size of what it is done on; ``done`` is for whoever waits for it."""

    __slots__ = ("done", "size", "work")

    def __init__(
        self, work: Callable[[], T], size: int, given_up: "Callable[[_Job[T]], None]"
    ) -> None:
        self.work = work
        self.size = size
        self.done: Deferred[T] = Deferred(lambda _: given_up(self))


class _DaemonThread(Thread):
    """What still runs in it does not keep the process alive."""

    def __init__(self, **options: Any) -> None:
        super().__init__(daemon=True, **options)


class _Pool(ThreadPool):
    """Has no thread before it is used."""

    threadFactory: type[Thread] = _DaemonThread  # noqa: N815  Twisted's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """All lanes of a process, by what they are for."""

    mail_in: Lane
    """Composes what is to be stored of mail that comes in."""
    readers: Lane
    """Renders stored messages for those who wait for an answer."""
    passwords: Lane
    """Hashes passwords; argon2 leaves the interpreter to others."""
    keys: Lane
    """Makes the keys that mail is signed with: up to 0.3 s each, in a thread of its own."""
    checks: Lane
    """Examines messages for who sent them."""
    rest: Lane
    """What the daemon does by itself: renderings to be pushed or posted, names to be looked up."""

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how all of them stand."""
        for lane in self._all:
            lane.declare(figures)

    async def stop(self) -> None:
        """Stop all at once. What then still runs in a thread does not keep the process alive."""
        ended = await gatherResults([Deferred.fromCoroutine(lane.stop()) for lane in self._all])
        if not all(ended):
            end_without_waiting()

    @property
    def _all(self) -> tuple[Lane, ...]:
        return (self.mail_in, self.readers, self.passwords, self.keys, self.checks, self.rest)


def make_lanes(reactor: Any) -> Lanes:
    """The lanes of a process. No thread is started before it is needed."""
    return Lanes(
        # its senders are held back before by the bound on mail in memory (core.budget)
        mail_in=Lane(
            "mail in", threads=2, max_waiting=1_000, max_waiting_bytes=536_870_912, reactor=reactor
        ),
        readers=Lane(
            "readers", threads=2, max_waiting=100, max_waiting_bytes=33_554_432, reactor=reactor
        ),
        passwords=Lane(
            "passwords", threads=2, max_waiting=40, max_waiting_bytes=0, reactor=reactor
        ),
        keys=Lane("keys", threads=1, max_waiting=20, max_waiting_bytes=0, reactor=reactor),
        # 200 may wait in mail.authentication.before, 50 in after, and 10 in on_request
        checks=Lane(
            "checks", threads=1, max_waiting=300, max_waiting_bytes=33_554_432, reactor=reactor
        ),
        rest=Lane(
            "rest", threads=3, max_waiting=100, max_waiting_bytes=67_108_864, reactor=reactor
        ),
    )
