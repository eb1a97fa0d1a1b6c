"""What can be read out of a parsed message: its links, and a text when it has only HTML."""

import html
import re

from mailsacd.mime.parse import ParsedMessage

MAX_LINKS = 1_000
MAX_LINK_CHARS = 2_083

_URL = re.compile(r"(?:https?|ftp)://[^\s<>\"\x00-\x1f\x7f]{1,2100}", re.IGNORECASE)


def links(parsed: ParsedMessage) -> tuple[str, ...]:
    """Every URL in the text and the HTML."""
    seen: dict[str, None] = {}
    for text in (parsed.text, html.unescape(parsed.html) if parsed.html else None):
        for match in _URL.finditer(text or ""):
            seen.setdefault(match[0].rstrip(".,;:!?'\")]}>"))
            if len(seen) >= MAX_LINKS:
                return tuple(seen)
    return tuple(seen)


def text_of(parsed: ParsedMessage) -> str:
    """The text part, else a text made from the HTML."""
    if parsed.text is not None:
        return parsed.text
    return ""
