"""The mail that answers mail on purpose: a report of its failure, of abuse, or an automatic reply.

Pure: what is known of a message makes another one, to be queued. None has a reverse-path, so that
nothing answers it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from mailsacd.core.envelope import Envelope
from mailsacd.core.fault import SmtpFault
from mailsacd.core.fault_condition import ExaminedMessage
from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import NewOutgoing, OutgoingRecipient
from mailsacd.core.relay import QueuedMessage
from mailsacd.core.token import utc_from_ms
from mailsacd.mail.sending.report_parts import cut, header_of, lines, one_line, part, references
from mailsacd.mail.sending.reports import Event, report

_COMPLAINT: Final = "This is a complaint about a message, sent on purpose: who sent it is tested."
_REPLY: Final = "This is an automatic answer, sent on purpose: who sent the message is tested."
_BULK: Final = frozenset({"bulk", "list", "junk"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A message to be answered, at ``time``, for the account ``owner``: what came in the
    ``envelope`` for ``recipient``, whose content is ``message``. ``token`` is unique; ``hostname``
    is our own."""

    envelope: Envelope
    message: ExaminedMessage
    recipient: str
    owner: str
    time: datetime
    token: str
    hostname: str

    @property
    def header(self) -> bytes:
        """The message's header, in CRLF lines whatever it had."""
        content = self.envelope.content
        lf = content[: 2 * _MOST].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        head = lf.partition(b"\n\n")[0][:_MOST] + b"\n\n"
        return header_of(head.replace(b"\n", b"\r\n"))

    def field(self, name: str) -> str:
        """The first value of a field of the message, in one line; empty without one."""
        return cut(one_line(next(iter(self.message.values(name)), "")))


_MOST: Final = 32_768


def answer_to(fault: SmtpFault, answered: Answered, by: str) -> NewOutgoing | None:
    """Return what is sent by ``fault``, which is known as ``by``; None where no mail may answer."""
    if not answered.envelope.reverse_path:
        return None
    if fault.do == "bounce":
        return _bounce(fault, answered, by)
    if fault.do == "complain":
        return _complaint(fault, answered)
    return None if _is_automatic(answered) else _reply(fault, answered)


def _bounce(fault: SmtpFault, answered: Answered, by: str) -> NewOutgoing:
    """RFC 3464. With a status of class 4 the report tells that the message is late."""
    envelope, status = answered.envelope, fault.status or "5.0.0"
    is_late = status.startswith("4")
    path = envelope.reverse_path
    message = QueuedMessage(
        id=envelope.id,
        account=answered.owner,
        origin="report",
        reverse_path=path,
        message_id=answered.field("Message-ID"),
        created=utc_from_ms(envelope.received_ms),
        content=answered.header + b"\r\n",
        ret=None,
        envid=envelope.envid,
        smtputf8=not (path + answered.recipient).isascii(),
    )
    event = Event(
        action="delayed" if is_late else "failed",
        recipient=OutgoingRecipient(address=answered.recipient),
        outcome=Outcome(
            code=450 if is_late else 550,
            status=status,
            text=fault.text or f"Bounced on purpose, by {by}",
        ),
        time=answered.time,
    )
    made = report(message, event, hostname=answered.hostname, token=answered.token)
    return replace(made, account=answered.owner)


def _complaint(fault: SmtpFault, answered: Answered) -> NewOutgoing:
    """RFC 5965: what people read, what programs read, and the header of the message."""
    envelope, boundary = answered.envelope, f"=_{answered.token}"
    told = lines(
        f"Feedback-Type: {fault.feedback}",
        "User-Agent: mailsacd/1",
        "Version: 1",
        f"Original-Mail-From: <{envelope.reverse_path}>",
        f"Original-Rcpt-To: <{answered.recipient}>",
        f"Arrival-Date: {format_datetime(utc_from_ms(envelope.received_ms))}",
        f"Source-IP: {envelope.reception.peer_ip}",
        f"Reporting-MTA: dns; {answered.hostname}",
    )
    text = fault.text or _COMPLAINT
    parts = (
        ("text/plain; charset=utf-8", f"{text}\r\n".encode()),
        ("message/feedback-report", told),
        ("text/rfc822-headers", answered.header),
    )
    body = b"".join(part(boundary, *each) for each in parts) + f"--{boundary}--\r\n".encode()
    return _made(
        answered,
        sender=f"mailer-daemon@{answered.hostname}",
        subject=f"FW: {answered.field('Subject')}".strip(),
        content_type=f'multipart/report; report-type=feedback-report;\r\n boundary="{boundary}"',
        body=body,
    )


def _reply(fault: SmtpFault, answered: Answered) -> NewOutgoing:
    """RFC 3834, from the recipient."""
    return _made(
        answered,
        sender=answered.recipient,
        subject=f"Auto: {answered.field('Subject')}".strip(),
        content_type="text/plain; charset=utf-8",
        body=f"{fault.text or _REPLY}\r\n".encode(),
    )


def _is_automatic(answered: Answered) -> bool:
    """Whether no automatic answer is due (RFC 3834 section 2)."""
    submitted = answered.field("Auto-Submitted").lower()
    return (
        submitted not in {"", "no"}
        or answered.field("Precedence").lower() in _BULK
        or bool(answered.field("List-Id"))
    )


def _made(
    answered: Answered, *, sender: str, subject: str, content_type: str, body: bytes
) -> NewOutgoing:
    path, message_id = answered.envelope.reverse_path, f"{answered.token}@{answered.hostname}"
    head = lines(
        f"From: <{sender}>",
        f"To: <{path}>",
        f"Subject: {subject}",
        f"Date: {format_datetime(answered.time)}",
        f"Message-ID: <{message_id}>",
        *references(answered.field("Message-ID")),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f"Content-Type: {content_type}",
    )
    return NewOutgoing(
        account=answered.owner,
        origin="report",
        reverse_path="",
        header_from=sender,
        subject=subject,
        message_id=message_id,
        content=head + b"\r\n" + body,
        recipients=(OutgoingRecipient(address=path, notify="NEVER"),),
        smtputf8=not (path + sender + subject).isascii(),
    )
