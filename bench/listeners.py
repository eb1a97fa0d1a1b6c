"""WebSocket listeners in a process of their own: when did each get which message.

A raw client, since it shares the machine with the servers: it reads frames, finds the number in the
subject, and writes down the time. Clocks are the same in all processes of a machine.
"""

import base64
import os
import re
import select
import socket
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Final

from bench.dialogue import LoadError

SUBJECT: Final = "number {}"
Arrivals = list[tuple[int, float]]
"""The number of a message, and when its frame was there."""

_NUMBER: Final = re.compile(rb'"subject":"number (\d+)"')
_READ_BYTES: Final = 1_048_576
_TIMEOUT_S: Final = 30.0
_POLL_S: Final = 0.2


class Listeners:
    """A listener for each of ``urls`` (host, port, path with its query), in another process."""

    def __init__(self, urls: Sequence[tuple[str, int, str]], expected: int) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_listen, args=(theirs, urls, expected), daemon=True)
        self._process.start()

    def ready(self) -> None:
        """Return when all of them are listening. Raises LoadError."""
        self._said("ready")

    def arrivals(self, timeout_s: float) -> list[Arrivals]:
        """What each of them got, when all have what was expected, or the time is over."""
        self._pipe.send(timeout_s)
        self._said("done", timeout_s + _TIMEOUT_S)
        found: list[Arrivals] = self._pipe.recv()
        return found

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()

    def _said(self, word: str, timeout_s: float = _TIMEOUT_S) -> None:
        if not self._pipe.poll(timeout_s):
            raise LoadError("the listeners say nothing")
        said = self._pipe.recv()
        if said != word:
            raise LoadError(said)


class _Listener:
    """One connection."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self.sock = socket.create_connection((host, port), _TIMEOUT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.received = bytearray()
        self.arrivals: Arrivals = []
        while b"\r\n\r\n" not in self.received:
            self._read()
        head, _, rest = bytes(self.received).partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise LoadError(head.decode(errors="replace"))
        self.received = bytearray(rest)
        while not self.frames():
            self._read()
        self.sock.setblocking(False)

    def _read(self) -> None:
        chunk = self.sock.recv(_READ_BYTES)
        if not chunk:
            raise LoadError("the server closed a listener")
        self.received += chunk

    def advance(self) -> None:
        """Take in what has come."""
        self._read()
        self.frames()

    def frames(self) -> int:
        """Look at all frames that are whole; how many (RFC 6455 section 5.2, never masked)."""
        now = perf_counter()
        count = start = 0
        while (ends := frame_end(self.received, start)) is not None:
            if self.received[start] & 15 == 8:
                raise LoadError(f"closed: {bytes(self.received[start + 4 : ends[1]])!r}")
            number = number_in(self.received, *ends)
            if number is not None:
                self.arrivals.append((number, now))
            elif b'"status":4' in self.received[ends[0] : ends[0] + 20]:
                raise LoadError(bytes(self.received[ends[0] : ends[1]]).decode())
            start = ends[1]
            count += 1
        del self.received[:start]
        return count


def number_in(received: bytearray, start: int, end: int) -> int | None:
    """The number of the message in a payload, if it has one."""
    found = _NUMBER.search(received, start, end)
    return None if found is None else int(found[1])


def frame_end(received: bytearray, start: int) -> tuple[int, int] | None:
    """Where the payload of the frame at ``start`` begins and ends, if all of it is there."""
    if len(received) < start + 2:
        return None
    length, payload = received[start + 1] & 127, start + 2
    if length > 125:
        octets = 2 if length == 126 else 8
        payload += octets
        length = int.from_bytes(received[start + 2 : payload])
    end = payload + length
    return (payload, end) if payload <= len(received) and end <= len(received) else None


def _listen(pipe: Connection, urls: Sequence[tuple[str, int, str]], expected: int) -> None:
    try:
        listeners = [_Listener(*url) for url in urls]
        pipe.send("ready")
        _read_all(pipe, listeners, expected)
        pipe.send("done")
        pipe.send([listener.arrivals for listener in listeners])
    except (LoadError, OSError) as e:
        pipe.send(str(e))


def _read_all(pipe: Connection, listeners: Sequence[_Listener], expected: int) -> None:
    poll = select.epoll()
    by_fd = {listener.sock.fileno(): listener for listener in listeners}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    end = float("inf")
    while perf_counter() < end:
        for fd, _ in poll.poll(_POLL_S):
            by_fd[fd].advance()
        if pipe.poll():
            end = perf_counter() + pipe.recv()
        if end < float("inf") and all(len(each.arrivals) >= expected for each in listeners):
            return
