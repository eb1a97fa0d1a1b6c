"""HTML from strangers made fit to be shown: without anything that acts or loads, or as it was sent.

The sanitiser proper is nh3 (the Rust library ammonia). It is given HTML that `balance` has written
anew: what strangers write takes it time that grows with the square of the length, or more.
"""

import base64
import html
import re
from urllib.parse import unquote

import nh3

from mailsacd.mime import markup, pieces
from mailsacd.mime.allowed import ATTRIBUTES, STYLE_PROPERTIES, TAGS
from mailsacd.mime.balance import balanced
from mailsacd.mime.bodies import chosen, preformatted, within_limits
from mailsacd.mime.extract import readable
from mailsacd.mime.message import with_plain_newlines
from mailsacd.mime.parse import Attachment, ParsedMessage

MAX_INLINED_BYTES = 8_388_608  # of attachments put into one page, before base64

# A value with any of these could load something, or hide from a reader of this list that it does.
_LOADS = re.compile(
    r"url|src|image|import|expression|behavior|binding|element\(|[\\@<]|/\*", re.IGNORECASE
)
_CID = re.compile(r"(?<![\w.-])cid:([^\s\"'<>()]{1,998})", re.IGNORECASE)
_INLINED = re.compile(r"(?:(?:image|audio|video|font)/[\w.+-]{1,80}|application/octet-stream)\Z")


def sanitised_page(parsed: ParsedMessage) -> str:
    """Return the message as a whole HTML page that does nothing but show itself.

    It has no scripts, images, links, forms or styles that load anything. A message without HTML
    becomes a page with its text. The function never raises.
    """
    shown = chosen(parsed.bodies, "page without pictures")
    if not any(body.is_html for body in shown):
        return _text_page(parsed)
    clean = [
        _sanitised(body.source) if body.is_html else preformatted(body.source)
        for body in within_limits(shown)
    ]
    return _page(parsed.subject, "\n".join(map(with_plain_newlines, clean)))


def _sanitised(source: str) -> str:
    return nh3.clean(
        "".join(balanced(source)),
        tags=set(TAGS),
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        filter_style_properties=set(STYLE_PROPERTIES),
        link_rel=None,
        url_schemes=set(),
    )


def page_as_sent(parsed: ParsedMessage) -> str:
    """Return the HTML as it was sent, with the data of attachments in place of ``cid:`` URLs.

    These URLs are those of RFC 2392. Pictures, sound and fonts are put in, MAX_INLINED_BYTES of
    them; other references stay. A message without HTML becomes a page with its text. The page must
    be served where its scripts can do no harm.
    """
    if parsed.html is None:
        return _text_page(parsed)
    by_id = {a.content_id.lower(): a for a in reversed(parsed.attachments) if a.content_id}
    if not by_id:
        return parsed.html
    urls: dict[str, str] = {}
    room = MAX_INLINED_BYTES

    def replaced(match: re.Match[str]) -> str:
        nonlocal room
        name = unquote(markup.unescape_attribute(match[1])).strip("<>").lower()
        attachment = by_id.get(name)
        if attachment is None or not _INLINED.match(attachment.content_type):
            return match[0]
        room -= len(attachment.content)
        if room < 0:
            return match[0]
        if name not in urls:
            urls[name] = _data_url(attachment)
        return urls[name]

    return "".join(_CID.sub(replaced, piece) for piece in pieces.words(parsed.html))


def _data_url(attachment: Attachment) -> str:
    encoded = base64.b64encode(attachment.content).decode("ascii")
    return f"data:{attachment.content_type};base64,{encoded}"


def _attribute(_tag: str, name: str, value: str) -> str | None:
    return None if name == "style" and _LOADS.search(value) else value


def _text_page(parsed: ParsedMessage) -> str:
    return _page(parsed.subject, preformatted(readable(parsed.bodies)))


def _page(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title></head>\n<body>{body}</body></html>\n"
    )
