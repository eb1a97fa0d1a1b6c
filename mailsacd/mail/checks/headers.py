"""What receivers and filters look for in the header of a message (RFC 5322, RFC 6532).

The faults of its MIME parts, which `mime_faults` finds, count along.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from mailsacd.mail.checks.check import (
    MAX_WHERE_CHARS,
    Reason,
    Result,
    Subject,
    gathered,
    scored,
)
from mailsacd.mail.checks.mime_faults import mime_faults
from mailsacd.mime import addresses, header

NAME: Final = "headers"

_ONCE: Final = frozenset({
    "date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to",
    "references", "subject", "mime-version", "content-type", "content-transfer-encoding",
    "content-disposition", "content-id", "content-description",
})  # fmt: skip
"""Fields of which there may be one (RFC 5322 section 3.6, RFC 2045 section 3)."""

_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE: Final = re.compile(
    rf"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{{1,2}} (?:{_MONTHS}) \d{{4}} "
    r"\d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|GMT|UT|[ECMP][SD]T)(?: \([^()]{0,100}\))?\Z",
    re.ASCII,
)
_MESSAGE_ID: Final = re.compile(
    r"<[^\s<>@\"]{1,500}@(?:[^\s<>@]{1,500}|\[[^\s<>@\[\]]{1,200}\])>\Z"
)
_EARLY: Final = timedelta(days=1)
_LATE: Final = timedelta(days=7)


def check_headers(subject: Subject) -> Result:
    """Whether the header has what it should, once and well-formed, and the MIME parts are whole."""
    found: dict[str, list[bytes]] = {}
    for name, raw in subject.parsed.fields:
        found.setdefault(name.decode("ascii").lower(), []).append(raw)
    reasons = [
        *_date(subject, found.get("date", [])),
        *_message_id(found.get("message-id", [])),
        *_from(subject, found),
        *_repeated(found),
        *_recipients_and_subject(found),
        *_bytes(subject),
        *mime_faults(subject, found),
    ]
    data = {
        "fields": len(subject.parsed.fields),
        "messageId": subject.parsed.message_id,
        "date": subject.parsed.date.isoformat() if subject.parsed.date else None,
    }
    return scored(NAME, reasons, data)


def _date(subject: Subject, raw: list[bytes]) -> Iterator[Reason]:
    if not raw:
        yield Reason(points=20, text="There is no Date (RFC 5322 section 3.6 asks for it)")
        return
    written, date = header.unfold(raw[0]), subject.parsed.date
    if date is None:
        yield Reason(points=20, text="The Date is none", where=_where("Date", written))
        return
    if not _DATE.match(" ".join(written.split())):
        text = "The Date has not the form that RFC 5322 section 3.3 gives"
        yield Reason(points=10, text=text, where=_where("Date", written))
    if subject.received is not None and date - subject.received > _EARLY:
        text = "The Date is more than a day later than the message came"
        yield Reason(points=15, text=text, where=_where("Date", written))
    if subject.received is not None and subject.received - date > _LATE:
        text = "The Date is more than a week earlier than the message came"
        yield Reason(points=5, text=text, where=_where("Date", written))


def _message_id(raw: list[bytes]) -> Iterator[Reason]:
    if not raw:
        yield Reason(points=15, text="There is no Message-ID: replies cannot refer to the message")
    elif not _MESSAGE_ID.match(written := header.unfold(raw[0])):
        text = "The Message-ID has not the form <left@right> (RFC 5322 section 3.6.4)"
        yield Reason(points=10, text=text, where=_where("Message-ID", written))


def _from(subject: Subject, found: dict[str, list[bytes]]) -> Iterator[Reason]:
    raw = found.get("from", [])
    if not raw:
        yield Reason(points=50, text="There is no From: most servers refuse the message")
        return
    where = _where("From", header.decode(raw[0]))
    if not subject.parsed.sender:
        yield Reason(points=50, text="There is no mail address in From", where=where)
    elif len(subject.parsed.sender) > 1 and "sender" not in found and len(raw) == 1:
        text = "From has several addresses, and there is no Sender (RFC 5322 section 3.6.2)"
        yield Reason(points=20, text=text, where=where)
    if (reply := found.get("reply-to")) and not _has_address(reply[0]):
        where = _where("Reply-To", header.decode(reply[0]))
        yield Reason(points=15, text="There is no mail address in Reply-To", where=where)


def _has_address(raw: bytes) -> bool:
    mailboxes, _ = addresses.parse(header.unfold(raw))
    return any("@" in each.address for each in mailboxes)


def _repeated(found: dict[str, list[bytes]]) -> Iterator[Reason]:
    counts = Counter({name: len(raw) for name, raw in found.items() if name in _ONCE})
    for name, count in counts.most_common():
        if count > 1:
            points = 50 if name == "from" else 20
            text = f"There are {count} fields of which there may be one: programs read one or other"
            yield Reason(points=points, text=text, where=_where(name.title(), ""))


def _recipients_and_subject(found: dict[str, list[bytes]]) -> Iterator[Reason]:
    if not {"to", "cc", "bcc"} & set(found):
        yield Reason(points=5, text="No field names a recipient; filters take that for spam")
    if not any(map(bytes.strip, found.get("subject", []))):
        yield Reason(points=5, text="There is no Subject, or an empty one")


def _bytes(subject: Subject) -> Iterator[Reason]:
    """What is not ASCII."""
    raw = [(name.decode("ascii"), value) for name, value in subject.parsed.fields]
    beyond = [name for name, value in raw if not value.isascii()]
    broken = [name for name, value in raw if not _is_utf8(value)]
    yield from gathered(20, "It has bytes that are neither ASCII nor UTF-8", broken)
    if not broken:
        text = "It is not ASCII: servers without SMTPUTF8 (RFC 6531) do not take it"
        yield from gathered(5, text, beyond)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _where(name: str, value: str) -> str:
    return f"{name}: {value}"[:MAX_WHERE_CHARS] if value else name
