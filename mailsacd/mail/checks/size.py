"""How large a message is, and what that has mail programs and servers do."""

from typing import Final

from mailsacd.mail.checks.check import Reason, Result, Subject, scored
from mailsacd.mime.bodies import chosen

NAME: Final = "size"
CLIPPED_FROM_BYTES: Final = 102_000
"""Gmail shows so much of a page, and a link to the rest. It says 102 KB: the smaller reading."""

_NEARLY: Final = 0.9
_LARGE_BYTES: Final = 10_000_000
_REFUSED_BYTES: Final = 25_000_000
"""Gmail and many others take no larger message; 10 MB is what nearly everybody takes."""


def check_size(subject: Subject) -> Result:
    """Whether the HTML is clipped, and whether servers may refuse the message for its size."""
    html_bytes = sum(
        len(body.leaf.content) for body in chosen(subject.parsed.bodies, "page") if body.is_html
    )
    message_bytes = len(subject.content)
    data = {
        "messageBytes": message_bytes,
        "htmlBytes": html_bytes,
        "attachmentBytes": sum(len(each.content) for each in subject.parsed.attachments),
        "clippedFromBytes": CLIPPED_FROM_BYTES,
    }
    return scored(NAME, (*_of_html(html_bytes), *_of_message(message_bytes)), data)


def _of_html(html_bytes: int) -> tuple[Reason, ...]:
    share = html_bytes / CLIPPED_FROM_BYTES
    if share > 1:
        text = f"Gmail clips the HTML, of {html_bytes} bytes, after {CLIPPED_FROM_BYTES}"
        return (Reason(points=50, text=text),)
    if share > _NEARLY:
        text = f"The HTML, of {html_bytes} bytes, is nearly so long that Gmail clips it"
        return (Reason(points=10, text=text),)
    return ()


def _of_message(message_bytes: int) -> tuple[Reason, ...]:
    if message_bytes > _REFUSED_BYTES:
        return (Reason(points=50, text="Most servers refuse messages of over 25 MB"),)
    if message_bytes > _LARGE_BYTES:
        return (Reason(points=20, text="Some servers refuse messages of over 10 MB"),)
    return ()
