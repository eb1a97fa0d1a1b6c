"""The one-time codes and confirmation links of a message: a view of it (mail.reading.mailbox)."""

from itertools import chain
from typing import Final

import msgspec

from mailsacd.core.confirmation_link import FoundLink, confirmation_links
from mailsacd.core.found_codes import Form, FoundCode, found_codes
from mailsacd.core.one_time_code import MAX_CHARS
from mailsacd.mime import anchors
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.plain import beginning_of_html

MAX_TOKENS: Final = 20_000
"""So many tags and texts of HTML are read: mail is laid out by tables within tables."""


class MessageCodes(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is to type or to open, likeliest first."""

    codes: tuple[FoundCode, ...]
    links: tuple[FoundLink, ...]


def codes_of(parsed: ParsedMessage) -> MessageCodes:
    """Return the codes that subject, text and HTML tell, and the links that confirm something."""
    text, html = parsed.text, parsed.html
    bodies: dict[Form, str] = {}
    if text is not None:
        bodies["text"] = text
    if html is not None:
        bodies["html"] = beginning_of_html(html, MAX_CHARS, MAX_TOKENS)
    found = chain(anchors.in_html(html or ""), anchors.in_text(text or ""))
    return MessageCodes(
        codes=found_codes(parsed.subject, bodies),
        links=confirmation_links(parsed.subject, found),
    )
