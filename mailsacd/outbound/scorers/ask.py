"""One question to a program that answers and hangs up."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from mailsacd.outbound.one_shot import OneShot
from mailsacd.outbound.tcp_endpoint import TcpEndpoint

MAX_ANSWER_BYTES: Final = 1_048_576
CONNECT_TIMEOUT_S: Final = 5.0

LookUp = Callable[[str], Awaitable[tuple[str, ...]]]
"""The IP addresses of a host."""


class Asker:
    """Asks the program at ``host`` and ``port``, by a connection for each question.

    The host is the operator's, and may be anywhere. Whoever asks bounds the time.
    """

    def __init__(self, host: str, port: int, look_up: LookUp, *, reactor: Any) -> None:
        self._host = host
        self._port = port
        self._look_up = look_up
        self._reactor = reactor

    async def ask(self, question: bytes) -> bytes:
        """Return all that is answered until the other side hangs up.

        Raises OSError or Twisted's ConnectError without a connection, ConnectionError when the
        answer is broken off or too long, LookupFailedError without an address.
        """
        found = await self._look_up(self._host)
        if not found:
            raise ConnectionError(f"{self._host} has no address")
        endpoint = TcpEndpoint(self._reactor, found[0], self._port, CONNECT_TIMEOUT_S)
        exchange = _Exchange(question)
        await endpoint.connect(OneShot(exchange))
        return await exchange.answered


class _Exchange(Protocol):
    def __init__(self, question: bytes) -> None:
        self._question = question
        self._answer = bytearray()
        self.answered: Deferred[bytes] = Deferred(lambda _: self._hang_up())

    def connectionMade(self) -> None:
        """Called when there is a connection: ask."""
        assert self.transport is not None  # noqa: S101  for mypy
        question, self._question = self._question, b""
        self.transport.write(question)

    def dataReceived(self, data: bytes) -> None:
        """Called with a piece of the answer."""
        self._answer += data
        if len(self._answer) > MAX_ANSWER_BYTES:
            self._hang_up()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Called when the other side has hung up, or we have."""
        if self.answered.called:
            return
        if reason.check(ConnectionDone) or (reason.check(ConnectionLost) and self._answer):
            self.answered.callback(bytes(self._answer))
        else:
            self.answered.errback(ConnectionError("the answer was broken off"))

    def _hang_up(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()
