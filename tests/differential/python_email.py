"""A message as Python's own `email` sees it, by the policy that its documentation recommends."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import TypeVar, cast

from tests.differential.view import NOTHING, Part, Person, View, lines, links, part, utc

_TEXTS = ("text/plain", "text/html")
# Fields and line ends stay as they came
_LF = EmailPolicy(refold_source="none", linesep="\n")
_CRLF = EmailPolicy(refold_source="none", linesep="\r\n")

T = TypeVar("T")


def view(content: bytes) -> View:
    """Return how Python's `email` sees the message ``content``.

    It tells texts from attachments for messages of the usual build alone, so a part is an
    attachment here if it is no text or HTML, or has a name or says that it is one.
    """
    policy = _CRLF if b"\r\n" in content else _LF
    message = _said(lambda: message_from_bytes(content, policy=policy))
    if message is None:
        return NOTHING
    leaves = list(_leaves(message))
    html = _said(lambda: _text(leaves, "text/html"))
    return View(
        subject=_said(lambda: str(message["subject"] or "")),
        sender=_people(message, "from"),
        to=_people(message, "to"),
        cc=_people(message, "cc"),
        bcc=_people(message, "bcc"),
        date=_said(lambda: _date(message)),
        message_id=_said(lambda: str(message["message-id"] or "").strip("<> ")),
        text=_said(lambda: _text(leaves, "text/plain")),
        html=html,
        attachments=_said(
            lambda: tuple(_attachment(leaf) for leaf in leaves if not _is_text(leaf))
        ),
        links=links(html),
    )


def _said(read: Callable[[], T]) -> T | None:
    """What it says, or None where it raises on what it does not understand."""
    try:
        return read()
    except Exception:  # noqa: BLE001  whatever it is, it is a bug of theirs
        return None


def _people(message: EmailMessage, name: str) -> tuple[Person, ...] | None:
    def read() -> tuple[Person, ...]:
        addresses: list[Address] = []
        for field in message.get_all(name, []):
            addresses += field.addresses
        return tuple((one.addr_spec.lower(), one.display_name) for one in addresses)

    return _said(read)


def _date(message: EmailMessage) -> str:
    field = message["date"]
    date = cast(datetime | None, field.datetime) if field else None
    return utc(
        (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC) if date else None
    )


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for child in cast(list[EmailMessage], message.get_payload()):
            yield from _leaves(child)
    else:
        yield message


def _is_text(leaf: EmailMessage) -> bool:
    is_one = leaf.get_content_type() in _TEXTS
    return is_one and leaf.get_content_disposition() != "attachment" and not leaf.get_filename()


def _text(leaves: list[EmailMessage], media_type: str) -> str:
    texts = (leaf for leaf in leaves if _is_text(leaf) and leaf.get_content_type() == media_type)
    return "\n".join(lines(str(leaf.get_content())) for leaf in texts)


def _attachment(leaf: EmailMessage) -> Part:
    if leaf.is_multipart():  # a message; or its status, a block a message (RFC 3464)
        content = b"".join(one.as_bytes() for one in cast(list[EmailMessage], leaf.get_payload()))
    else:
        content = cast(bytes, leaf.get_payload(decode=True))
    return part(leaf.get_content_type(), leaf.get_filename(), content)
