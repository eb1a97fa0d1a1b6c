"""What the relay job takes on, and what it may."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailsacd.core.outgoing import Origin, OutgoingRecipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One recipient of a message that this node has taken on.

    ``attempts`` counts the attempts that have begun, this one included: nobody else has the same
    claim. ``account`` is ``""`` for mail of the daemon's own. ``size`` is the message's, in
    bytes. ``suppressed`` says why nothing is to be sent to the address; None where it may be.
    """

    account: str
    domain: str
    message_id: str
    place: int
    attempts: int
    size: int
    recipient: OutgoingRecipient
    is_delay_told: bool
    suppressed: str | None

    @property
    def key(self) -> tuple[str, int]:
        """The message and the recipient's place among all of it."""
        return self.message_id, self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMessage:
    """A message of which some recipients are open. ``content`` is all of it, in CRLF lines."""

    id: str
    account: str
    origin: Origin
    reverse_path: str
    message_id: str
    created: datetime
    content: bytes
    ret: str | None
    envid: str | None
    smtputf8: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """How many lines may be taken on: in ``all``, for a domain and for an account.

    A line is what one account sends to one domain. ``of_domains`` and ``of_accounts`` are of those
    that have some under way; for the others ``each_domain`` and ``each_account`` hold.
    """

    all: int
    each_domain: int
    of_domains: Mapping[str, int]
    each_account: int
    of_accounts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is to be written down of a claim: ``state`` is queued when it is tried again ``due``.

    ``status``, ``code``, ``reply`` and ``host`` are of the outcome, texts in one line each.
    ``suppress`` puts the address on the suppression list; ``tells_delay`` notes that the sender is
    told that the message is late.
    """

    claim: Claim
    state: str
    due: datetime | None
    code: int | None
    status: str
    reply: str
    host: str
    suppress: bool = False
    tells_delay: bool = False
