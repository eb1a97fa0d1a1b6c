"""What a report says to people: its subject, and the text that stands before what programs read."""

from datetime import datetime
from email.utils import format_datetime
from textwrap import fill
from typing import Final

from mailsacd.core.outcome import Outcome

SUBJECTS: Final = {
    "failed": "Your message could not be delivered",
    "delayed": "Your message is delayed",
    "delivered": "Your message was delivered",
    "relayed": "Your message was passed on",
    "expanded": "Your message was passed on to several",
}

_SENTENCES: Final = {
    "failed": "Your message could not be delivered to this recipient, and is not tried again:",
    "delayed": "Your message could not be delivered to this recipient yet. You need not send it "
    "again, we keep trying:",
    "delivered": "Your message was delivered to this recipient:",
    "relayed": "Your message was passed on to a host that does not tell of its delivery, so you "
    "will hear no more of this recipient from us:",
    "expanded": "Your message was passed on to all for whom this recipient stands:",
}


def explanation(
    action: str,
    address: str,
    outcome: Outcome,
    until: datetime | None,
    *,
    hostname: str,
    is_whole: bool,
) -> str:
    """Return the text, in CRLF lines: what happened, to whom, who said what, what comes back."""
    said = " ".join(f"{outcome.code or ''} {outcome.text}".split())
    paragraphs = [
        f"This is the mail system at {hostname}.",
        _SENTENCES[action],
        f"    {address}",
    ]
    if action in {"failed", "delayed"}:
        who = f"The host {outcome.host} said:" if outcome.host and outcome.code else "The reason:"
        paragraphs += [who, f"    {said or 'none was given'}"]
    if until is not None:
        paragraphs.append(f"It is tried until {format_datetime(until)}.")
    paragraphs.append(
        f"The {'message' if is_whole else 'header of the message'} is attached to this report."
    )
    return "".join(f"{_filled(paragraph)}\r\n\r\n" for paragraph in paragraphs)


def _filled(paragraph: str) -> str:
    indent = "    " if paragraph.startswith(" ") else ""
    filled = fill(
        paragraph.strip(),
        76,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace("\n", "\r\n")
