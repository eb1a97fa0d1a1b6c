"""Thousands of calls that wait for mail, in a process of their own: when was each answered.

Raw clients in one epoll loop, since they share the machine with the server. Each that is answered
waits again on the same connection, for another message, so that as many are open all the time.
"""

import re
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Final

from bench.dialogue import LoadError

SUBJECT: Final = "number {}."
"""Of a message by its number; with an end, so that no number is the beginning of another."""

Answered = dict[int, float]
"""When the call that waits for the message of that number was answered."""

_READ_BYTES: Final = 65_536
_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.2
_LENGTH: Final = re.compile(rb"Content-Length: (\d+)")
_AT_A_TIME: Final = 200  # calls begun before one looks whether the server keeps up


class Waiters:
    """``count`` calls at ``host`` and ``port``; number n waits in ``inboxes[n % len(inboxes)]``."""

    def __init__(self, host: str, port: int, inboxes: Sequence[str], count: int) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, host, port, inboxes, count)
        self._process = context.Process(target=_wait, args=arguments, daemon=True)
        self._process.start()

    def ready(self) -> None:
        """Return when all of them have asked. Raises LoadError."""
        self._said("ready")

    def answered(self, count: int, timeout_s: float) -> Answered:
        """When each was answered, once so many are or the time is over."""
        with suppress(BrokenPipeError):  # the process has ended, and said why
            self._pipe.send((count, timeout_s))
        self._said("done", timeout_s + _TIMEOUT_S)
        found: Answered = self._pipe.recv()
        return found

    def once(self) -> None:
        """Have all of them ask and go again. Raises LoadError."""
        self.ready()
        self.stop()

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()

    def _said(self, word: str, timeout_s: float = _TIMEOUT_S) -> None:
        if not self._pipe.poll(timeout_s):
            raise LoadError("those who wait say nothing")
        said = self._pipe.recv()
        if said != word:
            raise LoadError(said)


class _Waiter:
    """One connection, and the number of the message that its call waits for."""

    def __init__(self, host: str, port: int, inboxes: Sequence[str], number: int) -> None:
        self.sock = socket.create_connection((host, port), _TIMEOUT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = number
        self._inboxes = inboxes
        self._received = b""
        self.ask()

    def ask(self) -> None:
        inbox = self._inboxes[self.number % len(self._inboxes)]
        subject = SUBJECT.format(self.number).replace(" ", "%20")
        target = f"/api/addresses/{inbox}/wait?timeout=300&subjectIncludes={subject}"
        self.sock.sendall(f"GET {target} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())

    def is_answered(self) -> bool:
        """Take in what has come; whether that is a whole answer. Raises LoadError for a bad one."""
        chunk = self.sock.recv(_READ_BYTES)
        if not chunk:
            raise LoadError("the server closed a connection")
        self._received += chunk
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or length is None or len(body) < int(length[1]):
            return False
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise LoadError(self._received.decode(errors="replace"))
        self._received = b""
        return True


def _wait(pipe: Connection, host: str, port: int, inboxes: Sequence[str], count: int) -> None:
    try:
        waiters = []
        for number in range(count):
            waiters.append(_Waiter(host, port, inboxes, number))
            if number % _AT_A_TIME == 0:
                _is_alive(host, port)
        _is_alive(host, port)
        pipe.send("ready")
        answered = _read_all(pipe, waiters)
        pipe.send("done")
        pipe.send(answered)
    except (LoadError, OSError) as e:
        pipe.send(str(e))


def _is_alive(host: str, port: int) -> None:
    """Return when the server has come to a request that was made after the others."""
    with socket.create_connection((host, port), _TIMEOUT_S) as sock:
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        while sock.recv(_READ_BYTES):
            pass


def _read_all(pipe: Connection, waiters: Sequence[_Waiter]) -> Answered:
    poll = select.epoll()
    by_fd = {waiter.sock.fileno(): waiter for waiter in waiters}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    answered: Answered = {}
    expected, end = len(waiters), float("inf")
    while perf_counter() < end and (end == float("inf") or len(answered) < expected):
        for fd, _ in poll.poll(_POLL_S):
            waiter = by_fd[fd]
            if waiter.is_answered():
                answered[waiter.number] = perf_counter()
                waiter.number += len(waiters)
                waiter.ask()
        if pipe.poll():
            expected, timeout_s = pipe.recv()
            end = perf_counter() + timeout_s
    return answered
