"""The PostgreSQL server as a child process: its settings, its output, its end."""

import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.embedded.binaries import Binaries
from mailsacd.embedded.cluster import PORT, Cluster

FAST_STOP_S: Final = 10.0  # then an immediate stop, and after as long again a kill
MAX_CONNECTIONS: Final = 100  # two daemons, or one of many workers, and the operator's tools

_KEPT_LOG_LINES: Final = 20
_MAX_LINE_BYTES: Final = 4096
_SETTINGS: Final = {
    "listen_addresses": "",  # the Unix socket alone
    "port": PORT,  # part of the socket's name
    "unix_socket_permissions": "0700",
    "max_connections": str(MAX_CONNECTIONS),
    "shared_buffers": "128MB",  # what is listed and read is new; older mail is the file cache's
    # fsync, synchronous_commit and full_page_writes stay on: an answer of 250 relies on them
    # The largest batch of mail is 1 MB. PostgreSQL writes to all of it at its start, so it takes
    # memory though nothing happens, and 16 MB made nothing faster.
    "wal_buffers": "4MB",
    "max_wal_size": "2GB",  # checkpoints by time, not in the middle of a burst of mail
    "checkpoint_timeout": "15min",  # pages are written whole once a checkpoint
    # Nobody replicates it or archives its log: a log of what recovery needs costs a tenth less
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",  # spares an idle process
    # What is recycled is room for new mail as soon as it is vacuumed: a flood brings 5,000 a second
    "autovacuum_naptime": "10s",
    "jit": "off",  # statements here are short: compiling them costs more than it saves
    "log_min_messages": "log",  # what it does; errors of statements go to who runs them
    "log_checkpoints": "off",
    "logging_collector": "off",  # the daemon logs what the server prints
}
_SETTINGS_FROM_18: Final = {"io_method": "sync"}  # spares three idle processes

_log = Logger()


class Server(ProcessProtocol):
    """A server from its start to its end.

    ``exited`` is called with it when its postmaster is gone. What it prints goes to the log, and
    its last lines into errors.
    """

    def __init__(self, reactor: Any, exited: "Callable[[Server], None]") -> None:
        self._reactor = reactor
        self._tell = exited
        self._partial = b""
        self._lines: deque[str] = deque(maxlen=_KEPT_LOG_LINES)
        self._when_exited: list[Deferred[None]] = []
        self._has_exited = False
        self.has_ended = False
        self.started_s: float = reactor.seconds()

    def spawn(self, cluster: Cluster, binaries: Binaries) -> None:
        """Start the server.

        The signal that it gets when we are killed is that of a fast shutdown.
        """
        command = _command(cluster, binaries)
        executable, *arguments = cluster.user.launcher(command, death_signal=signal.SIGINT)
        kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        self._reactor.spawnProcess(
            self,
            executable,
            [executable, *arguments],
            env=environment | {"LC_ALL": "C", "TZ": "UTC"},
            path="/",
        )

    @property
    def last_words(self) -> str:
        """The end of what the server printed, in one line."""
        return " | ".join(self._lines) or "it said nothing"

    def outReceived(self, data: bytes) -> None:
        """Log what the server prints, line by line."""
        *whole, self._partial = (self._partial + data).split(b"\n")
        self._partial = self._partial[-_MAX_LINE_BYTES:]
        for line in whole:
            text = line.decode("utf-8", "replace")
            self._lines.append(text)
            _log.info("postgres: {line}", line=text)

    errReceived = outReceived

    def processExited(self, reason: Failure) -> None:  # noqa: ARG002  Twisted passes it
        """Note that the postmaster is gone.

        A backend may still be there, and hold its output open.
        """
        self._has_exited = True
        for waiting in self._when_exited:
            waiting.callback(None)
        self._tell(self)

    def processEnded(self, reason: Failure) -> None:
        """Note that all that it printed has been read."""
        self._lines.append(str(reason.value))
        self.has_ended = True

    async def stop(self) -> None:
        """Ask for a fast shutdown, after a while for an immediate one, then kill.

        Returns when it is gone.
        """
        if self._has_exited:
            return
        exited: Deferred[None] = Deferred()
        self._when_exited.append(exited)
        harder = [
            self._reactor.callLater(FAST_STOP_S, self._signal, "QUIT"),
            self._reactor.callLater(2 * FAST_STOP_S, self._signal, "KILL"),
        ]
        self._signal("INT")
        await exited
        for call in harder:
            if call.active():
                call.cancel()

    def _signal(self, name: str) -> None:
        with contextlib.suppress(ProcessExitedAlready):
            self.transport.signalProcess(name)  # type: ignore[union-attr]  # set once it runs


def _command(cluster: Cluster, binaries: Binaries) -> list[str]:
    settings = dict(_SETTINGS)
    if binaries.major >= 18:
        settings |= _SETTINGS_FROM_18
    command = [str(Path(binaries.directory) / "postgres"), "-D", str(cluster.directory)]
    command += ["-k", str(cluster.socket_directory())]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command
