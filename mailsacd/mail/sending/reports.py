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
from mailsacd.mail.sending.report_parts import cut, header_of, lines, one_line, part, references
from mailsacd.mail.sending.report_text import SUBJECTS, explanation

Action = Literal["failed", "delayed", "delivered", "relayed", "expanded"]
"""What happened, in the words of RFC 3464 section 2.3.3."""

MAX_RETURNED_BYTES: Final = 1_048_576
"""Of a larger message the header alone goes back, though its sender asked for all of it."""

_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")


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
    body = b"".join(part(f"=_{token}", *each) for each in parts)
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
    return lines(
        f"From: Mail Delivery System <{sender}>",
        f"To: <{message.reverse_path}>",
        f"Subject: {SUBJECTS[event.action]}",
        f"Date: {format_datetime(event.time)}",
        f"Message-ID: <{message_id}>",
        *references(message.message_id),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"',
    )


def _clean(outcome: Outcome) -> Outcome:
    """What a host said, each in one line that is not too long."""
    return replace(
        outcome,
        status=cut(one_line(outcome.status)),
        text=cut(one_line(outcome.text)),
        host=cut(one_line(outcome.host)),
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
    written = [_field(name, value, is_utf8=is_utf8) for name, value in fields if value or not name]
    return "".join(written)


def _field(name: str, value: str, *, is_utf8: bool) -> str:
    if not name:
        return "\r\n"
    clean = one_line(value)
    if not is_utf8:
        clean = clean.encode("ascii", "replace").decode()
    return f"{name}: {cut(clean)}\r\n"


def _original(orcpt: str) -> str:
    """``rfc822;a+2Bb@d`` as ``rfc822; a+b@d`` (RFC 3461 section 4.2)."""
    address_type, _, address = orcpt.partition(";")
    return f"{address_type}; {_decoded(address)}"


def _decoded(xtext: str) -> str:
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), xtext)


def _returned(message: QueuedMessage, event: Event) -> tuple[bytes, bool]:
    """What goes back of the message, and whether that is all of it."""
    content = message.content
    is_asked_for = event.action == "failed" and message.ret == "FULL"
    if is_asked_for and len(content) <= MAX_RETURNED_BYTES:
        return content, True
    return header_of(content), False


def _returned_type(kind: str, *, is_whole: bool) -> str:
    if is_whole:
        return f"message/{kind or 'rfc822'}"
    return "message/global-headers" if kind else "text/rfc822-headers"
