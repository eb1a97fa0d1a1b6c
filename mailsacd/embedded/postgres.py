"""The private PostgreSQL of a daemon that was given no other: a supervised child process.

Whoever holds the lock file beside the data runs the server; another daemon on the same data
attaches to it, and takes over when the first one goes. Only the programs are used: no pg_ctl, no
daemonising, nothing that blocks the reactor.
"""

import contextlib
import fcntl
import os
import signal
from collections import deque
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.errors import ConfigurationError
from mailsacd.embedded.account import postgres_user
from mailsacd.embedded.binaries import Binaries, choose_binaries
from mailsacd.embedded.cluster import DATABASE_USER, Cluster

START_TIMEOUT_S: Final = 60.0
FAST_STOP_S: Final = 10.0  # then an immediate stop, and after as long again a kill
ORPHAN_STOP_S: Final = 20.0
TAKE_OVER_INTERVAL_S: Final = 0.5
RESTART_DELAYS_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0)  # the last one again and again

_POLL_S: Final = 0.02
_KEPT_LOG_LINES: Final = 20

_SERVER_SETTINGS: Final = {
    "listen_addresses": "",  # the Unix socket alone
    "unix_socket_permissions": "0700",
    "max_connections": "60",  # two daemons and the operator's tools
    "shared_buffers": "128MB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",  # checkpoints by time, not in the middle of a burst of mail
    "checkpoint_timeout": "15min",
    "jit": "off",  # statements here are short: compiling them costs more than it saves
    "log_min_messages": "fatal",  # errors of statements go to who runs them
    "logging_collector": "off",  # the daemon logs what the server prints
}
_SERVER_SETTINGS_FROM_18: Final = {"io_method": "sync"}  # spares three idle processes

_log = Logger()


class EmbeddedPostgres:
    """Starts, restarts and stops the server of one data directory."""

    def __init__(self, data_dir: Path, *, bin_dir: str, reactor: Any) -> None:
        self._data_dir = data_dir
        self._bin_dir = bin_dir
        self._reactor = reactor
        self._cluster = Cluster(data_dir, postgres_user())
        self._lock: int | None = None
        self._binaries: Binaries
        self._server: _Server | None = None
        self._stopping = False
        self._failures = 0
        self._waiting_for_lock = LoopingCall(self._try_to_take_over)
        self._waiting_for_lock.clock = reactor
        self._restarting: Deferred[None] | None = None

    @property
    def dsn(self) -> str:
        """How libpq reaches the server."""
        directory = self._cluster.socket_directory()
        return f"host='{directory}' port=5432 user={DATABASE_USER} dbname=postgres"

    @property
    def attached(self) -> bool:
        """Whether another daemon runs the server."""
        return self._lock is None

    async def start(self) -> None:
        """Return when the server takes connections. Raises ConfigurationError."""
        self._cluster.home.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self._take_lock():
            await self._serve()
        else:
            _log.info("another daemon runs PostgreSQL on {d}", d=str(self._cluster.directory))
            await self._until_ready(None)
            self._wait_for_lock()

    async def stop(self) -> None:
        """Stop the server, if it is ours; every connection should be closed before."""
        self._stopping = True
        if self._waiting_for_lock.running:
            self._waiting_for_lock.stop()
        if self._restarting is not None:
            await self._restarting
        if self._server is not None:
            await self._server.stop()
        self._drop_lock()

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

    def _drop_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _wait_for_lock(self) -> None:
        watching = self._waiting_for_lock.start(TAKE_OVER_INTERVAL_S, now=False)
        watching.addErrback(lambda f: _log.failure("cannot watch the other daemon", f))

    def _try_to_take_over(self) -> None:
        if self._take_lock():
            self._waiting_for_lock.stop()
            _log.info("the other daemon is gone: taking over its PostgreSQL")
            self._restart(0)

    # The server

    async def _serve(self) -> None:
        cluster = self._cluster
        self._binaries = await choose_binaries(
            cluster.user,
            self._reactor,
            wanted=self._bin_dir,
            existing_major=cluster.major,
            copy_to=cluster.home / "pgbin",
        )
        if cluster.major is None:
            await cluster.make(self._binaries.directory / "initdb", self._reactor)
        await self._stop_orphan()
        await self._spawn()

    async def _spawn(self) -> None:
        server = _Server(self._reactor, self._ended)
        executable, *arguments = self._cluster.user.launcher(
            self._command(), death_signal=signal.SIGINT
        )
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        self._server = server
        self._reactor.spawnProcess(
            server, executable, [executable, *arguments], env=environment, path="/"
        )
        await self._until_ready(server)
        self._failures = 0

    def _command(self) -> list[str]:
        settings = dict(_SERVER_SETTINGS)
        if self._binaries.major >= 18:
            settings |= _SERVER_SETTINGS_FROM_18
        cluster = self._cluster
        command = [str(self._binaries.directory / "postgres"), "-D", str(cluster.directory)]
        command += ["-k", str(cluster.socket_directory())]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return command

    async def _until_ready(self, server: "_Server | None") -> None:
        deadline = self._reactor.seconds() + START_TIMEOUT_S
        while True:
            if server is not None and server.has_ended:
                raise ConfigurationError(f"PostgreSQL does not start: {server.last_words}")
            found = self._cluster.postmaster()
            if found and found.ready and self._cluster.is_served_by(found.pid):
                return
            if self._reactor.seconds() > deadline:
                raise ConfigurationError(f"PostgreSQL is not ready after {START_TIMEOUT_S:g} s")
            await deferLater(self._reactor, _POLL_S)

    async def _stop_orphan(self) -> None:
        """We hold the lock, so a server on this data has lost its daemon."""
        began = self._reactor.seconds()
        sent: signal.Signals | None = None
        while found := self._cluster.postmaster():
            if not self._cluster.is_served_by(found.pid):
                self._cluster.remove_stale_postmaster_file()
                return
            age = self._reactor.seconds() - began
            wanted = signal.SIGINT if age < ORPHAN_STOP_S else signal.SIGQUIT
            if sent is not wanted:
                _log.warn("stopping an orphaned PostgreSQL, process {pid}", pid=found.pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found.pid, wanted)
                sent = wanted
            if age > 2 * ORPHAN_STOP_S:
                raise ConfigurationError(f"the PostgreSQL process {found.pid} does not stop")
            await deferLater(self._reactor, _POLL_S)

    def _ended(self, server: "_Server") -> None:
        if self._server is not server or self._stopping or self._restarting is not None:
            return
        _log.error("PostgreSQL ended by itself: {why}", why=server.last_words)
        self._restart(self._next_delay())

    def _next_delay(self) -> float:
        delay = RESTART_DELAYS_S[min(self._failures, len(RESTART_DELAYS_S) - 1)]
        self._failures += 1
        return delay

    def _restart(self, delay_s: float) -> None:
        self._restarting = ensureDeferred(self._keep_restarting(delay_s))
        self._restarting.addErrback(lambda f: _log.failure("PostgreSQL stays away", f))

    async def _keep_restarting(self, delay_s: float) -> None:
        try:
            while not self._stopping:
                await deferLater(self._reactor, delay_s)
                try:
                    await self._serve()
                except ConfigurationError as e:
                    _log.error("PostgreSQL cannot be restarted: {why}", why=e.public)
                    delay_s = self._next_delay()
                else:
                    return
        finally:
            self._restarting = None


class _Server(ProcessProtocol):
    """The running server: its output goes to the log, its last lines into errors."""

    def __init__(self, reactor: Any, ended: Any) -> None:
        self._reactor = reactor
        self._tell = ended
        self._partial = b""
        self._lines: deque[str] = deque(maxlen=_KEPT_LOG_LINES)
        self._when_ended: list[Deferred[None]] = []
        self.has_ended = False

    @property
    def last_words(self) -> str:
        """The end of what it printed."""
        return " | ".join(self._lines) or "it said nothing"

    def outReceived(self, data: bytes) -> None:
        """Output of the server."""
        *whole, self._partial = (self._partial + data).split(b"\n")
        self._partial = self._partial[-4096:]
        for line in whole:
            text = line.decode("utf-8", "replace")
            self._lines.append(text)
            _log.info("postgres: {line}", line=text)

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """The server is gone."""
        self._lines.append(str(reason.value))
        self.has_ended = True
        for waiting in self._when_ended:
            waiting.callback(None)
        self._tell(self)

    async def stop(self) -> None:
        """Fast shutdown, then an immediate one, then a kill."""
        if self.has_ended:
            return
        ended: Deferred[None] = Deferred()
        self._when_ended.append(ended)
        harder = [
            self._reactor.callLater(FAST_STOP_S, self._signal, "QUIT"),
            self._reactor.callLater(2 * FAST_STOP_S, self._signal, "KILL"),
        ]
        self._signal("INT")
        await ended
        for call in harder:
            if call.active():
                call.cancel()

    def _signal(self, name: str) -> None:
        with contextlib.suppress(ProcessExitedAlready):
            self.transport.signalProcess(name)  # type: ignore[union-attr]  # set once it runs
