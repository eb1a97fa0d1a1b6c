"""Mail that is sent from here to here: it is stored as mail from outside is, without a connection.

What is written down of it is in the transaction that stores it, so it is never there twice.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from mailsacd.core.address import parse_address
from mailsacd.core.domain_names import DomainNames
from mailsacd.core.envelope import Envelope, Reception, Recipient
from mailsacd.core.errors import (
    BadAddressError,
    ForbiddenError,
    MailLoopError,
    StatementError,
)
from mailsacd.core.outcome import Outcome
from mailsacd.core.relay import Claim, QueuedMessage
from mailsacd.mail.ownership.directory import Directory
from mailsacd.store.sql import Executor

STORED: Final = Outcome(code=250, status="2.1.5", text="Stored here")
_LOOPING: Final = Outcome(
    code=554, status="5.4.6", text="The message has been through here, or through too many hosts"
)
_NOT_NOW: Final = Outcome(code=451, status="4.3.0", text="The message could not be stored")

Also = Callable[[Executor], Awaitable[None]]


class Policy(Protocol):
    """Decides where mail for an address goes (mail.receiving.accept)."""

    def recipient(self, path: str) -> Recipient | Awaitable[Recipient]:
        """Return it, or raise BadAddressError, ForbiddenError or UnavailableError."""


class Intake(Protocol):
    """Stores mail (mail.receiving.ingest)."""

    def new_envelope_id(self) -> tuple[str, int]:
        """An id for a message, and the millisecond that goes with it."""

    async def deliver_with(self, envelope: Envelope, also: Also) -> None:
        """Store ``envelope``, in one transaction with what ``also`` does."""


class OwnDomains:
    """Which addresses are received here: those of our own domains, and those that are reserved.

    Ours are the host's name, ``hosting`` and what is below it, the names among
    ``accepted_domains``, and the domains that accounts have verified. Where other domains are
    accepted too, anybody may reserve anybody's address: that has mail of the account itself
    stored here, and reports, which go to an address that it sent from; nobody else's.
    """

    def __init__(
        self, hostname: str, hosting: str, accepted_domains: Iterable[str], directory: Directory
    ) -> None:
        """Raises ConfigurationError for what is no domain."""
        self._hostname = hostname
        self._named = DomainNames(accepted_domains, hosting)
        self._directory = directory

    async def has(self, address: str, message: QueuedMessage) -> bool:
        """Return whether ``message`` is for here as far as ``address`` goes.

        May raise UnavailableError.
        """
        try:
            normal = parse_address(address)
        except BadAddressError:
            return False
        if normal.domain == self._hostname or normal.domain in self._named:
            return True
        facts = await self._directory.domain(normal.domain)
        if facts is None:
            return False
        if facts.owner is not None:
            return True
        owner = await self._directory.owner(str(normal.without_tag()))
        return owner is not None and (owner == message.account or message.origin == "report")


class LocalDelivery:
    """Delivers to addresses that are received here."""

    def __init__(
        self, hostname: str, own_domains: OwnDomains, policy: Policy, intake: Intake
    ) -> None:
        """``hostname`` is our own."""
        self._reception = Reception(
            peer_ip="127.0.0.1", local_ip="127.0.0.1", helo=hostname, protocol="LOCAL", tls=None
        )
        self.takes = own_domains.has
        self._policy = policy
        self._intake = intake

    async def recipient(self, claim: Claim) -> Recipient | Outcome:
        """Return where the mail goes, or why it does not. May raise UnavailableError."""
        try:
            found = self._policy.recipient(claim.recipient.address)
            return found if isinstance(found, Recipient) else await found
        except BadAddressError as e:
            return Outcome(code=553, status="5.1.3", text=e.public)
        except ForbiddenError as e:
            return Outcome(code=550, status="5.7.1", text=e.public)

    async def store(
        self, message: QueuedMessage, recipients: Sequence[Recipient], also: Also
    ) -> Outcome:
        """Store a message for ``recipients``, in one transaction with what ``also`` does.

        Returns what became of it: ``also`` counts only if that is STORED. Raises what ``also``
        raises, and UnavailableError.
        """
        id_, received_ms = self._intake.new_envelope_id()
        envelope = Envelope(
            id=id_,
            received_ms=received_ms,
            reverse_path=message.reverse_path,
            recipients=tuple(replace(each, load_test=None) for each in recipients),
            reception=self._reception,
            content=message.content,
        )
        try:
            await self._intake.deliver_with(envelope, also)
        except MailLoopError:
            return _LOOPING
        except StatementError:
            return _NOT_NOW
        return STORED
