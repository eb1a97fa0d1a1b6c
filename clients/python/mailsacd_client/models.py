"""What the server answers, as values. Fields that a newer server adds are left out."""

from datetime import datetime
from typing import Any, Protocol

import msgspec


class Stored(Protocol):
    """What names a stored message: a `Message`, or a `Place` where only its id is known."""

    @property
    def inbox(self) -> str:
        """The address whose inbox has it."""

    @property
    def id(self) -> str:
        """The id that it has there."""


class Place(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a message is, for who has its id from elsewhere."""

    inbox: str
    id: str


class Mailbox(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An address with the name that stands before it; ``name`` is empty where there is none."""

    address: str
    name: str


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message as lists have it. ``received`` is in UTC, ``size`` in bytes of the raw message.

    ``attachments`` are the MD5 sums of their contents. ``spam`` is between 0 and 1. ``auth`` tells
    who sent it by SPF, DKIM, ARC and DMARC; None while that was not looked at.
    """

    id: str = msgspec.field(name="_id")
    inbox: str
    original_inbox: str
    from_: tuple[Mailbox, ...] = msgspec.field(name="from")
    to: tuple[Mailbox, ...] | None = None
    cc: tuple[Mailbox, ...] | None = None
    bcc: tuple[Mailbox, ...] | None = None
    subject: str
    received: datetime
    size: int
    rtls: bool = False
    spam: float = 0
    attachments: tuple[str, ...] | None = None
    links: tuple[str, ...] = ()
    folder: str = "inbox"
    labels: tuple[str, ...] = ()
    read: bool | None = None
    saved_by: str | None = None
    auth: dict[str, Any] | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a message has attached. ``length`` is in bytes, decoded; ``checksum`` is an MD5 sum.

    ``file_name`` is as the sender wrote it, and not safe to save under.
    """

    checksum: str
    content_type: str
    length: int
    file_name: str | None = None
    content_id: str | None = None
    content_disposition: str | None = None


class FoundCode(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A one-time code. ``score`` is how likely it is one, from 0.5 to 0.99."""

    code: str
    score: float


class FoundLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A link that confirms something. ``kind`` is ``verify``, ``reset`` or ``sign-in``."""

    url: str
    kind: str
    label: str
    score: float


class Codes(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The codes and links of a message, the likeliest first. ``codes`` are those of ``found``."""

    codes: tuple[str, ...]
    found: tuple[FoundCode, ...]
    links: tuple[FoundLink, ...]


class CheckReason(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What costs ``points`` (0: is worth knowing), and the field, tag or URL where it was found.

    ``more`` is at how many further places it is the same.
    """

    points: int
    text: str
    where: str | None = None
    more: int = 0


class Check(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one check found. ``score`` is 100 at best; None: there was nothing to be checked."""

    name: str
    score: int | None
    reasons: tuple[CheckReason, ...]
    data: dict[str, Any]


class Checks(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is wrong with a message; ``score`` is the worst of its checks'."""

    score: int | None
    checks: tuple[Check, ...]


class Evidence(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All that is known of a message; ``missing`` says of each part that is None why it is.

    ``auth``, ``spam`` and ``transcript`` are as the REST API documents them.
    """

    message: Message
    gathered: datetime
    auth: dict[str, Any] | None = None
    spam: dict[str, Any] | None = None
    checks: Checks | None = None
    codes: Codes | None = None
    transcript: dict[str, Any] | None = None
    missing: dict[str, str] = {}


class Sent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Mail that was queued: its id in the queue, and the credits that it took."""

    id: str = msgspec.field(name="_id")
    from_: str = msgspec.field(name="from")
    to: tuple[str, ...]
    credits_used: int


class Run(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An address space for some time: whatever is before the ``@`` of ``domain`` is of the run.

    ``addresses`` are the forms of its addresses. ``key`` is good for its mail alone, and told
    where the run begins; it is empty elsewhere.
    """

    id: str = msgspec.field(name="_id")
    name: str
    domain: str
    addresses: tuple[str, ...]
    created: datetime
    expires: datetime
    key: str = ""
