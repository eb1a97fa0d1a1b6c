"""The JSON form of a message: its fields, their order, what each means, and how it is written.

Nobody else knows it. What never changes of it (`Facts`) is written once, when the message is
stored, and read as text ever after, so that a list of messages is a join of texts; `spam` alone
takes its place in it later. What people do to a message (`Marks`) is in columns of its row, and
comes after the facts. What is found out about it later (`Findings`) comes last, as text in columns.
What is pushed has further fields (`PushedFields`) after these.

A new field is a line in one of these, and what fills it: for facts mail.receiving.compose, for
marks a column of the same name, for pushes mail.push.payload. Lists (store.views) and the JSON
Schema (http.api.schemas) follow by themselves. `auth` is the one finding, and known by name here.
"""

from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from mailsacd.core.authentication import Authentication

Folder = Literal["inbox", "all", "spam", "trash", "sent", "drafts"]
FOLDERS: Final[tuple[str, ...]] = get_args(Folder)

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""UTC, as core.token.iso_time writes it."""

_NAMES: Final = {"id": "_id", "sender": "from"}
_encode = msgspec.json.Encoder().encode


def _api_name(name: str) -> str:
    """The API's name for a field: ``original_inbox`` is ``originalInbox``."""
    first, *rest = name.split("_")
    return _NAMES.get(name) or first + "".join(word.capitalize() for word in rest)


class Mailbox(msgspec.Struct, frozen=True, gc=False):
    """One mailbox of a header: ``address`` in lower case without angle brackets, ``name`` decoded.

    Either is ``""`` when the header does not have it.
    """

    address: str
    name: str


Mailboxes = tuple[Mailbox, ...]


class Facts(msgspec.Struct, frozen=True, kw_only=True, rename=_api_name):
    """What never changes of a message, in the order in which it is written."""

    id: Annotated[str, Meta(description="Time-ordered; ends in the recipient's place")]
    inbox: Annotated[str, Meta(description="The address that it went to")]
    original_inbox: Annotated[str, Meta(description="The address as it was mailed")]
    domain: str
    to: Mailboxes | None
    sender: Annotated[Mailboxes, Meta(min_length=1)]
    cc: Mailboxes | None
    bcc: Mailboxes | None
    subject: str
    received: Time
    size: Annotated[int, Meta(ge=0, description="Bytes of the raw message")]
    ip: Annotated[str, Meta(description="The peer that delivered it")]
    via: Annotated[str, Meta(description="The local address that took it")]
    rtls: Annotated[bool, Meta(description="Received over TLS")]
    spam: Annotated[
        float, Meta(ge=0, le=1, description="Higher is likelier spam; 0 while it was not scored")
    ]
    attachments: Annotated[
        tuple[str, ...] | None, Meta(description="MD5 of each attachment's decoded content")
    ]
    links: Annotated[tuple[str, ...], Meta(description="Each URL in the text and HTML, once")]
    parse_limited: Annotated[
        bool, Meta(description="A limit left something of a very large structure out")
    ]


class Marks(msgspec.Struct, frozen=True, rename=_api_name):
    """What people do to a message. Each field is a column of its row, in this order."""

    saved_by: Annotated[str | None, Meta(description="The account that starred it")]
    folder: Folder
    labels: tuple[str, ...]
    read: Annotated[bool | None, Meta(description="null until set")]


UNTOUCHED: Final = Marks(saved_by=None, folder="inbox", labels=(), read=None)
"""Of a message that nobody did anything to."""

NO_AUTH: Final = ',"auth":null}'
"""How a message ends that was not looked at."""


NOT_SCORED: Final = ',"spam":0,'
"""What stands in the facts of a message that was not scored, and nowhere else in them: in a text a
quote comes after a backslash. A score takes its place once, so lists of messages need no more for
it (docs/adr/0046-spam.md)."""


def score_fact(score: float) -> str:
    """What takes the place of NOT_SCORED. ``score`` has three places at most."""
    return f',"spam":{score:g},'


class Findings(msgspec.Struct, frozen=True, kw_only=True, rename=_api_name):
    """What is found out about a message, before or after it is stored. The text is in a column."""

    auth: Annotated[
        Authentication | None,
        Meta(description="SPF, DKIM, ARC and DMARC; null while it was not looked at"),
    ]


class PushedFields(msgspec.Struct, frozen=True, kw_only=True, rename=_api_name):
    """What is pushed beside facts and marks: what the message itself says. docs/push.md."""

    text: str
    html: str | None
    body: str | None
    raw: str
    headers: dict[str, str | list[str]]
    message_id: str | None
    date: Time | None
    received_date: Time
    priority: Literal["high", "normal", "low"]
    encrypted_inbox: str


class Heading(msgspec.Struct, frozen=True, rename=_api_name):
    """Of a message's facts, what those need who deliver it or tell of it in a few lines."""

    size: int
    original_inbox: str
    to: Mailboxes
    sender: Mailboxes
    subject: str


class Outline(msgspec.Struct, frozen=True, rename=_api_name):
    """Of a message, what those need who look for one of a kind."""

    id: str
    inbox: str
    original_inbox: str
    to: Mailboxes | None
    sender: Mailboxes
    cc: Mailboxes | None
    bcc: Mailboxes | None
    subject: str
    received: str
    attachments: tuple[str, ...] | None


class Searched(Outline, frozen=True, rename=_api_name):
    """Of a message's facts, what a search by a query looks at."""

    inbox: str
    size: int
    links: tuple[str, ...]


_decode_outline = msgspec.json.Decoder(Outline).decode
_decode_searched = msgspec.json.Decoder(Searched).decode
_decode_heading = msgspec.json.Decoder(Heading).decode


def facts_text(facts: Facts) -> str:
    """The text that is stored: a JSON object without its closing brace."""
    return _encode(facts)[:-1].decode()


def heading(facts: str) -> Heading:
    """Read out of the text that was stored."""
    return _decode_heading(f"{facts}}}")


def outline(message: str) -> Outline:
    """Read out of a message as JSON."""
    return _decode_outline(message)


def searched(facts: str) -> Searched:
    """Read out of the text that was stored."""
    return _decode_searched(f"{facts}}}")


def message_json(facts: str, marks: Marks, auth: str | None) -> bytes:
    """A message as one JSON object in UTF-8, out of the texts that were stored and its marks."""
    found = NO_AUTH if auth is None else f',"auth":{auth}}}'
    return b"%b,%b%b" % (facts.encode(), _encode(marks)[1:-1], found.encode())


def pushed_json(message: bytes, fields: PushedFields) -> bytes:
    """The pushed form of a ``message``, which is one JSON object, as is what is returned."""
    return b"%b,%b" % (message[:-1], _encode(fields)[1:])


def with_sequence(form: bytes, sequence: str) -> bytes:
    """A pushed form with its sequence (core.sequence), which needs no escapes in JSON."""
    return b'%b,"sequence":"%b"}' % (form[:-1], sequence.encode())
