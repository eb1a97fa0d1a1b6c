"""What a POP3 listener is built from, and what it asks of the use cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime

from mailsacd.core.budget import ByteBudget
from mailsacd.core.maildrop import Listing, StoredMessage
from mailsacd.pop3.rules import SessionRules
from mailsacd.settings import Pop3Settings
from mailsacd.sockets.listener_options import ListenerOptions

T = TypeVar("T")


class OpenMaildrop(Protocol):
    """What somebody has logged in to. Every call may raise UnavailableError."""

    @property
    def listing(self) -> Listing:
        """What was there when the session began."""

    def peek(self, place: int) -> StoredMessage | None:
        """A message, if it is at hand."""

    def take(self, place: int) -> StoredMessage | None:
        """The same, to be sent."""

    async def read(self, place: int) -> StoredMessage:
        """A message. Raises NotFoundError when it is gone."""

    async def beside(self, work: Callable[[], T]) -> T:
        """Do ``work``, which takes long, beside the reactor."""

    async def remove(self, places: Sequence[int]) -> None:
        """Delete messages, all or none. Raises ForbiddenError."""

    async def close(self) -> None:
        """The session is over."""


class OpensMaildrops(Protocol):
    """Opens maildrops."""

    async def open(self, name: str, secret: str, peer: str) -> OpenMaildrop:
        """As of mail.reading.maildrop."""


@dataclass(frozen=True, kw_only=True)
class Pop3Services:
    """The parts of a listener. Without ``tls`` there is no STLS.

    With ``tls_at_once`` connections begin with a handshake. ``budget`` bounds what is held in
    memory for those who read slowly, ``listings`` what open maildrops are.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the connections of one listener have in common: use cases, texts, limits."""

    services: Pop3Services
    rules: SessionRules
    options: ListenerOptions
