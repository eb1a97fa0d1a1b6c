"""A message as mailsacd sees it."""

from mailsacd.core.message_form import Mailbox
from mailsacd.mime.extract import links
from mailsacd.mime.parse import parse
from tests.differential.view import Person, View, part, utc


def view(content: bytes) -> View:
    """Return how mailsacd sees the message ``content``."""
    parsed = parse(content)
    return View(
        subject=parsed.subject,
        sender=_people(parsed.sender),
        to=_people(parsed.to),
        cc=_people(parsed.cc),
        bcc=_people(parsed.bcc),
        date=utc(parsed.date),
        message_id=parsed.message_id or "",
        text=parsed.text or "",
        html=parsed.html or "",
        attachments=tuple(part(a.content_type, a.file_name, a.content) for a in parsed.attachments),
        links=links(parsed)[0],
    )


def _people(mailboxes: tuple[Mailbox, ...] | None) -> tuple[Person, ...]:
    return tuple((mailbox.address, mailbox.name) for mailbox in mailboxes or ())
