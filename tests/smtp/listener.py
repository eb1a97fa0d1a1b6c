"""A real SMTP port on the loopback, with use cases that a test can steer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator

from mailsacd.core.account import AccountIdentity
from mailsacd.core.budget import ByteBudget
from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.errors import ForbiddenError, MailsacdError, UnauthenticatedError
from mailsacd.settings import CaptureSettings, MessageSettings, SmtpSettings
from mailsacd.smtp.factory import SmtpFactory
from mailsacd.smtp.services import SmtpServices
from tests.smtp.play import MADE
from tests.sockets.loopback import LoopbackPort, StepClock, Wire

reactor: Any = the_reactor


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

    async def log_in(self, name: str, secret: str, peer: str) -> AccountIdentity:
        self.tried.append((name, secret, peer))
        if self.hold is not None:
            await self.hold
        if secret != "right":
            raise self.error
        return AccountIdentity(name, MADE)

    async def deliver(self, envelope: Envelope, account: AccountIdentity) -> None:
        if self.on_deliver is not None:
            raise self.on_deliver
        self.delivered.append((account.name, envelope))


@dataclass
class Submitting(Capturing):
    """As Capturing; refuses senders with ``foreign`` in them."""

    senders: list[tuple[str, str]] = field(default_factory=list)
    on_sender: Exception | None = None
    hold_sender: Deferred[None] | None = None

    async def check_sender(self, account: AccountIdentity, reverse_path: str) -> None:
        self.senders.append((account.name, reverse_path))
        if self.hold_sender is not None:
            await self.hold_sender
        if self.on_sender is not None:
            raise self.on_sender
        if "foreign" in reverse_path:
            raise ForbiddenError(f"{reverse_path} is not yours")

    async def submit(self, envelope: Envelope, account: AccountIdentity) -> str:
        await self.deliver(envelope, account)
        return f"out{len(self.delivered)}"


def recipient(path: str) -> Recipient:
    return Recipient(original_inbox=path, inbox=path, domain=path.partition("@")[2])


class SmtpListener(LoopbackPort):
    """The port, its parts, and its clients."""

    factory: SmtpFactory

    def __init__(
        self,
        settings: SmtpSettings | CaptureSettings | None = None,
        message: MessageSettings | None = None,
        tls: IOpenSSLServerConnectionCreator | None = None,
        **services: Any,
    ) -> None:
        """``services`` are others of SmtpServices."""
        clock = StepClock()
        self.accept = Accepting()
        self.ingest = Ingesting()
        given = SmtpServices(
            hostname="mx.example",
            settings=settings or SmtpSettings(),
            message=message or MessageSettings(),
            accept=self.accept,
            ingest=self.ingest,
            tls=tls,
            clock=clock,
            **services,
        )
        super().__init__(SmtpFactory(given), clock)

    async def connect(self, *codes: int) -> Wire:
        """A client that was greeted; with ``codes``, one that got these."""
        wire = await self.dial()
        if codes != (0,):
            await wire.expect(*(codes or (220,)))
        return wire


START = b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"
