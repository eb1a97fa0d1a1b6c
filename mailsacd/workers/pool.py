"""The worker processes: one for each number, and another one when it ends, hangs or is outdated."""

from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.mail.records.figure_memory import free_slot
from mailsacd.ports import Sockets
from mailsacd.settings import Settings
from mailsacd.work.loop import Loop
from mailsacd.work.process import STOP_WITHIN_S
from mailsacd.workers.pipe import SharedFiles
from mailsacd.workers.process import WorkerProcess

STOP_TIMEOUT_S: Final = STOP_WITHIN_S - 1.0
"""So long may workers take to end, before they are killed."""

RESTART_DELAYS_S: Final = (0.0, 0.2, 1.0, 2.0, 5.0)  # the last one again and again
STEADY_AFTER_S: Final = 60.0  # after a worker ran for so long the next is started without delay

_LOOK_EVERY_S: Final = 1.0

_log = Logger()


def seats(workers: int) -> int:
    """Return how many processes there may be of so many ``workers``: one may be taking over."""
    return workers + 1


class WorkerPool:
    """Workers that serve ``sockets``, those of each number; what they have in common
    is in ``shared`` files.

    Of a number at most one runs, but for the moment in which one takes over from another.
    """

    def __init__(self, sockets: list[Sockets], shared: SharedFiles, reactor: Any) -> None:
        self._sockets = sockets
        self._shared = shared
        self._limits = LimitMemory(shared.limits)
        self._free_seats = set(range(seats(len(sockets))))
        self._reactor = reactor
        self._settings: Settings | None = None
        self._running: dict[int, WorkerProcess] = {}
        self._changing: set[WorkerProcess] = set()  # who begins to take over, or has been replaced
        self._failures: dict[int, int] = {}
        self._coming: dict[int, IDelayedCall] = {}
        self._serving = False
        self._all_ready: Deferred[None] = Deferred()
        self._all_ended: Deferred[None] | None = None
        self._changes: dict[WorkerProcess, Deferred[None]] = {}
        self._watching = Loop("watch the workers", self._look, every_s=_LOOK_EVERY_S, clock=reactor)

    def spawn(self) -> None:
        """Start them all. They load their code, and wait for their job."""
        for number in range(len(self._sockets)):
            self._spawn(number)
        self._watching.start()

    async def serve(self, settings: Settings) -> None:
        """Give them their job, and return when all serve.

        Raises ConfigurationError when one does not, and what `give_up` was given.
        """
        self._settings = settings
        for worker in self._running.values():
            worker.give_job(settings)
        await self._all_ready
        self._serving = True

    def give_up(self, why: Exception) -> None:
        """Have a `serve` that is under way raise ``why``."""
        if not self._all_ready.called:
            self._all_ready.errback(why)

    def reload_certificates(self) -> None:
        """Have all of them read the certificate again."""
        for worker in (*self._running.values(), *self._changing):
            worker.reload()

    async def replace(self, settings: Settings) -> None:
        """Replace one worker after the other by one with ``settings``; return when all are.

        The next one serves before the former one ends its sessions. Raises ConfigurationError when
        one cannot serve with these settings: then those that are not replaced yet go on.
        """
        for number in range(len(self._sockets)):
            next_ = self._spawned(number, settings)
            self._changing.add(next_)
            while not (next_.is_ready or next_.has_ended):
                await self._change_of(next_)
            if next_.has_ended:
                raise ConfigurationError(next_.last_words)
            self._settings = settings
            await self._take_over(number, next_)

    async def stop(self) -> None:
        """End all of them; what does not end in time is killed."""
        self._watching.halt()
        self._all_ended = Deferred()
        self._all_ready.addErrback(lambda _: None)  # whoever ends them knows
        for call in self._coming.values():
            call.cancel()
        left = (*self._running.values(), *self._changing)
        for worker in left:
            worker.stop()
        if not left:
            return
        killing = self._reactor.callLater(STOP_TIMEOUT_S, self._kill)
        await self._all_ended
        if killing.active():
            killing.cancel()

    def _spawn(self, number: int) -> None:
        self._coming.pop(number, None)
        self._running[number] = self._spawned(number, self._settings)

    def _spawned(self, number: int, settings: Settings | None) -> WorkerProcess:
        others = (*self._running.values(), *self._changing)
        slot = free_slot(number + 1, {other.slot for other in others})
        place = slot, self._free_seats.pop()
        worker = WorkerProcess(number + 1, place, self._reactor, self._changed)
        worker.spawn(self._sockets[number], self._shared)
        if settings is not None:
            worker.give_job(settings)
        return worker

    async def _take_over(self, number: int, next_: WorkerProcess) -> None:
        """Have ``next_``, which serves, be the one of its ``number``, and the former one end."""
        self._changing.discard(next_)
        if coming := self._coming.pop(number, None):
            coming.cancel()
        former = self._running.get(number)
        self._running[number] = next_
        if former is None:
            return
        self._changing.add(former)
        former.stop()
        killing = self._reactor.callLater(STOP_TIMEOUT_S, former.kill)
        while not former.has_ended:
            await self._change_of(former)
        if killing.active():
            killing.cancel()

    def _change_of(self, worker: WorkerProcess) -> Deferred[None]:
        """Fires when ``worker`` is ready, or has ended."""
        change = self._changes[worker] = Deferred()
        return change

    def _changed(self, worker: WorkerProcess) -> None:
        if worker.has_ended:
            self._ended(worker)
        elif not self._all_ready.called and all(w.is_ready for w in self._running.values()):
            self._all_ready.callback(None)
        change = self._changes.pop(worker, None)
        if change is not None and not change.called:  # it is, when whoever waited gave up
            change.callback(None)

    def _ended(self, worker: WorkerProcess) -> None:
        self._limits.clear_seat(worker.seat)  # a peer is given back what it had open there
        self._free_seats.add(worker.seat)
        number = worker.number - 1
        is_current = self._running.get(number) is worker
        if is_current:
            del self._running[number]
        self._changing.discard(worker)
        if self._all_ended is not None:
            if not (self._running or self._changing or self._all_ended.called):
                self._all_ended.callback(None)
        elif is_current and not self._serving:
            self.give_up(ConfigurationError(worker.last_words))
        elif is_current:
            self._replace_dead(worker)

    def _replace_dead(self, worker: WorkerProcess) -> None:
        delay_s = self._next_delay_s(worker)
        _log.error(
            "worker {n} ended: {why}; the next one begins in {delay_s} s",
            n=worker.number, why=worker.last_words, delay_s=delay_s,
        )  # fmt: skip
        number = worker.number - 1
        self._coming[number] = self._reactor.callLater(delay_s, self._spawn, number)

    def _next_delay_s(self, worker: WorkerProcess) -> float:
        number = worker.number
        if self._reactor.seconds() - worker.started_s > STEADY_AFTER_S:
            self._failures[number] = 0
        failures = self._failures.get(number, 0)
        self._failures[number] = failures + 1
        return RESTART_DELAYS_S[min(failures, len(RESTART_DELAYS_S) - 1)]

    def _look(self) -> None:
        for worker in (*self._running.values(), *self._changing):
            worker.look_at(_LOOK_EVERY_S)

    def _kill(self) -> None:
        for worker in (*self._running.values(), *self._changing):
            _log.error("worker {n} does not end: it is killed", n=worker.number)
            worker.kill()
