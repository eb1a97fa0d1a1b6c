"""The one-time codes and confirmation links of a message: a view of it (mail.reading.mailbox)."""

from itertools import chain
from typing import Final

from mailsacd.core.codes_and_links import CodesAndLinks
from mailsacd.core.confirmation_link import confirmation_links
from mailsacd.core.found_codes import Form, found_codes
from mailsacd.core.one_time_code import MAX_CHARS
from mailsacd.mime import anchors
from mailsacd.mime.message import ParsedMessage
from mailsacd.mime.plain import beginning_of_html

WEIGHT: Final = 6
"""As a view of a message: looking for codes takes so many times as long as parsing."""

MAX_TOKENS: Final = 20_000
"""So many tags and texts of HTML are read: mail is laid out by tables within tables."""


def codes_of(parsed: ParsedMessage) -> CodesAndLinks:
    """Return the codes that subject, text and HTML tell, and the links that confirm something."""
    text, html = parsed.text, parsed.html
    bodies: dict[Form, str] = {}
    if text is not None:
        bodies["text"] = text
    if html is not None:
        bodies["html"] = beginning_of_html(html, MAX_CHARS, MAX_TOKENS)
    found = found_codes(parsed.subject, bodies)
    opened = chain(anchors.in_html(html or ""), anchors.in_text(text or ""))
    return CodesAndLinks(
        codes=tuple(each.code for each in found),
        found=found,
        links=confirmation_links(parsed.subject, opened),
    )
