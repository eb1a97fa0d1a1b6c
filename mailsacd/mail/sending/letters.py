"""What the daemon itself writes to people: plain text, and the same as a simple page."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from html import escape

from mailsacd.mail.sending.compose import SEVEN_BIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """``paragraphs`` are plain text; ``link`` is a URL that stands after them, or None."""

    subject: str
    paragraphs: tuple[str, ...]
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From whom and to whom a letter goes, when, and under which Message-ID (in angle brackets)."""

    sender: str
    recipient: str
    date: datetime
    message_id: str


def reset_letter(link: str, *, login: str, server: str, hours: int) -> Letter:
    """Tell by which link the password of ``login`` is set anew, within ``hours``."""
    return Letter(
        subject=f"Set a new password at {server}",
        paragraphs=(
            f"Somebody, most likely you, has asked for a new password for {login} at {server}.",
            f"This link sets it, once, within {_hours(hours)}:",
        ),
        link=link,
    )


def usage_letter(*, account: str, server: str, percent: int, limit: int) -> Letter:
    """Tell that an account has used ``percent`` of the ``limit`` operations of the month."""
    used = f"{percent} % of the {limit:,} operations that its plan has for this month"
    further = (
        "Until the month ends (UTC), calls and logins are refused that would count as further ones."
        if percent >= 100
        else "When all are used, further ones are refused until the month ends (UTC)."
    )
    return Letter(
        subject=f"{account} has used {percent} % of its operations at {server}",
        paragraphs=(
            f"The account {account} at {server} has used {used}.",
            further,
            "What it used is told by GET /api/usage. Who runs the server can change the limit.",
        ),
    )


def invitation_letter(link: str, *, server: str, days: int) -> Letter:
    """Tell by which link somebody signs up, within ``days``."""
    return Letter(
        subject=f"Your invitation to {server}",
        paragraphs=(
            f"You are invited to have an account at {server}.",
            f"This link makes it, once, within {days} days:",
        ),
        link=link,
    )


def written(letter: Letter, envelope: Envelope) -> bytes:
    """Return the whole message, in lines that end in CRLF.

    It is ASCII alone, but for its header where an address is not (RFC 6532).
    """
    is_ascii = (envelope.sender + envelope.recipient).isascii()
    message = EmailMessage(policy=SEVEN_BIT.clone(utf8=not is_ascii))
    message["From"] = envelope.sender
    message["To"] = envelope.recipient
    message["Subject"] = letter.subject
    message["Date"] = envelope.date
    message["Message-ID"] = envelope.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5
    parts = (*letter.paragraphs, *((letter.link,) if letter.link else ()))
    message.set_content("\n\n".join(parts) + "\n")
    page = "".join(f"<p>{escape(text)}</p>\n" for text in letter.paragraphs)
    if letter.link:
        url = escape(letter.link, quote=True)
        page += f'<p><a href="{url}">{url}</a></p>\n'
    message.add_alternative(f"<!doctype html>\n<html><body>\n{page}</body></html>\n", "html")
    return message.as_bytes()


def _hours(hours: int) -> str:
    return f"{hours} hours" if hours > 1 else "an hour"
