"""A message out of the JSON of Mailpit's `/api/v1/send`."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from mimetypes import guess_type
from typing import Any, Final

import msgspec

from mailsacd.core.address import parse_address
from mailsacd.core.errors import BadAddressError, InvalidInputError
from mailsacd.mail.sending.compose import address_field, folded_field, text_field
from mailsacd.mail.sending.mailboxes import Mailbox, display_name, written_address

MAX_HEADERS: Final = 100
MAX_ATTACHMENTS: Final = 100
MAX_HEADER_CHARACTERS: Final = 65_536
"""Of names and values of all header fields together, those of attachments included."""
MAX_DESCRIPTION_CHARACTERS: Final = 255
"""Of an attachment's name, type and id each, which the email package folds."""

_UTF_8: Final[Any] = {"charset": "utf-8"}
_OWN: Final = frozenset({"to", "from", "cc", "bcc", "reply-to", "date", "subject", "mime-version"})
_FIELD_NAME: Final = re.compile(r"[!-9;-~]{1,200}\Z")
"""RFC 5322 section 3.6.8."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_MAX_LINE: Final = 900  # well within a line (RFC 5322 section 2.1.1)


class Person(msgspec.Struct, frozen=True):
    """A mailbox: the address, and whose it is."""

    email: str
    name: str = ""


class File(msgspec.Struct, frozen=True):
    """An attachment: ``content`` is in base64, with or without ``data:…,`` before it."""

    content: str
    filename: str = ""
    contenttype: str = ""
    contentid: str = ""


class Sent(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """The body of the call, with the names of its fields in lower case."""

    sender: Person
    to: list[Person] = []
    cc: list[Person] = []
    bcc: list[str] = []
    replyto: list[Person] = []
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: dict[str, str] = {}
    tags: list[str] = []
    attachments: list[File] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many people a message may name in all its fields, and its most bytes."""

    max_recipients: int
    max_bytes: int


def recipients_of(sent: Sent) -> list[str]:
    """Whom the message goes to, each once."""
    people = [person.email for person in (*sent.to, *sent.cc)]
    return list(dict.fromkeys([*people, *sent.bcc]))


def message_of(sent: Sent, limits: Limits) -> bytes:
    """The message, with CRLF at the end of each line. Raises InvalidInputError.

    Runs in any thread. The header is written by mail.sending.compose, for the time that the email
    package takes to fold one is quadratic in its length.
    """
    _check(sent, limits)
    try:
        content = _head(sent).encode() + _body(sent)
    except (ValueError, LookupError) as e:  # as the email package says what a part cannot have
        raise InvalidInputError(f"The message cannot be made: {e}") from e
    if len(content) > limits.max_bytes:
        raise InvalidInputError(f"The message has more than {limits.max_bytes} bytes")
    return content


def _check(sent: Sent, limits: Limits) -> None:
    """Raises InvalidInputError for what is too much, before anything is made of it."""
    named = len(sent.to) + len(sent.cc) + len(sent.bcc) + len(sent.replyto)
    for what, there, most in (
        ("recipients", named, limits.max_recipients),
        ("headers", len(sent.headers), MAX_HEADERS),
        ("attachments", len(sent.attachments), MAX_ATTACHMENTS),
    ):
        if there > most:
            raise InvalidInputError(f"There are more than {most} {what}")
    if sum(map(len, _header_texts(sent))) > MAX_HEADER_CHARACTERS:
        raise InvalidInputError(f"The headers have more than {MAX_HEADER_CHARACTERS} characters")
    for file in sent.attachments:
        if max(map(len, _described(file))) > MAX_DESCRIPTION_CHARACTERS:
            raise InvalidInputError(
                "The name, the type and the id of an attachment have"
                f" {MAX_DESCRIPTION_CHARACTERS} characters at most"
            )


def _header_texts(sent: Sent) -> Iterator[str]:
    for person in (sent.sender, *sent.to, *sent.cc, *sent.replyto):
        yield from (person.email, person.name)
    yield from (*sent.bcc, *sent.tags, sent.subject)
    for file in sent.attachments:
        yield from _described(file)
    for name, value in sent.headers.items():
        yield from (name, value)


def _described(file: File) -> tuple[str, str, str]:
    return file.filename, file.contenttype, file.contentid


def _head(sent: Sent) -> str:
    fields = [
        address_field(name, [_mailbox(person) for person in people])
        for name, people in (
            ("From", [sent.sender]),
            ("To", sent.to),
            ("Cc", sent.cc),
            ("Bcc", [Person(email) for email in sent.bcc]),
            ("Reply-To", sent.replyto),
        )
        if people
    ]
    fields.append(text_field("Subject", _one_line(sent.subject)))
    fields.append(f"Date: {format_datetime(datetime.now(UTC))}\r\n")
    names = {name.lower() for name in sent.headers}
    fields += (_own_field(name, value) for name, value in sent.headers.items())
    if "message-id" not in names:
        message_id = make_msgid(domain=sent.sender.email.rpartition("@")[2])
        fields.append(f"Message-ID: {message_id}\r\n")
    if sent.tags and "x-tags" not in names:
        fields.append(_own_field("X-Tags", ", ".join(sent.tags)))
    return "".join(fields)


def _own_field(name: str, value: str) -> str:
    """A field as it was given: one in ASCII may have encoded words already."""
    if name.lower() in _OWN or name.lower().startswith("content-"):
        raise InvalidInputError(f'cannot overwrite header: "{name}"')
    if not _FIELD_NAME.match(name):
        raise InvalidInputError(f'This is no name of a header: "{name}"')
    line = _one_line(value)
    if not line.isascii():
        return text_field(name, line)
    if len(name) + len(line) < _MAX_LINE:
        return f"{name}: {line}\r\n"
    return folded_field(name, " ".join(line.split()))


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise InvalidInputError("A header has no line ends, and no other control characters")
    return text.strip()


def _mailbox(person: Person) -> Mailbox:
    """Raises InvalidInputError for what is no mail address, or no name."""
    try:
        parse_address(person.email)
        return Mailbox(written_address(person.email), display_name(person.name))
    except BadAddressError as e:
        raise InvalidInputError(f"{person.email[:320]}: {e.public}") from e
    except ValueError as e:
        raise InvalidInputError(f"{person.email[:320]} {e}") from e


def _body(sent: Sent) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["MIME-Version"] = "1.0"
    message.set_content(sent.text.encode(), "text", "plain", params=_UTF_8)
    if sent.html:
        message.add_alternative(sent.html.encode(), "text", "html", params=_UTF_8)
    for file in sent.attachments:
        _attach(message, file)
    return message.as_bytes()


def _attach(message: EmailMessage, file: File) -> None:
    try:
        content = b64decode(file.content.rpartition(",")[2], validate=True)
    except (binascii.Error, ValueError) as e:
        raise InvalidInputError(f'"{file.filename}" is not base64') from e
    kind = file.contenttype or guess_type(file.filename)[0] or "application/octet-stream"
    main, _, sub = kind.partition("/")
    message.add_attachment(
        content,
        maintype=main,
        subtype=sub or "octet-stream",
        filename=file.filename or None,
        disposition="inline" if file.contentid else "attachment",
        cid=f"<{file.contentid}>" if file.contentid else None,
    )
