"""What a POP3 listener is built from, and what it asks of the use cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime

from mailsacd.core.budget import ByteBudget
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.maildrop import Listing, StoredMessage
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.pop3.notes import PortNotes
from mailsacd.pop3.rules import SessionRules
from mailsacd.settings import Pop3Settings
from mailsacd.sockets.listener_options import ListenerOptions

T = TypeVar("T")


class OpenMaildrop(Protocol):
    """A maildrop that somebody has logged in to. Every call may raise UnavailableError."""

    @property
    def listing(self) -> Listing:
        """The messages that were there when the session began."""

    def peek(self, place: int) -> StoredMessage | None:
        """Return the message at ``place``, if it is at hand; it may be asked for again."""

    def take(self, place: int) -> StoredMessage | None:
        """Return the message at ``place``, if it is at hand, to be sent now."""

    async def read(self, place: int) -> StoredMessage:
        """Fetch the message at ``place``. Raises NotFoundError when it is gone."""

    async def run(self, size: int, work: Callable[[], T]) -> T:
        """Do ``work`` on ``size`` bytes, beside the reactor if they are many.

        Returns or raises what it does; raises OverloadedError when too much waits already.
        """

    async def remove(self, places: Sequence[int]) -> None:
        """Delete the messages at these ``places``, all or none. Raises ForbiddenError."""

    def close(self) -> None:
        """Let others have the maildrop: the session is over."""


class OpensMaildrops(Protocol):
    """Opens the maildrops of those who log in."""

    async def open(self, name: str, secret: str, peer: str) -> OpenMaildrop:
        """Open the maildrop of ``name``, whose client is at the IP address ``peer``.

        Raises UnauthenticatedError, ThrottledError, InUseError or UnavailableError.
        """


@dataclass(frozen=True, kw_only=True)
class Pop3Services:
    """The parts of a listener.

    Without ``tls`` there is no STLS; with ``tls_at_once`` connections begin with a handshake. Its
    certificate is ``self_signed``, or somebody's whom clients may know.
    ``budget`` bounds what is held in memory for those who read slowly, ``listings`` what open
    maildrops are. The ``telemetry`` tells of it by the name of its ``port``,
    and workers of a node count each peer's connections together in ``limits``.
    """

    hostname: str
    version: str
    settings: Pop3Settings
    maildrops: OpensMaildrops
    budget: ByteBudget
    listings: ByteBudget
    tls: IOpenSSLServerConnectionCreator | None
    clock: IReactorTime
    tls_at_once: bool = False
    self_signed: bool = False
    telemetry: Telemetry = field(default_factory=Telemetry)
    port: str = "pop3"
    limits: LimitMemory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the connections of one listener have in common: use cases, texts, limits."""

    services: Pop3Services
    rules: SessionRules
    options: ListenerOptions
    notes: PortNotes
