"""Messages on their way out: what is queued, and what has become of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Origin = Literal["api", "submission", "release", "report", "service"]
"""Who made a message: a call, the submission port, a release, a DSN, or the daemon itself."""

RecipientState = Literal["queued", "held", "delivered", "failed", "cancelled"]
OPEN_STATES: Final[tuple[RecipientState, ...]] = ("queued", "held")
"""A recipient in one of these is not done with: the message is kept for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRecipient:
    """One recipient of a message, with what its sender asked to be told (RFC 3461 section 4).

    ``address`` has its local part as it was written, and a normal domain (core.address).
    ``notify`` is ``NEVER`` or a list of SUCCESS, FAILURE and DELAY between commas; None asks for
    what is usual. ``orcpt`` is the original recipient as it was given, with its type.
    """

    address: str
    notify: str | None = None
    orcpt: str | None = None

    @property
    def domain(self) -> str:
        """The domain that the recipient is at, or an address literal."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutgoing:
    """A message that is to be sent.

    ``account`` is None for one of the daemon's own. ``reverse_path`` is ``""`` for a report, about
    which nothing is reported. ``header_from`` is the address of the From field. ``content`` is the
    whole message with CRLF at the end of each line. ``ret`` is FULL or HDRS, ``envid`` the
    envelope's id (RFC 3461 sections 4.3 and 4.4). ``smtputf8`` tells that an address or a header
    field is not ASCII, so that hosts on its way have to know RFC 6531.
    """

    account: str | None
    origin: Origin
    reverse_path: str
    header_from: str
    subject: str
    message_id: str
    content: bytes
    recipients: tuple[OutgoingRecipient, ...]
    ret: str | None = None
    envid: str | None = None
    smtputf8: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientStanding:
    """What has become of one recipient.

    ``due`` is when it is tried again, None unless it waits for that. ``code``, ``status`` (an
    enhanced code), ``reply`` and ``host`` are of the last attempt.
    """

    place: int
    address: str
    state: RecipientState
    sending: bool
    attempts: int
    due: datetime | None
    code: int | None
    status: str | None
    reply: str | None
    host: str | None
    tried: datetime | None
    finished: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that was queued, as its sender sees it. ``ended`` is when its last recipient was
    done with; None while one is open."""

    id: str
    account: str | None
    origin: Origin
    reverse_path: str
    header_from: str
    subject: str
    message_id: str
    size: int
    created: datetime
    ended: datetime | None
    recipients: tuple[RecipientStanding, ...]
