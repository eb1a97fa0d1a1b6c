"""Reports about mail (DSN): what a sender is told of one recipient, as a message to be queued.

RFC 3464 says what they look like, RFC 3461 who gets which, RFC 6533 what is different with
addresses beyond ASCII. A report has no reverse-path, so that nothing is ever reported about it.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Final, Literal

from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import NewOutgoing, OutgoingRecipient
from mailsacd.core.relay import QueuedMessage
from mailsacd.mail.sending.report_text import SUBJECTS, explanation

Action = Literal["failed", "delayed", "delivered", "relayed", "expanded"]
"""What happened, in the words of RFC 3464 section 2.3.3."""

MAX_RETURNED_BYTES: Final = 1_048_576
"""Of a larger message the header alone goes back, though its sender asked for all of it."""
MAX_HEADER_BYTES: Final = 65_536

_LINE_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
_MAX_LINE: Final = 900  # octets, below the 998 of RFC 5322 section 2.1.1
_HEADER_END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened to one recipient at ``time``; if it is ``delayed``, it is tried again until
    ``until``."""

    action: Action
    recipient: OutgoingRecipient
    outcome: Outcome
    time: datetime
    until: datetime | None = None


def report(message: QueuedMessage, event: Event, *, hostname: str, token: str) -> NewOutgoing:
    """Return the report about ``event``, to the sender of ``message``.

    ``hostname`` is our own, ``token`` is unique: Message-ID and the parts' boundary have it. The
    original's header goes along, or all of it after a failure whose sender asked for RET=FULL
    (RFC 3461 section 4.3).
    """
    sender = f"mailer-daemon@{hostname}"
    message_id = f"{token}@{hostname}"
    event = replace(event, outcome=_clean(event.outcome))
    head = _head(message, event, sender, message_id, boundary=f"=_{token}")
    returned, is_whole = _returned(message, event)
    kind = "global" if message.smtputf8 else ""
    text = explanation(
        event.action,
        event.recipient.address,
        event.outcome,
        event.until,
        hostname=hostname,
        is_whole=is_whole,
    )
    parts = (
        ("text/plain; charset=utf-8", text.encode()),
        (
            f"message/{kind and 'global-'}delivery-status",
            _status(message, event, hostname).encode(),
        ),
        (_returned_type(kind, is_whole=is_whole), returned),
    )
    body = b"".join(_part(f"=_{token}", *part) for part in parts)
    return NewOutgoing(
        account=None,
        origin="report",
        reverse_path="",
        header_from=sender,
        subject=SUBJECTS[event.action],
        message_id=message_id,
        content=head + b"\r\n" + body + f"--=_{token}--\r\n".encode(),
        recipients=(OutgoingRecipient(address=message.reverse_path, notify="NEVER"),),
        smtputf8=message.smtputf8 and not (head + returned).isascii(),
    )


def _head(
    message: QueuedMessage, event: Event, sender: str, message_id: str, boundary: str
) -> bytes:
    return _lines(
        f"From: Mail Delivery System <{sender}>",
        f"To: <{message.reverse_path}>",
        f"Subject: {SUBJECTS[event.action]}",
        f"Date: {format_datetime(event.time)}",
        f"Message-ID: <{message_id}>",
        *_references(message.message_id),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"',
    )


def _clean(outcome: Outcome) -> Outcome:
    """What a host said, each in one line that is not too long."""
    return replace(
        outcome,
        status=_cut(one_line(outcome.status)),
        text=_cut(one_line(outcome.text)),
        host=_cut(one_line(outcome.host)),
    )


def _status(message: QueuedMessage, event: Event, hostname: str) -> str:
    """The fields of RFC 3464 section 2: of the message, a blank line, of the recipient."""
    address, outcome, orcpt = event.recipient.address, event.outcome, event.recipient.orcpt
    address_type = "rfc822" if address.isascii() else "utf-8"
    reply = f"{outcome.code} {outcome.status} {outcome.text}" if outcome.code else ""
    fields = (
        ("Original-Envelope-Id", _decoded(message.envid or "")),
        ("Reporting-MTA", f"dns; {hostname}"),
        ("Arrival-Date", format_datetime(message.created)),
        ("", ""),
        ("Original-Recipient", _original(orcpt) if orcpt else ""),
        ("Final-Recipient", f"{address_type}; {address}"),
        ("Action", event.action),
        ("Status", outcome.status or "4.0.0"),
        ("Remote-MTA", f"dns; {outcome.host}" if outcome.host and outcome.code else ""),
        ("Diagnostic-Code", f"smtp; {reply}" if reply else ""),
        ("Last-Attempt-Date", format_datetime(event.time)),
        ("Will-Retry-Until", format_datetime(event.until) if event.until else ""),
    )
    is_utf8 = message.smtputf8
    lines = [_field(name, value, is_utf8=is_utf8) for name, value in fields if value or not name]
    return "".join(lines)


def _field(name: str, value: str, *, is_utf8: bool) -> str:
    if not name:
        return "\r\n"
    clean = one_line(value)
    if not is_utf8:
        clean = clean.encode("ascii", "replace").decode()
    return f"{name}: {_cut(clean)}\r\n"


def _cut(text: str) -> str:
    return text.encode()[:_MAX_LINE].decode(errors="ignore")


def _original(orcpt: str) -> str:
    """``rfc822;a+2Bb@d`` as ``rfc822; a+b@d`` (RFC 3461 section 4.2)."""
    address_type, _, address = orcpt.partition(";")
    return f"{address_type}; {_decoded(address)}"


def _decoded(xtext: str) -> str:
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), xtext)


def one_line(text: str) -> str:
    """``text`` without line breaks and other controls, as it may stand in a field."""
    return _LINE_BREAKS.sub(" ", text).strip()


def _returned(message: QueuedMessage, event: Event) -> tuple[bytes, bool]:
    """What goes back of the message, and whether that is all of it."""
    content = message.content
    is_asked_for = event.action == "failed" and message.ret == "FULL"
    if is_asked_for and len(content) <= MAX_RETURNED_BYTES:
        return content, True
    head = content[: max(content.find(_HEADER_END), 0) + 2]
    if len(head) > MAX_HEADER_BYTES:  # at the end of a line
        head = head[: head.rindex(b"\r\n", 0, MAX_HEADER_BYTES) + 2]
    return head, False


def _returned_type(kind: str, *, is_whole: bool) -> str:
    if is_whole:
        return f"message/{kind or 'rfc822'}"
    return "message/global-headers" if kind else "text/rfc822-headers"


def _part(boundary: str, content_type: str, content: bytes) -> bytes:
    encoding = "7bit" if content.isascii() else "8bit"
    head = f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}"
    end = b"" if content.endswith(b"\r\n") else b"\r\n"
    return head.encode() + b"\r\n\r\n" + content + end


def _references(message_id: str) -> tuple[str, ...]:
    """So that mail programs show the report beside the message. An overlong id is left out."""
    clean = one_line(message_id).replace(" ", "").strip("<>")
    if not clean or not clean.isascii() or len(clean) > _MAX_LINE:
        return ()
    return (f"In-Reply-To: <{clean}>", f"References: <{clean}>")


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
