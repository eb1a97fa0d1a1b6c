"""Well-behaved clients that ask at a steady pace, each in a thread, and note how long they waited.

While one request waits longer than the pace, those that would have been asked meanwhile are counted
as if others had asked them: each has waited for what was left of that time. Else a server that
stands for two seconds had one slow request, and a p99 that knows nothing of it.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bench.dialogue import CLOSING, LoadError, Mail, Session, Step, mail, on_the_wire
from bench.messages import SENDER, text_message
from bench.servers import Server

PATIENCE_S: Final = 20.0
_READ_BYTES: Final = 65_536
_INBOX: Final = "observer@bench.example"

Ask = Callable[[], None]
"""Asks once and waits for the answer. Raises LoadError for another answer than the good one."""


class Observer:
    """One client. ``connect`` gives what asks over one connection, which is kept."""

    def __init__(self, name: str, every_s: float, connect: Callable[[], Iterator[Ask]]) -> None:
        self.name = name
        self.waits_s: list[float] = []
        self.refused = 0
        self._every_s = every_s
        self._connected = contextmanager(connect)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Wait until the last request is answered."""
        self._stopped.set()
        self._thread.join(PATIENCE_S * 2)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._connected() as ask:
                    while not self._stopped.is_set():
                        self._ask_once(ask)
            except (LoadError, OSError):
                self.refused += 1
                self._stopped.wait(self._every_s)

    def _ask_once(self, ask: Ask) -> None:
        started = time.monotonic()
        try:
            ask()
        finally:
            wait_s = time.monotonic() - started
            self._stopped.wait(max(self._every_s - wait_s, 0.0))
            while wait_s > 0:
                self.waits_s.append(wait_s)
                wait_s -= self._every_s


def observers(server: Server, login: dict[str, str] | None) -> list[Observer]:
    """Liveness, small and larger mail and, where an account's ``login`` is given, logging in."""
    small, larger = (text_message(size, "observed") for size in (1_024, 210_000))
    found = [
        Observer("livez", 0.005, lambda: getting(server, b"GET /livez HTTP/1.1\r\n", b"")),
        Observer("mail of 1 KB", 0.05, lambda: mailing(server, small)),
        Observer("mail of 210 KB", 0.5, lambda: mailing(server, larger)),
    ]
    if login is not None:
        line = b"POST /api/auth/login HTTP/1.1\r\nContent-Type: application/json\r\n"
        body = json.dumps(login).encode()
        found.append(Observer("login", 0.5, lambda: getting(server, line, body)))
    return found


def getting(server: Server, head: bytes, body: bytes) -> Iterator[Ask]:
    """Ask over a kept connection of HTTP: ``head`` is the request's first lines."""
    request = head + b"Host: bench\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection((server.host, server.http_port), PATIENCE_S) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask() -> None:
            sock.sendall(request)
            received = _read(sock)
            while b"\r\n\r\n" not in received:
                received += _read(sock)
            header, _, content = received.partition(b"\r\n\r\n")
            if not header.startswith(b"HTTP/1.1 200"):
                raise LoadError(header[:40].decode(errors="replace"))
            missing = _content_length(header) - len(content)
            while missing > 0:
                missing -= len(_read(sock))

        yield ask


def _content_length(header: bytes) -> int:
    _, _, after = header.lower().partition(b"content-length:")
    return int(after.split(b"\r\n", 1)[0] or 0)


def _read(sock: socket.socket) -> bytes:
    received = sock.recv(_READ_BYTES)
    if not received:
        raise LoadError("the server closed the connection")
    return received


def mailing(server: Server, content: bytes, inbox: str = _INBOX) -> Iterator[Ask]:
    """Send mail over a kept connection of SMTP."""
    once = mail(0, SENDER, [inbox], on_the_wire(content))
    with socket.create_connection(server.address, PATIENCE_S) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(sock)
        _say(session, session.steps)
        yield lambda: _send(session, once)
        _say(session, CLOSING)


def _send(session: Session, once: Mail) -> None:
    _say(session, once.steps)


def _say(session: Session, steps: tuple[Step, ...]) -> None:
    session.steps = steps
    for session.position, step in enumerate(steps):
        session.codes = ()
        session.sock.sendall(step.send)
        while not session.read():
            pass
