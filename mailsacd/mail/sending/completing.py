"""A whole message as its sender wrote it is made into one that may go out (RFC 6409 section 8).

What is missing of From, Date and Message-ID is added; Bcc, and what only the last host on the way
may write, is taken out. Lines end in CRLF, and the header ends where its first line does that is
no field: so every reader finds the same fields in it that were checked here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from secrets import token_urlsafe
from typing import Final, NamedTuple

from mailsacd.core.errors import Fault, InvalidInputError, MailLoopError
from mailsacd.mail.sending.mailboxes import Mailbox, mailboxes
from mailsacd.mime.header import decode
from mailsacd.mime.trace import MAX_RECEIVED_FIELDS

MAX_HEADER_BYTES: Final = 262_144
MAX_FIELDS: Final = 1_000
MAX_AUTHORS: Final = 10
MAX_SUBJECT_CHARACTERS: Final = 998
MAX_ID_CHARACTERS: Final = 998

CONTENT: Final = "raw"
"""What a fault of a whole message is told under."""

ABUSE_CONTACT: Final = "X-Abuse-Contact"
ABUSE_REFERENCE: Final = "X-Abuse-Reference"
UNSUBSCRIBE: Final = "List-Unsubscribe"

_ID_BYTES: Final = 18

_FIELD = re.compile(rb"([!-9;-~]{1,998}+)[ \t]*+:([^\r]*+\r\n(?:[ \t][^\r]*+\r\n)*)")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_IN_ANGLES = re.compile(r"<([^<>\s]{1,998})>")
_TAKEN_OUT: Final = frozenset(
    {b"bcc", b"resent-bcc", b"return-path"}
    | {name.lower().encode() for name in (ABUSE_CONTACT, ABUSE_REFERENCE)}
)


class _Field(NamedTuple):
    name: bytes  # in lower case
    value: bytes
    whole: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A message that may go out, once it is known that its ``authors`` are whom its sender may
    send as: they are the addresses of From and Sender, From's first.

    ``to`` are the values of To, Cc and Bcc as they were. ``message_id`` is without angle brackets.
    """

    content: bytes
    authors: tuple[Mailbox, ...]
    to: tuple[str, ...]
    subject: str
    message_id: str
    is_ascii: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What is added to a message.

    ``trace`` are whole fields in CRLF lines, the newest first, that go on top. ``author`` stands
    in where there is no From. ``fields`` are names and values that are set unless they are there.
    """

    now: datetime
    trace: str = ""
    author: Mailbox | None = None
    fields: tuple[tuple[str, str], ...] = ()


def complete(content: bytes, additions: Additions) -> Completed:
    """The message ``content`` as it may go out.

    Runs in any thread. Raises InvalidInputError, with CONTENT as the name of what is wrong, and
    MailLoopError.
    """
    if b"\0" in content:
        raise _fault("has a NUL")
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    fields, body = _split(lines)
    if sum(one.name == b"received" for one in fields) > MAX_RECEIVED_FIELDS:
        raise MailLoopError("The message has been through too many hosts")
    authors = _authors(fields, additions.author)
    kept = [one for one in fields if one.name not in _TAKEN_OUT]
    names = {one.name for one in kept}
    added = [] if b"from" in names else [f"From: {authors[0].written()}\r\n"]
    if b"date" not in names:
        added.append(f"Date: {format_datetime(additions.now)}\r\n")
    message_id = _first(kept, b"message-id")
    if not message_id:
        kept = [one for one in kept if one.name != b"message-id"]
        domain = authors[0].address.rpartition("@")[2].strip("[]")
        message_id = f"<{token_urlsafe(_ID_BYTES)}@{domain}>"
        added.append(f"Message-ID: {message_id}\r\n")
    added += [
        f"{name}: {v}\r\n" for name, v in additions.fields if name.lower().encode() not in names
    ]
    head = (additions.trace + "".join(added)).encode() + b"".join(one.whole for one in kept)
    in_angles = _IN_ANGLES.search(message_id)
    return Completed(
        content=head + b"\r\n" + body,
        authors=authors,
        to=tuple(_texts(fields, (b"to", b"cc", b"bcc"))),
        subject=_first(kept, b"subject")[:MAX_SUBJECT_CHARACTERS],
        message_id=in_angles[1] if in_angles else message_id[:MAX_ID_CHARACTERS],
        is_ascii=head.isascii(),
    )


def _split(lines: bytes) -> tuple[list[_Field], bytes]:
    """The fields, and the body without the empty line before it."""
    found: list[_Field] = []
    position = 0
    while one := _FIELD.match(lines, position):
        found.append(_Field(one[1].lower(), one[2], one[0]))
        position = one.end()
        if position > MAX_HEADER_BYTES or len(found) > MAX_FIELDS:
            raise _fault(f"has a header of over {MAX_HEADER_BYTES} bytes or {MAX_FIELDS} fields")
    if lines.startswith(b"\r\n", position):
        position += len(b"\r\n")
    return found, lines[position:]


def _authors(fields: list[_Field], stand_in: Mailbox | None) -> tuple[Mailbox, ...]:
    """The mailboxes of From and Sender, each of which there may be once (RFC 5322 section 3.6)."""
    found: list[Mailbox] = []
    for name in (b"from", b"sender"):
        values = [one.value for one in fields if one.name == name]
        shown = name.decode().capitalize()
        if len(values) > 1:
            raise _fault(f"has {len(values)} {shown} fields")
        for value in values:
            try:
                several = mailboxes(_FOLD.sub(b"", value).decode().strip())
            except ValueError as e:  # a UnicodeDecodeError, too
                told = "is not UTF-8" if isinstance(e, UnicodeDecodeError) else str(e)
                raise _fault(f"has a {shown} field that {told}") from e
            if not several:
                raise _fault(f"has a {shown} field without an address")
            found += several
            if len(found) > MAX_AUTHORS:
                raise _fault(f"has more than {MAX_AUTHORS} senders")
        if name == b"from" and not values:
            if stand_in is None:
                raise _fault("has no From field")
            found.append(stand_in)
    return tuple(found)


def _texts(fields: Iterable[_Field], names: tuple[bytes, ...]) -> Iterator[str]:
    return (_text(one.value) for one in fields if one.name in names)


def _first(fields: Iterable[_Field], name: bytes) -> str:
    """What the first field of that name says; empty without one."""
    return next((decode(one.value.rstrip(b"\r\n")) for one in fields if one.name == name), "")


def _text(value: bytes) -> str:
    return _FOLD.sub(b"", value).decode("utf-8", "replace").strip()


def _fault(problem: str) -> InvalidInputError:
    return InvalidInputError(
        f"Bad request: {CONTENT} {problem}", (Fault(field=CONTENT, problem=problem),)
    )
