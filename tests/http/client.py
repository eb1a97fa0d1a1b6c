"""A client that shows exactly what came over the wire, and sends exactly what a test says."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tests.patience import PATIENCE_S

_BLANK_LINE = b"\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """``headers`` by name in lower case; of a name that repeats, the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Connection(Protocol):
    """One connection. What came is in ``data``, ``closed`` tells whether the server closed it."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.data = bytearray()  # which grows in time that does not depend on what is there
        self.closed = False
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self._look()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        self.closed = True
        self._look()

    def send(self, data: bytes) -> None:
        """Bytes, as they are."""
        assert self.transport is not None
        self.transport.write(data)

    def pause(self) -> None:
        """Read nothing more."""
        self._tcp().pauseProducing()

    def resume(self) -> None:
        """Read again."""
        self._tcp().resumeProducing()

    def abort(self) -> None:
        """Go away without a word."""
        self._tcp().abortConnection()

    def _tcp(self) -> Any:
        return self.transport

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the server sends or does to make ``condition`` true."""
        if not condition():
            waiting: Deferred[None] = Deferred()
            self._waiting.append((condition, waiting))
            await waiting.addTimeout(PATIENCE_S, self._reactor)

    async def until_closed(self) -> bytes:
        """All that came until the server closed the connection."""
        await self.until(lambda: self.closed)
        return bytes(self.data)

    async def answer(self, *, head: bool = False) -> Answer:
        """The next answer, taken off ``data``; ``head`` for one without a body."""
        await self.until(lambda: self._complete(head))
        answer, rest = split_answer(bytes(self.data), head=head)
        self.data = bytearray(rest)
        return answer

    async def close(self) -> None:
        """Hang up."""
        assert self.transport is not None
        self.transport.loseConnection()
        await self.until_closed()

    def _complete(self, head: bool) -> bool:
        length = self.data.find(_BLANK_LINE)
        if length < 0:
            return False
        body_bytes = 0 if head else _body_bytes(_headers(self.data[:length]))
        return len(self.data) >= length + len(_BLANK_LINE) + body_bytes

    def _look(self) -> None:
        ready = [w for w in self._waiting if w[0]()]
        self._waiting = [w for w in self._waiting if w not in ready]
        for _, waiting in ready:
            waiting.callback(None)


def split_answer(data: bytes, *, head: bool = False) -> tuple[Answer, bytes]:
    """The first answer in ``data``, and what follows. Raises IndexError when it is not whole."""
    section, blank, rest = data.partition(_BLANK_LINE)
    headers = _headers(section)
    body_bytes = 0 if head else _body_bytes(headers)
    if not blank or len(rest) < body_bytes:
        raise IndexError
    return Answer(int(section.split()[1]), headers, rest[:body_bytes]), rest[body_bytes:]


def _headers(section: bytes | bytearray) -> dict[str, str]:
    lines = section.decode("latin-1").split("\r\n")[1:]
    return {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}


def _body_bytes(headers: dict[str, str]) -> int:
    return int(headers.get("content-length", "0"))


async def connect(reactor: Any, port: int, bind: tuple[str, int] | None = None) -> Connection:
    """A connection to the server under test, from the address ``bind``."""
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port, bindAddress=bind)
    connection: Connection = await connectProtocol(endpoint, Connection(reactor))
    return connection


async def ask(
    reactor: Any,
    port: int,
    target: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    bind: tuple[str, int] | None = None,
) -> Answer:
    """One request on a connection of its own; ``target`` goes over the wire as it is."""
    fields = {"Host": "x", "Connection": "close", **(headers or {})}
    if body:
        fields["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    connection = await connect(reactor, port, bind)
    connection.send(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body)
    data = await connection.until_closed()
    answer, rest = split_answer(data, head=method == "HEAD")
    assert rest == b"", "something follows the answer"
    return answer
