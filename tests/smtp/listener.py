"""A real SMTP port on the loopback, with use cases that a test can steer, and a raw client."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailsacd.core.budget import ByteBudget
from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.errors import MailsacdError, UnauthenticatedError
from mailsacd.settings import CaptureSettings, MessageSettings, SmtpSettings
from mailsacd.smtp.factory import SmtpFactory
from mailsacd.smtp.services import SmtpServices

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


@dataclass
class Accepting:
    """Takes every recipient, unless ``answer`` says otherwise."""

    answer: Callable[[str], Recipient | Awaitable[Recipient]] | None = None

    def recipient(self, path: str) -> Recipient | Awaitable[Recipient]:
        return self.answer(path) if self.answer else recipient(path)


@dataclass
class Ingesting:
    """Keeps envelopes; stores them at once unless ``outcome`` says otherwise."""

    budget: ByteBudget = field(default_factory=lambda: ByteBudget(10_000_000))
    envelopes: list[Envelope] = field(default_factory=list)
    outcome: Callable[[], Deferred[None]] = lambda: succeed(None)

    def new_envelope_id(self) -> tuple[str, int]:
        return f"id{len(self.envelopes)}", len(self.envelopes)

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        self.envelopes.append(envelope)
        return self.outcome()


@dataclass
class Capturing:
    """Knows one secret; ``error`` is raised for others, and ``on_deliver`` at each delivery."""

    error: MailsacdError = field(default_factory=lambda: UnauthenticatedError("wrong"))
    on_deliver: Exception | None = None
    tried: list[tuple[str, str, str]] = field(default_factory=list)
    delivered: list[tuple[str, Envelope]] = field(default_factory=list)
    hold: Deferred[None] | None = None

    async def log_in(self, name: str, secret: str, peer: str) -> str:
        self.tried.append((name, secret, peer))
        if self.hold is not None:
            await self.hold
        if secret != "right":
            raise self.error
        return name

    async def deliver(self, envelope: Envelope, account: str) -> None:
        if self.on_deliver is not None:
            raise self.on_deliver
        self.delivered.append((account, envelope))


def recipient(path: str) -> Recipient:
    return Recipient(original_inbox=path, inbox=path, domain=path.partition("@")[2])


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
        """Wait until ``condition`` holds, or fail when the connection ends or 10 s pass."""
        if not condition():
            d: Deferred[None] = Deferred()
            self._waiting.append((condition, d))
            await d.addTimeout(10, reactor)
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


class SmtpListener:
    """The port, its parts, and its clients."""

    def __init__(
        self,
        settings: SmtpSettings | CaptureSettings | None = None,
        message: MessageSettings | None = None,
        tls: IOpenSSLServerConnectionCreator | None = None,
        **services: Any,
    ) -> None:
        """``services`` are others of SmtpServices."""
        self.clock = StepClock()
        self.accept = Accepting()
        self.ingest = Ingesting()
        self.factory = SmtpFactory(
            SmtpServices(
                hostname="mx.example",
                settings=settings or SmtpSettings(),
                message=message or MessageSettings(),
                accept=self.accept,
                ingest=self.ingest,
                tls=tls,
                clock=self.clock,
                **services,
            )
        )
        self._listening = reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.port: int = self._listening.getHost().port
        self._wires: list[Wire] = []

    @property
    def connections(self) -> int:
        return len(self.factory._connections.members)

    async def connect(self, *codes: int) -> Wire:
        """A client that was greeted; with ``codes``, one that got these."""
        wire: Wire = await connectProtocol(
            HostnameEndpoint(reactor, "127.0.0.1", self.port), Wire()
        )
        self._wires.append(wire)
        if codes != (0,):
            await wire.expect(*(codes or (220,)))
        return wire

    async def gone(self) -> None:
        """The server has noticed that all its clients are gone."""
        await self.until(lambda: not self.connections)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the reactor turn until ``condition`` holds, for 10 s at most."""
        deadline = reactor.seconds() + 10
        while not condition():
            assert reactor.seconds() < deadline
            pause: Deferred[None] = Deferred()
            reactor.callLater(0.001, pause.callback, None)
            await pause

    def pass_time(self, seconds: float) -> None:
        """The clock moves on, in steps as fine as the sweep's."""
        for _ in range(int(seconds)):
            self.clock.advance(1)

    async def stop(self) -> None:
        await maybeDeferred(self._listening.stopListening)
        for wire in self._wires:
            if not wire.lost:
                wire.abort()
        await self.gone()


START = b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
