"""A port of the line protocols on the loopback, with a clock that a test moves, and raw clients."""

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.patience import PATIENCE_S, until

reactor: Any = the_reactor


class StepClock(Clock):
    """Time stands still until a test moves it; what is due at once runs in the reactor."""

    def callLater(  # noqa: N802
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002  the name of the one it stands in for
        *args: object,
        **kw: object,
    ) -> IDelayedCall:
        if delay == 0:
            return reactor.callLater(0, callable, *args, **kw)  # type: ignore[no-any-return]
        return super().callLater(delay, callable, *args, **kw)


class Wire(Protocol):
    """A client that sends bytes and reads reply lines."""

    def __init__(self) -> None:
        self.received = b""
        self.lost = False
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._look()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        assert reason.check(ConnectionDone, ConnectionLost)
        self.lost = True
        self._look()

    def send(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    def abort(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]

    @property
    def codes(self) -> list[int]:
        """The codes of the replies so far."""
        lines = self.received.split(b"\r\n")[:-1]
        return [int(line[:3]) for line in lines if line[3:4] == b" "]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds, or fail when the connection ends."""
        if not condition():
            d: Deferred[None] = Deferred()
            self._waiting.append((condition, d))
            await d.addTimeout(PATIENCE_S, reactor)
        assert condition(), self.received[-500:]

    async def expect(self, *codes: int) -> None:
        """Exactly these replies have come since the last time."""
        await self.until(lambda: len(self.codes) >= len(codes) or self.lost)
        got = self.codes
        self.received = b""
        assert got == list(codes)

    async def closed(self) -> None:
        await self.until(lambda: self.lost)

    async def talk(self, data: bytes, *codes: int) -> None:
        self.send(data)
        await self.expect(*codes)

    def _look(self) -> None:
        for entry in tuple(self._waiting):
            if entry[0]() or self.lost:
                self._waiting.remove(entry)
                entry[1].callback(None)


class LoopbackPort:
    """A listening port, and its clients. All is gone when it is stopped."""

    def __init__(self, factory: Any, clock: Clock) -> None:
        self.factory = factory
        self.clock = clock
        self._listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.port: int = self._listening.getHost().port
        self._wires: list[Wire] = []

    @property
    def connections(self) -> int:
        """How many connections the server has."""
        return len(self.factory._connections.members)

    @property
    def only(self) -> Any:
        """The one connection that there is."""
        [server] = self.factory._connections.members
        return server

    async def dial(self) -> Wire:
        """Return a client that has read nothing yet."""
        wire: Wire = await connectProtocol(
            HostnameEndpoint(reactor, "127.0.0.1", self.port), Wire()
        )
        self._wires.append(wire)
        return wire

    async def gone(self) -> None:
        """Return when the server has noticed that all its clients are gone."""
        await until(lambda: not self.connections)

    def pass_time(self, seconds: float) -> None:
        """Move the clock on, in steps as fine as the sweep's."""
        for _ in range(int(seconds)):
            self.clock.advance(1)

    async def pass_time_until_closing(self, server: Any, seconds: float) -> None:
        """Move the clock on by ``seconds``, until ``server`` closes: what the system takes of its
        own accord after it seemed to be full counts as reading, which is given as much time anew.
        """

        def is_closing() -> bool:
            if server._stage.name != "CLOSING":
                self.pass_time(seconds)
            return bool(server._stage.name == "CLOSING")

        await until(is_closing)

    async def stop(self) -> None:
        """Stop listening, and end every connection."""
        await maybeDeferred(self._listening.stopListening)
        for wire in self._wires:
            if not wire.lost:
                wire.abort()
        await self.gone()
