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

_KEPT_LOG_LINES: Final = 20
_MAX_LINE_BYTES: Final = 4096
_SETTINGS: Final = {
    "listen_addresses": "",  # the Unix socket alone
    "port": PORT,  # part of the socket's name
    "unix_socket_permissions": "0700",
    "max_connections": "60",  # two daemons and the operator's tools
    "shared_buffers": "128MB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",  # checkpoints by time, not in the middle of a burst of mail
    "checkpoint_timeout": "15min",
    "jit": "off",  # statements here are short: compiling them costs more than it saves
    "log_min_messages": "log",  # what it does; errors of statements go to who runs them
    "log_checkpoints": "off",
    "logging_collector": "off",  # the daemon logs what the server prints
}
_SETTINGS_FROM_18: Final = {"io_method": "sync"}  # spares three idle processes

_log = Logger()


class Server(ProcessProtocol):
    """A server from its start to its end, after which ``ended`` is called with it.

    What it prints goes to the log, and its last lines into errors.
    """

    def __init__(self, reactor: Any, ended: "Callable[[Server], None]") -> None:
        self._reactor = reactor
        self._tell = ended
        self._partial = b""
        self._lines: deque[str] = deque(maxlen=_KEPT_LOG_LINES)
        self._when_ended: list[Deferred[None]] = []
        self.has_ended = False
        self.started_s: float = reactor.seconds()

    def spawn(self, cluster: Cluster, binaries: Binaries) -> None:
        """Start it. The signal that it gets when we are killed is that of a fast shutdown."""
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
        """The end of what it printed."""
        return " | ".join(self._lines) or "it said nothing"

    def outReceived(self, data: bytes) -> None:
        """Output of the server."""
        *whole, self._partial = (self._partial + data).split(b"\n")
        self._partial = self._partial[-_MAX_LINE_BYTES:]
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


def _command(cluster: Cluster, binaries: Binaries) -> list[str]:
    settings = dict(_SETTINGS)
    if binaries.major >= 18:
        settings |= _SETTINGS_FROM_18
    command = [str(Path(binaries.directory) / "postgres"), "-D", str(cluster.directory)]
    command += ["-k", str(cluster.socket_directory())]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command
