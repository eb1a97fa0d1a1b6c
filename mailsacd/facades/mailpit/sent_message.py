"""A message out of the JSON of Mailpit's `/api/v1/send`."""

import binascii
from base64 import b64decode
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from mimetypes import guess_type
from typing import Any, Final

import msgspec

from mailsacd.core.address import parse_address
from mailsacd.core.errors import BadAddressError, InvalidInputError

MAX_HEADERS: Final = 100

_UTF_8: Final[Any] = {"charset": "utf-8"}
_OWN: Final = frozenset(
    {"to", "from", "cc", "bcc", "reply-to", "date", "subject", "content-type", "mime-version"}
)


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


def recipients_of(sent: Sent) -> list[str]:
    """Whom the message goes to, each once."""
    people = [person.email for person in (*sent.to, *sent.cc)]
    return list(dict.fromkeys([*people, *sent.bcc]))


def message_of(sent: Sent, max_bytes: int) -> bytes:
    """The message, with CRLF at the end of each line. Raises InvalidInputError."""
    content = _made(sent)
    if len(content) > max_bytes:
        raise InvalidInputError(f"The message has more than {max_bytes} bytes")
    return content


def _made(sent: Sent) -> bytes:
    message = EmailMessage(policy=SMTP)
    try:
        _put_header(message, sent)
        message.set_content(sent.text.encode(), "text", "plain", params=_UTF_8)
        if sent.html:
            message.add_alternative(sent.html.encode(), "text", "html", params=_UTF_8)
        for file in sent.attachments:
            _attach(message, file)
        return message.as_bytes()
    except (ValueError, LookupError) as e:  # as the email package says what a header cannot have
        raise InvalidInputError(f"The message cannot be made: {e}") from e


def _put_header(message: EmailMessage, sent: Sent) -> None:
    message["From"] = _addresses([sent.sender])
    for name, people in (
        ("To", sent.to),
        ("Cc", sent.cc),
        ("Bcc", [Person(email) for email in sent.bcc]),
        ("Reply-To", sent.replyto),
    ):
        if people:
            message[name] = _addresses(people)
    message["Subject"] = sent.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    if len(sent.headers) > MAX_HEADERS:
        raise InvalidInputError(f"There are more than {MAX_HEADERS} headers")
    for name, value in sent.headers.items():
        if name.lower() in _OWN:
            raise InvalidInputError(f'cannot overwrite header: "{name}"')
        message[name] = value
    if "Message-ID" not in message:
        message["Message-ID"] = make_msgid(domain=sent.sender.email.rpartition("@")[2])
    if sent.tags and "X-Tags" not in message:
        message["X-Tags"] = ", ".join(sent.tags)


def _addresses(people: list[Person]) -> list[Address]:
    """Raises InvalidInputError for what is no mail address."""
    found = []
    for person in people:
        try:
            parse_address(person.email)
            found.append(Address(person.name, addr_spec=person.email))
        except BadAddressError as e:
            raise InvalidInputError(f"{person.email[:320]}: {e.public}") from e
    return found


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
