"""What an SMTP listener is built from, and what it asks of the use cases."""

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime

from mailsacd.core.account import AccountIdentity
from mailsacd.core.budget import ByteBudget
from mailsacd.core.envelope import Envelope, Recipient
from mailsacd.core.fault import PlannedFault
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.provocation import Occasion, Provocation
from mailsacd.core.transcript import Transcript
from mailsacd.core.waiting_places import WaitingPlaces
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.setting_types import PlainLogin
from mailsacd.settings import CaptureSettings, MessageSettings, SmtpSettings
from mailsacd.smtp.notes import PortNotes
from mailsacd.smtp.rules import SessionRules
from mailsacd.sockets.listener_options import ListenerOptions


class AcceptsRecipients(Protocol):
    """Decides which recipients get mail, and where it goes."""

    def recipient(self, path: str) -> Recipient | Awaitable[Recipient]:
        """Return where mail for the forward-path ``path`` goes: at once where that is possible.

        Raises (or the awaitable does) BadAddressError, ForbiddenError or UnavailableError.
        """


class IngestsMail(Protocol):
    """Makes mail durable, within a bound on what is in memory: its ``budget``."""

    budget: ByteBudget

    def new_envelope_id(self) -> tuple[str, int]:
        """An id for a message that is whole now, and the millisecond that goes with it."""

    def deliver(self, envelope: Envelope) -> Deferred[None]:
        """Return what fires once ``envelope`` is committed, else fails with one of core.errors."""


class ChecksLogins(Protocol):
    """Tells which account a client logs in to."""

    async def log_in(self, name: str, secret: str, peer: str) -> AccountIdentity:
        """Return the account of who logs in from the IP address ``peer``.

        Raises UnauthenticatedError, ThrottledError or UnavailableError.
        """


class CapturesMail(ChecksLogins, Protocol):
    """Takes mail to anywhere from those who have an account here, and keeps it."""

    async def deliver(self, envelope: Envelope, account: AccountIdentity) -> None:
        """Make ``envelope`` durable, which ``account`` has sent; return once it is committed.

        Raises one of core.errors.
        """


class SubmitsMail(ChecksLogins, Protocol):
    """Takes mail from those who have an account here, and sends it to its recipients."""

    async def check_sender(self, account: AccountIdentity, reverse_path: str) -> None:
        """Return if ``account`` may send with that reverse-path; raises one of core.errors."""

    async def submit(self, envelope: Envelope, account: AccountIdentity) -> str:
        """Queue what ``account`` sends; return its id once that is committed.

        Raises one of core.errors.
        """


class WitnessesMail(Protocol):
    """Hears what becomes of mail that is offered."""

    @property
    def traces(self) -> bool:
        """Whether anybody's mail is followed."""

    def step(
        self, names: Iterable[str], what: str, detail: str, session: str = "", envelope: str = ""
    ) -> None:
        """Something happened to mail for one of the addresses ``names`` (core.trace).

        ``envelope`` is its id, from when it has one.
        """

    def refused(self, recipients: Sequence[Recipient], code: int, why: str) -> None:
        """A message for ``recipients`` was refused with the reply's ``code``."""


class KeepsTranscripts(Protocol):
    """Keeps what was said about mail, where somebody wants that."""

    max_bytes: int
    """How many bytes of text a transcript has at most, about."""

    @property
    def wanted(self) -> bool:
        """Whether anybody wants any."""

    def refused(self, transcript: Transcript) -> None:
        """A transaction is over in which something was refused. Raises nothing."""


class ProvokesFaults(Protocol):
    """Has mail fail on purpose, where somebody has set that up."""

    places: WaitingPlaces
    """Where sessions wait on purpose."""

    @property
    def active(self) -> bool:
        """Whether there are any faults at all."""

    def of_peer(self, peer_ip: str) -> tuple[PlannedFault, ...]:
        """Return those of whoever connects from that IP address."""

    def of_host(self, name: str) -> tuple[PlannedFault, ...]:
        """Return those of what a client calls itself."""

    def of_name(self, text: str) -> tuple[PlannedFault, ...]:
        """Return those of a sender, or of a name to log in by."""

    def of_recipient(self, sender: str, recipient: Recipient) -> tuple[PlannedFault, ...]:
        """Return those of a recipient, at whichever step."""

    def owner_of(self, domain: str) -> str:
        """Return whose faults a domain has: an account, or the domain itself where that is not
        known."""

    async def provoke(self, planned: PlannedFault, occasion: Occasion) -> Provocation:
        """Return what goes wrong now by ``planned``. May raise UnavailableError."""

    def accepted(self, envelope: Envelope) -> None:
        """Have a stored message answered, where its recipients have that. Raises nothing."""


class AdmitsPeer(Protocol):
    """Decides whether, and how soon, mail is taken from one peer."""

    def check_connection(self) -> None:
        """Raises DeniedError when no mail is taken from it, ThrottledError when none is now."""

    def refuses_sender(self, reverse_path: str) -> bool:
        """Tell whether mail with that reverse-path is refused, coming from this peer."""

    def recipient(
        self, reverse_path: str, recipient: Recipient, account: AccountIdentity | None
    ) -> float | Awaitable[float]:
        """Return how many seconds to wait before mail for ``recipient`` is taken.

        ``account`` is who has logged in. Raises (or the awaitable does) DeniedError,
        ThrottledError or UnavailableError.
        """


class AdmitsMail(Protocol):
    """Decides from whom mail is taken, and how fast."""

    def of_peer(self, peer_ip: str) -> AdmitsPeer:
        """Return what decides for the peer at that IP address, for as long as it is connected."""


class AdmitsAll:
    """Takes mail from everybody, as fast as it comes: an AdmitsMail, and AdmitsPeer."""

    def of_peer(self, peer_ip: str) -> AdmitsPeer:  # noqa: ARG002  all peers are alike
        """Return what admits everything."""
        return self

    def check_connection(self) -> None:
        """Admit it, whoever it is."""

    def refuses_sender(self, reverse_path: str) -> bool:  # noqa: ARG002  as AdmitsPeer
        """Return False: nobody is refused."""
        return False

    def recipient(
        self,
        reverse_path: str,  # noqa: ARG002  as AdmitsPeer
        recipient: Recipient,  # noqa: ARG002  as AdmitsPeer
        account: AccountIdentity | None,  # noqa: ARG002  as AdmitsPeer
    ) -> float:
        """Return 0: mail is taken at once."""
        return 0.0


@dataclass(frozen=True, kw_only=True)
class SmtpServices:
    """The parts of a listener.

    Without ``tls`` there is no STARTTLS; nor with ``tls_at_once``, for connections begin with a
    handshake then. Its certificate is ``self_signed``, or somebody's whom clients may know. With
    ``capture``, or ``submission`` in its place, everybody logs in first, and ``plain_login`` says
    who may do so without TLS (see settings). The ``telemetry`` tells of it by the name of its
    ``port``, and workers of a node count each peer's connections together in ``limits``.
    """

    hostname: str
    settings: SmtpSettings | CaptureSettings
    message: MessageSettings
    accept: AcceptsRecipients
    ingest: IngestsMail
    tls: IOpenSSLServerConnectionCreator | None
    clock: IReactorTime
    admission: AdmitsMail = field(default_factory=AdmitsAll)
    witness: WitnessesMail | None = None
    transcripts: KeepsTranscripts | None = None
    faults: ProvokesFaults | None = None
    tls_at_once: bool = False
    self_signed: bool = False
    capture: CapturesMail | None = None
    submission: SubmitsMail | None = None
    plain_login: PlainLogin = "never"
    telemetry: Telemetry = field(default_factory=Telemetry)
    port: str = "smtp"
    limits: LimitMemory | None = None

    @property
    def logins(self) -> ChecksLogins | None:
        """What checks logins, where people log in."""
        return self.submission or self.capture

    @property
    def section(self) -> str:
        """The section that the settings are of."""
        if self.submission is not None:
            return "submission"
        return "smtp" if self.capture is None else "capture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the connections of one listener have in common: use cases, texts, limits."""

    services: SmtpServices
    rules: SessionRules
    options: ListenerOptions
    notes: PortNotes
