"""What callers give by name: which messages are waited for, and mail to be sent."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypedDict


class Conditions(TypedDict, total=False):
    """What a message has to fulfil, all of it; texts are compared without regard to case.

    ``from_`` and ``to`` are parts of an address or a name, ``body_matches`` is a regular expression
    of RE2. ``since`` is when it was received at the earliest: 5 seconds before the call where it is
    left out; a time without a zone is one of this machine's. ``timeout`` is in whole seconds: 30
    where it is left out, 300 at most.
    """

    timeout: int
    subject_includes: str
    from_: str
    to: str
    body_matches: str
    has_attachment: bool
    since: datetime


class OutgoingMail(TypedDict, total=False):
    """Mail to be sent, as docs/sending.md tells; ``from_`` is one of the account's addresses.

    ``attachments`` are objects such as ``{"filename": "a.txt", "content": "hi"}``.
    """

    from_: str
    to: str | Sequence[str]
    cc: str | Sequence[str]
    bcc: str | Sequence[str]
    subject: str
    text: str
    html: str
    reply_to: str
    in_reply_to: str
    attachments: Sequence[Mapping[str, str]]
    raw: str


USUAL_TIMEOUT_S: Final = 30


def query_of(conditions: Conditions, count: int) -> dict[str, str]:
    """Return the parameters of a wait for ``count`` messages."""
    named = {
        "timeout": conditions.get("timeout"),
        "subjectIncludes": conditions.get("subject_includes"),
        "from": conditions.get("from_"),
        "to": conditions.get("to"),
        "bodyMatches": conditions.get("body_matches"),
        "hasAttachment": conditions.get("has_attachment"),
        "since": conditions.get("since"),
        "count": count,
    }
    return query(named)


def query(named: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters as they are written in a URL; those that are None are left out."""
    return {name: _text(value) for name, value in named.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)


_WIRE_NAMES: Final = {"from_": "from", "reply_to": "replyTo", "in_reply_to": "inReplyTo"}


def body_of(mail: OutgoingMail) -> dict[str, Any]:
    """Return the body of the call that sends ``mail``."""
    return {_WIRE_NAMES.get(name, name): value for name, value in mail.items()}
