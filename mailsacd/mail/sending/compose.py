"""From a draft to the bytes of a message, by the standard library's email package."""

from collections.abc import Sequence
from email.header import Header
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from typing import Any, Final

from mailsacd.mail.sending.attachments import Attachment
from mailsacd.mail.sending.draft import Draft
from mailsacd.mail.sending.mailboxes import Mailbox

MAX_LINE: Final = 76
"""Characters of a line of the header after which another is begun, where there is a space."""
_MAX_PLAIN_TEXT: Final = 900  # with the field's name well within a line (RFC 5322 section 2.1.1)

SEVEN_BIT: Final = SMTP.clone(cte_type="7bit")
"""Whatever hosts are on the way, none has to encode a message anew and so break its signature."""


def compose(draft: Draft) -> bytes:
    """The message of ``draft`` in lines that end in CRLF, without Bcc, Date and Message-ID.

    Runs in any thread. The time is linear in the size of the draft.
    """
    message = EmailMessage(policy=SEVEN_BIT)
    message["MIME-Version"] = "1.0"
    _set_body(message, draft)
    for attachment in draft.attachments:
        if not _is_shown(attachment, draft):
            message.add_attachment(attachment.content, **_described(attachment))
    people = (
        ("From", (draft.sender,) if draft.sender else ()),
        ("To", draft.to),
        ("Cc", draft.cc),
        ("Reply-To", draft.reply_to),
    )
    head = [address_field(name, several) for name, several in people if several]
    head.append(text_field("Subject", draft.subject))
    for name, ids in (("In-Reply-To", draft.in_reply_to), ("References", draft.references)):
        if ids:
            head.append(folded_field(name, " ".join(ids)))
    return "".join(head).encode() + message.as_bytes()


def address_field(name: str, people: Sequence[Mailbox]) -> str:
    """The header field ``name`` with ``people``, in lines that end in CRLF."""
    lines = [f"{name}:"]
    for place, one in enumerate(people):
        written = one.written() + ("," if place < len(people) - 1 else "")
        if len(lines[-1]) + len(written) > MAX_LINE and place:
            lines.append("")
        lines[-1] += f" {written}"
    return "\r\n".join(lines) + "\r\n"


def folded_field(name: str, words: str) -> str:
    """The header field ``name`` with printable ASCII, folded at spaces, in CRLF lines."""
    lines = [f"{name}:"]
    for word in words.split(" "):
        if len(lines[-1]) + len(word) > MAX_LINE and lines[-1].strip():
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def text_field(name: str, text: str) -> str:
    """The header field ``name`` with any ``text`` of one line, encoded (RFC 2047) where it has to
    be, in lines that end in CRLF."""
    if text.isascii() and "=?" not in text and len(text) < _MAX_PLAIN_TEXT:
        return f"{name}: {text}\r\n"
    encoded = Header(text, "utf-8", header_name=name).encode(linesep="\r\n")
    return f"{name}: {encoded}\r\n"


def _set_body(message: EmailMessage, draft: Draft) -> None:
    if draft.html is None:
        message.set_content(draft.text or "")
        return
    shown = [each for each in draft.attachments if _is_shown(each, draft)]
    html: MIMEPart = message
    if draft.text is not None:
        message.set_content(draft.text)
        message.add_alternative(draft.html, subtype="html")
        html = list(message.iter_parts())[-1]
    else:
        message.set_content(draft.html, subtype="html")
    for attachment in shown:
        html.add_related(attachment.content, **_described(attachment))


def _is_shown(attachment: Attachment, draft: Draft) -> bool:
    return bool(attachment.content_id) and draft.html is not None


def _described(attachment: Attachment) -> dict[str, Any]:
    shown = attachment.inline or bool(attachment.content_id)
    return {
        "maintype": attachment.family,
        "subtype": attachment.subtype,
        "disposition": "inline" if shown else "attachment",
        "filename": attachment.file_name or None,
        "cid": f"<{attachment.content_id}>" if attachment.content_id else None,
        "params": dict(attachment.parameters) or None,
    }
