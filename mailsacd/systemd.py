"""What systemd asks of a service, and gives it: news of its state, a watchdog, sockets.

Both go by environment variables, which are taken out of the environment: they are this process's
alone, and the programs that it starts would take them for theirs. Where there are none, nobody
started us that way, and nothing is done.
"""

import os
import socket
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from twisted.internet.endpoints import serverFromString
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.work.loop import Loop

STARTING_EVERY_S: Final = 10.0
STARTING_FOR_S: Final = 60
"""A start may take as long as it needs, as when a new version changes a large database: so often
it is told that so many seconds more are needed."""

_log = Logger()


class Notifier:
    """Tells the service manager how the daemon is: sd_notify(3), and its watchdog.

    The watchdog is told from the reactor, so that one which stands still is noticed. Nothing that
    goes wrong here is an error: who started us may be gone.
    """

    def __init__(self, environment: MutableMapping[str, str], reactor: Any) -> None:
        self._address = environment.pop("NOTIFY_SOCKET", "")
        self._watchdog_s = _watchdog_s(environment)
        self._is_ready = False
        self._telling = Loop("tell systemd", self._tell, every_s=STARTING_EVERY_S, clock=reactor)

    def starting(self) -> None:
        """The daemon begins to start, which may take a while."""
        if self._address:
            self._telling.start(0)

    def ready(self) -> None:
        """Say that the daemon serves from now on."""
        self._is_ready = True
        self._send("READY=1\nSTATUS=Mail is taken")
        self._telling.wake()

    def stopping(self) -> None:
        """The daemon begins to end, or has failed to start. Nothing is told any more."""
        self._telling.halt()
        self._send("STOPPING=1\nSTATUS=Messages are finished")

    def _tell(self) -> float:
        if not self._is_ready:
            self._send(f"EXTEND_TIMEOUT_USEC={STARTING_FOR_S * 1_000_000}")
            return STARTING_EVERY_S
        if self._watchdog_s < float("inf"):
            self._send("WATCHDOG=1")
        return self._watchdog_s / 2

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # An abstract socket's name begins with a zero byte, which no variable can have
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sending:
                sending.sendto(state.encode(), address)
        except OSError as e:
            _log.warn("systemd is not told {state}: {why}", state=state, why=str(e))


@dataclass(frozen=True, slots=True)
class Activated:
    """A socket that was handed over: it listens, and what its unit calls it."""

    name: str
    socket: socket.socket


def take_sockets(environment: MutableMapping[str, str], reactor: Any) -> list[Activated]:
    """Return the listening sockets that this process was started with (sd_listen_fds(3)).

    Raises ConfigurationError for what is none of a TCP port.
    """
    # Twisted has counted them by now, and taken LISTEN_PID and LISTEN_FDS, if we are meant
    if pid := environment.pop("LISTEN_PID", ""):
        _log.warn("sockets of process {pid}, which is another, are left alone", pid=pid)
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    environment.pop("LISTEN_FDS", "")
    return [
        _activated(each, name) for each, name in zip(_descriptors(reactor), names, strict=False)
    ]


def _descriptors(reactor: Any) -> Iterator[int]:
    for index in count():
        try:
            endpoint: Any = serverFromString(reactor, f"systemd:domain=INET:index={index}")
        except IndexError:
            return
        yield endpoint.fileno


def _activated(descriptor: int, name: str) -> Activated:
    what = f"the socket {name or descriptor} that was handed over"
    try:
        os.set_inheritable(descriptor, False)
        taken = socket.socket(fileno=descriptor)
    except OSError as e:
        raise ConfigurationError(f"{what} is none: {e.strerror}") from e
    is_tcp = taken.family in {socket.AF_INET, socket.AF_INET6} and taken.type == socket.SOCK_STREAM
    if not is_tcp or not taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ConfigurationError(f"{what} does not listen on a TCP port")
    taken.setblocking(False)
    return Activated(name, taken)


def _watchdog_s(environment: MutableMapping[str, str]) -> float:
    """Within how many seconds the watchdog has to be told that the daemon lives; `inf`: never."""
    interval_us = environment.pop("WATCHDOG_USEC", "")
    pid = environment.pop("WATCHDOG_PID", "")
    is_ours = interval_us.isdecimal() and int(interval_us) > 0 and pid in {"", str(os.getpid())}
    return int(interval_us) / 1_000_000 if is_ours else float("inf")
