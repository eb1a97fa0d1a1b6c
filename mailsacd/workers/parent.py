"""The parent of the workers: it owns the ports, the database and ``ready.json``, and serves nobody.

It keeps a listening socket for each worker and port, so the queue of new connections outlives a
worker that dies: whoever is in it waits for the next one.
"""

import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from math import inf
from pathlib import Path
from typing import Any, Final

from twisted.logger import Logger

from mailsacd.announcement import announce
from mailsacd.certificate import CertificateStore
from mailsacd.core import limit_memory
from mailsacd.core.errors import MailsacdError
from mailsacd.data import Data, hostname_of, make_data_dir, open_data
from mailsacd.mail.records import figure_memory
from mailsacd.ports import BACKLOG, Sockets, bind_shared
from mailsacd.settings import Settings
from mailsacd.work.loop import Loop
from mailsacd.work.signals import on_signal
from mailsacd.workers.pipe import SharedFiles
from mailsacd.workers.pool import WorkerPool, seats
from mailsacd.workers.reload import changed_names, taken_over
from mailsacd.workers.share import check_connections, share, with_workers_counted

_CONNECTIONS: Final = 1

_log = Logger()


class Workers:
    """A whole mailsacd in several processes: as assembly's Daemon to whoever starts it."""

    def __init__(
        self, settings: Settings, reactor: Any, open_: Sockets, read: Callable[[], Settings]
    ) -> None:
        """``server.workers`` is how many there will be; ``open_`` are ports that are open.

        ``read`` reads the settings anew, and raises MailsacdError for what are none.
        """
        self._settings = settings
        self._open = open_
        self._read = read
        self._reactor = reactor
        self._closing = AsyncExitStack()
        self._pool: WorkerPool | None = None

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
        if self._pool is not None:
            self._pool.give_up(_GivenUpError())

    async def stop(self) -> None:
        """End the workers, then what they stand on. No message that was acknowledged is lost."""
        await self._closing.aclose()

    async def _build(self) -> None:
        settings, closing = self._settings, self._closing
        check_connections(settings)
        directory = make_data_dir(settings)
        _check_certificate(settings, directory)
        sockets = bind_shared(settings, settings.server.workers, self._open)
        closing.callback(_close, sockets)
        shared = SharedFiles(
            limits=limit_memory.shared_file(seats(settings.server.workers)),
            figures=figure_memory.shared_file(),
        )
        for descriptor in (shared.limits, shared.figures):
            closing.callback(os.close, descriptor)
        pool = self._pool = WorkerPool(sockets, shared, self._reactor)
        async with AsyncExitStack() as failing:
            failing.push_async_callback(pool.stop)
            pool.spawn()  # they load their code while the database starts
            data = await open_data(settings, closing, self._reactor, connections=_CONNECTIONS)
            closing.push_async_exit(failing.pop_all())
        closing.callback(_close, sockets)  # nobody waits in a queue that nobody serves any more
        for each in (each for of_worker in sockets for each in of_worker.values()):
            each.listen(BACKLOG)
        await pool.serve(share(settings, dsn=data.dsn, data_dir=directory))
        self._reload_on_sighup(pool, data)
        ports = {name: each.getsockname()[1] for name, each in sockets[0].items()}
        announce(settings, data, ports, closing)

    def _reload_on_sighup(self, pool: WorkerPool, data: Data) -> None:
        async def reload() -> None:
            await self._reload(pool, data)

        reloading = Loop("reload", reload, every_s=inf, clock=self._reactor, cancels=True)
        reloading.start(inf)
        self._closing.push_async_callback(reloading.stop)
        self._closing.callback(on_signal(signal.SIGHUP, reloading.wake, self._reactor))

    async def _reload(self, pool: WorkerPool, data: Data) -> None:
        """Take over what has changed in the settings, and the certificate."""
        settings = self._settings_anew(data)
        if settings == self._settings:
            pool.reload_certificates()
            return
        names = ", ".join(changed_names(self._settings, settings))
        _log.info("settings read again, and the workers are replaced: {names}", names=names)
        try:
            await pool.replace(share(settings, dsn=data.dsn, data_dir=data.directory))
        except MailsacdError as e:
            _stays(e)
        else:
            self._settings = settings
            _log.info("all workers have the new settings")

    def _settings_anew(self, data: Data) -> Settings:
        """The settings as they are now, or those in force when they are not good."""
        try:
            settings, refused = taken_over(self._settings, with_workers_counted(self._read()))
            check_connections(settings)
            _check_certificate(settings, data.directory)
        except MailsacdError as e:
            _stays(e)
            return self._settings
        for name in refused:
            _log.warn("{name} stays as it was: it is read at the start alone", name=name)
        return settings


def _stays(why: MailsacdError) -> None:
    _log.error("the settings stay as they were: {why}", why=why.public)


def _check_certificate(settings: Settings, directory: Path) -> None:
    """Raises ConfigurationError for one that is not good; makes one where there is to be one."""
    CertificateStore(settings.tls, data_dir=directory, hostname=hostname_of(settings))


def _close(sockets: list[Sockets]) -> None:
    for of_worker in sockets:
        for each in of_worker.values():
            each.close()


class _GivenUpError(Exception):
    """The daemon was stopped before it had started."""
