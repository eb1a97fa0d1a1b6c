"""A receiver of webhooks on the loopback, that answers as a test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def status(code: int, *fields: str) -> bytes:
    """A whole answer without a body."""
    lines = [f"HTTP/1.1 {code} X", "Content-Length: 0", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass(frozen=True)
class Posted:
    """``headers`` by name in lower case; ``lines`` as they came."""

    lines: tuple[str, ...]
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The event's."""
        return self.headers["webhook-id"]


class Receiver:
    """``answer`` makes the bytes of the answer to a request; None: there is none.

    What it answers is followed by a hang-up, unless ``stays``.
    """

    def __init__(
        self,
        reactor: Any,
        answer: Callable[[Posted], bytes | None] = lambda _: OK,
        *,
        port: int = 0,
        interface: str = "127.0.0.1",
        tls: Any = None,
        stays: bool = False,
    ) -> None:
        self.answer = answer
        self.stays = stays
        self.got: list[Posted] = []
        self.connections: list[Conversation] = []
        self.most_at_a_time = 0
        factory = _Factory(self)
        if tls is None:
            self._listening = reactor.listenTCP(port, factory, interface=interface)
        else:
            self._listening = reactor.listenSSL(port, factory, tls, interface=interface)
        self.port: int = self._listening.getHost().port

    @property
    def ids(self) -> list[str]:
        """Of the events, as they came."""
        return [posted.id for posted in self.got]

    @property
    def open(self) -> int:
        """Connections that are there."""
        return sum(not connection.lost for connection in self.connections)

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        """Where it is."""
        return f"{scheme}://{host}:{self.port}{path}"

    async def stop(self) -> None:
        """Hang up, and listen no more."""
        await maybeDeferred(self._listening.stopListening)
        for connection in self.connections:
            if not connection.lost:
                connection.hang_up()


class Conversation(Protocol):
    """One connection."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._data = b""
        self.lost = False

    def connectionMade(self) -> None:
        self._receiver.connections.append(self)
        self._receiver.most_at_a_time = max(self._receiver.most_at_a_time, self._receiver.open)

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        head, blank, body = self._data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
        if blank and len(body) >= int(headers.get("content-length", 0)):
            self._data = b""
            posted = Posted(tuple(lines), headers, body)
            self._receiver.got.append(posted)
            answer = self._receiver.answer(posted)
            if answer is not None:
                self.say(answer)
                if not self._receiver.stays:
                    self.close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002
        self.lost = True

    def say(self, data: bytes) -> None:
        """Bytes, as they are."""
        transport: Any = self.transport
        transport.write(data)

    def close(self) -> None:
        """The end of what was said."""
        transport: Any = self.transport
        transport.loseConnection()

    def hang_up(self) -> None:
        """Go away."""
        transport: Any = self.transport
        transport.abortConnection()


class _Factory(Factory):
    noisy = False

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def buildProtocol(self, addr: Any) -> Conversation:  # noqa: ARG002
        return Conversation(self._receiver)
