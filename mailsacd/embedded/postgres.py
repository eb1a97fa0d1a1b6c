"""The private PostgreSQL of a daemon that was given no other: a supervised child process.

Whoever holds the lock file beside the data runs the server; another daemon on the same data
attaches to it, and takes over when the first one goes. Only the programs are used: no pg_ctl, no
daemonising, nothing that blocks the reactor.
"""

import contextlib
import fcntl
import os
import signal
from math import inf
from pathlib import Path
from typing import Any, Final

from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.embedded.binaries import choose_binaries
from mailsacd.embedded.cluster import DATABASE_USER, PORT, Cluster
from mailsacd.embedded.server import Server
from mailsacd.work.loop import Loop

START_TIMEOUT_S: Final = 600.0  # after a crash it first redoes what it had not yet written
ORPHANS_END_S: Final = 60.0
TAKE_OVER_INTERVAL_S: Final = 0.5
RESTART_DELAYS_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0)  # the last one again and again
STEADY_AFTER_S: Final = 60.0  # a server that ran for so long is restarted without delay again

_POLL_S: Final = 0.02
_Stages = tuple[tuple[int, signal.Signals], ...]
# Which signal after how many seconds: a fast shutdown, an immediate one, a kill
_POSTMASTER_STAGES: Final[_Stages] = (
    (40, signal.SIGKILL),
    (20, signal.SIGQUIT),
    (0, signal.SIGINT),
)
# Without their postmaster they end by themselves, but for those that are stuck
_BACKEND_STAGES: Final[_Stages] = ((3, signal.SIGKILL),)

_log = Logger()


class EmbeddedPostgres:
    """The server of one data directory. It is started, restarted and stopped here."""

    def __init__(self, data_dir: Path, *, bin_dir: str, reactor: Any) -> None:
        self._bin_dir = bin_dir
        self._reactor = reactor
        self._cluster = Cluster(data_dir)
        self._lock: int | None = None
        self._server: Server | None = None
        self._is_up = False
        self._failures = 0
        self._stopping = False
        self._restarting = Loop(
            "restart PostgreSQL",
            self._serve_again,
            every_s=RESTART_DELAYS_S[-1],
            clock=reactor,
            cancels=True,
        )
        self._waiting_for_lock = Loop(
            "take over PostgreSQL",
            self._try_to_take_over,
            every_s=TAKE_OVER_INTERVAL_S,
            clock=reactor,
        )

    @property
    def dsn(self) -> str:
        """The connection string by which libpq reaches the server."""
        directory = str(self._cluster.socket_directory())
        quoted = directory.replace("\\", "\\\\").replace("'", "\\'")
        return f"host='{quoted}' port={PORT} user={DATABASE_USER} dbname=postgres"

    @property
    def is_made(self) -> bool:
        """Whether there is a database to be served. Raises OSError and ConfigurationError."""
        return self._cluster.major is not None

    @property
    def attached(self) -> bool:
        """Whether another daemon runs the server."""
        return self._lock is None

    async def start(self) -> None:
        """Return when the server takes connections. Raises ConfigurationError."""
        try:
            self._cluster.make_home()
            deadline = self._reactor.seconds() + START_TIMEOUT_S
            while not self._take_lock():
                if self._is_ready():
                    _log.info("another daemon runs the PostgreSQL in {d}", d=str(self._cluster))
                    self._waiting_for_lock.start()
                    return
                if self._reactor.seconds() > deadline:
                    raise ConfigurationError(
                        f"another daemon holds the PostgreSQL in {self._cluster}, "
                        f"and it is not ready after {START_TIMEOUT_S:g} s"
                    )
                await deferLater(self._reactor, _POLL_S)
            await self._serve()
        except OSError as e:
            raise ConfigurationError(f"cannot run PostgreSQL in {self._cluster}: {e}") from e

    async def stop(self) -> None:
        """Stop the server, if it is ours. Every connection should be closed before."""
        self._stopping = True
        self._waiting_for_lock.halt()
        await self._restarting.stop()
        if self._server is not None:
            await self._server.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # The lock

    def _take_lock(self) -> bool:
        lock = os.open(self._cluster.home / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def _try_to_take_over(self) -> float | None:
        try:
            taken = self._take_lock()
        except OSError as e:  # such as no more open files: the next look may do
            _log.warn("cannot look after the other daemon: {why}", why=str(e))
            return None
        if not taken:
            return None
        _log.info("the other daemon is gone: taking over its PostgreSQL")
        self._restarting.start(0)
        return inf

    # The server

    async def _serve(self) -> None:
        """Start the server. Raises ConfigurationError and OSError."""
        cluster = self._cluster
        binaries = await choose_binaries(
            cluster.user,
            self._reactor,
            wanted=self._bin_dir,
            existing_major=cluster.major,
            copy_to=cluster.home / "pgbin",
        )
        if cluster.major is None:
            await cluster.make(binaries.directory / "initdb", self._reactor)
        await self._stop_orphans()
        server = Server(self._reactor, self._ended)
        server.spawn(cluster, binaries)
        self._server = server
        await self._until_ready(server)
        self._is_up = True

    def _is_ready(self) -> bool:
        found = self._cluster.postmaster()
        return found is not None and found.ready and self._cluster.is_served_by(found.pid)

    async def _until_ready(self, server: Server) -> None:
        deadline = self._reactor.seconds() + START_TIMEOUT_S
        while not self._is_ready():
            if server.has_ended:
                raise ConfigurationError(f"PostgreSQL does not start: {server.last_words}")
            if self._reactor.seconds() > deadline:
                await server.stop()
                raise ConfigurationError(f"PostgreSQL is not ready after {START_TIMEOUT_S:g} s")
            await deferLater(self._reactor, _POLL_S)

    async def _stop_orphans(self) -> None:
        """We hold the lock, so servers of this data have lost their daemon, or their postmaster.

        The file that tells of them goes after the last of them: two on one cluster would spoil it.
        """
        began = self._reactor.seconds()
        sent: signal.Signals | None = None
        while left := self._cluster.server_processes():
            told = self._cluster.postmaster()
            if told is not None and told.pid in left:
                left = [told.pid]  # it sees to the others
                stages = _POSTMASTER_STAGES
            else:
                stages = _BACKEND_STAGES
            age_s = self._reactor.seconds() - began
            wanted = next((each for after_s, each in stages if age_s >= after_s), None)
            if wanted is not None and sent is not wanted:
                _log.warn("stopping orphaned PostgreSQL processes {left}", left=left)
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, wanted)
                sent = wanted
            if age_s > ORPHANS_END_S:
                raise ConfigurationError(f"the PostgreSQL processes {left} do not stop")
            await deferLater(self._reactor, _POLL_S)
        self._cluster.remove_stale_postmaster_file()

    # Its end, and another one

    def _ended(self, server: Server) -> None:
        if not self._is_up or self._stopping:
            return  # whoever waits for it to be ready, or to end, is told by it
        self._is_up = False
        _log.error("PostgreSQL ended by itself: {why}", why=server.last_words)
        if self._reactor.seconds() - server.started_s > STEADY_AFTER_S:
            self._failures = 0
        self._restarting.start(self._next_delay_s())

    def _next_delay_s(self) -> float:
        delay_s = RESTART_DELAYS_S[min(self._failures, len(RESTART_DELAYS_S) - 1)]
        self._failures += 1
        return delay_s

    async def _serve_again(self) -> float:
        """Start the server once more; how long to wait before the next attempt."""
        try:
            await self._serve()
        except (ConfigurationError, OSError) as e:
            _log.error("PostgreSQL cannot be restarted: {why}", why=str(e))
            return self._next_delay_s()
        return inf
