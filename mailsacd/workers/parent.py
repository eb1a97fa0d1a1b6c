"""The parent of the workers: it owns the ports, the database and ``ready.json``, and serves nobody.

It keeps a listening socket for each worker and port, so the queue of new connections outlives a
worker that dies: whoever is in it waits for the next one.
"""

import os
import signal
from contextlib import AsyncExitStack
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from mailsacd.announcement import announce
from mailsacd.certificate import CertificateStore
from mailsacd.core.errors import ConfigurationError
from mailsacd.data import hostname_of, make_data_dir, open_data
from mailsacd.mail.limits.rate_memory import shared_file
from mailsacd.ports import BACKLOG, Sockets, bind_shared
from mailsacd.settings import Settings
from mailsacd.work.process import STOP_WITHIN_S
from mailsacd.work.signals import on_signal
from mailsacd.workers.process import WorkerProcess
from mailsacd.workers.share import check_connections, share

STOP_TIMEOUT_S: Final = STOP_WITHIN_S - 1.0
"""So long may workers take to end, before they are killed."""

RESTART_DELAYS_S: Final = (0.0, 0.2, 1.0, 2.0, 5.0)  # the last one again and again
STEADY_AFTER_S: Final = 60.0  # after a worker ran for so long the next is started without delay

_CONNECTIONS: Final = 1

_log = Logger()


class Workers:
    """A whole mailsacd in several processes: as assembly's Daemon to whoever starts it."""

    def __init__(self, settings: Settings, reactor: Any, open_: Sockets) -> None:
        """``server.workers`` is how many there will be; ``open_`` are ports that are open."""
        self._settings = settings
        self._open = open_
        self._reactor = reactor
        self._closing = AsyncExitStack()
        self._sockets: list[Sockets] = []
        self._rates = -1
        self._running: dict[int, WorkerProcess] = {}
        self._failures: dict[int, int] = {}
        self._coming: dict[int, IDelayedCall] = {}
        self._job: Settings | None = None
        self._all_ready: Deferred[None] = Deferred()
        self._all_ended: Deferred[None] | None = None
        self._serving = False

    async def start(self) -> None:
        """Return when all workers serve. Raises ConfigurationError, with all closed again."""
        try:
            await self._build()
        except _GivenUpError:
            await self._closing.aclose()
        except BaseException:
            await self._closing.aclose()
            raise

    def give_up(self) -> None:
        """Have a start that is under way end at its next step, with all closed again."""
        self._failed_to_start(_GivenUpError())

    async def stop(self) -> None:
        """End the workers, then what they stand on. No message that was acknowledged is lost."""
        await self._closing.aclose()

    async def _build(self) -> None:
        settings, closing = self._settings, self._closing
        check_connections(settings)
        directory = make_data_dir(settings)
        CertificateStore(settings.tls, data_dir=directory, hostname=hostname_of(settings))
        self._sockets = bind_shared(settings, settings.server.workers, self._open)
        closing.callback(self._close_sockets)
        self._rates = shared_file()
        closing.callback(os.close, self._rates)
        async with AsyncExitStack() as failing:
            failing.push_async_callback(self._end_workers)
            for number in range(len(self._sockets)):
                self._spawn(number)  # they load their code while the database starts
            data = await open_data(settings, closing, self._reactor, connections=_CONNECTIONS)
            closing.push_async_exit(failing.pop_all())
        closing.callback(self._close_sockets)  # nobody waits in a queue that nobody serves any more
        self._listen()
        self._job = share(settings, dsn=data.dsn, data_dir=directory)
        for worker in self._running.values():
            worker.give_job(self._job)
        await self._all_ready
        self._serving = True
        self._reload_on_sighup()
        announce(settings, data, self._ports(), closing)

    def _listen(self) -> None:
        for sockets in self._sockets:
            for each in sockets.values():
                each.listen(BACKLOG)

    def _ports(self) -> dict[str, int]:
        return {name: each.getsockname()[1] for name, each in self._sockets[0].items()}

    def _close_sockets(self) -> None:
        for sockets in self._sockets:
            for each in sockets.values():
                each.close()

    def _reload_on_sighup(self) -> None:
        def reload() -> None:
            for worker in self._running.values():
                worker.reload()

        self._closing.callback(on_signal(signal.SIGHUP, reload, self._reactor))

    # The workers

    def _spawn(self, number: int) -> None:
        self._coming.pop(number, None)
        worker = WorkerProcess(number + 1, self._reactor, self._changed)
        worker.spawn(self._sockets[number], self._rates)
        self._running[number] = worker
        if self._job is not None:
            worker.give_job(self._job)

    def _changed(self, worker: WorkerProcess) -> None:
        if worker.has_ended:
            self._ended(worker)
        elif not self._all_ready.called and all(w.is_ready for w in self._running.values()):
            self._all_ready.callback(None)

    def _ended(self, worker: WorkerProcess) -> None:
        number = worker.number - 1
        del self._running[number]
        if self._all_ended is not None:
            if not self._running and not self._all_ended.called:
                self._all_ended.callback(None)
        elif not self._serving:
            self._failed_to_start(ConfigurationError(worker.last_words))
        else:
            delay_s = self._next_delay_s(worker)
            _log.error(
                "worker {n} ended: {why}; the next one begins in {delay_s} s",
                n=worker.number, why=worker.last_words, delay_s=delay_s,
            )  # fmt: skip
            self._coming[number] = self._reactor.callLater(delay_s, self._spawn, number)

    def _next_delay_s(self, worker: WorkerProcess) -> float:
        number = worker.number
        if self._reactor.seconds() - worker.started_s > STEADY_AFTER_S:
            self._failures[number] = 0
        failures = self._failures.get(number, 0)
        self._failures[number] = failures + 1
        return RESTART_DELAYS_S[min(failures, len(RESTART_DELAYS_S) - 1)]

    def _failed_to_start(self, why: Exception) -> None:
        if not self._all_ready.called:
            self._all_ready.errback(why)

    async def _end_workers(self) -> None:
        self._all_ended = Deferred()
        self._all_ready.addErrback(lambda _: None)  # whoever ends them knows
        for call in self._coming.values():
            call.cancel()
        for worker in self._running.values():
            worker.stop()
        if not self._running:
            return
        killing = self._reactor.callLater(STOP_TIMEOUT_S, self._kill)
        await self._all_ended
        if killing.active():
            killing.cancel()

    def _kill(self) -> None:
        for worker in self._running.values():
            _log.error("worker {n} does not end: it is killed", n=worker.number)
            worker.kill()


class _GivenUpError(Exception):
    """The daemon was stopped before it had started."""
