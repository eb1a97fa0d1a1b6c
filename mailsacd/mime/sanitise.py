"""HTML from strangers made fit to be shown: without anything that acts or loads, or as it was sent.

The sanitiser proper is nh3 (the Rust library ammonia). Before it a pass of our own brings the
markup into bounds, because nh3 takes time that grows with the square of how deep tags are nested.
"""

import base64
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

import nh3

from mailsacd.mime import markup
from mailsacd.mime.allowed import ATTRIBUTES, STYLE_PROPERTIES, TAGS
from mailsacd.mime.markup import Tag
from mailsacd.mime.parse import Attachment, ParsedMessage

MAX_DEPTH = 200
MAX_CHARS = 4_000_000  # what goes into nh3; the rest is left out
MAX_INLINED_BYTES = 8_388_608  # of attachments put into one page, before base64

# A value with any of these could load something, or hide from a reader of this list that it does.
_LOADS = re.compile(
    r"url|src|image|import|expression|behavior|binding|element\(|[\\@<]|/\*", re.IGNORECASE
)
# A start tag ends an open element of these kinds by itself, as HTML has it.
_ENDS = {
    "p": frozenset({"p"}),
    "li": frozenset({"li", "p"}),
    "dt": frozenset({"dt", "dd", "p"}),
    "dd": frozenset({"dt", "dd", "p"}),
    "td": frozenset({"td", "th", "p"}),
    "th": frozenset({"td", "th", "p"}),
    "tr": frozenset({"td", "th", "tr", "p"}),
    "tbody": frozenset({"td", "th", "tr", "tbody", "thead", "p"}),
}
_NOTHING: frozenset[str] = frozenset()
_CID = re.compile(r"(?<![\w.-])cid:([^\s\"'<>()]{1,998})", re.IGNORECASE)
_INLINED = re.compile(r"(?:(?:image|audio|video|font)/[\w.+-]{1,80}|application/octet-stream)\Z")


def sanitised_page(parsed: ParsedMessage) -> str:
    """The message as a whole HTML page: no scripts, styles that load, images, links or forms."""
    if parsed.html is None:
        return _text_page(parsed)
    clean = nh3.clean(
        "".join(_bounded(parsed.html))[:MAX_CHARS],
        tags=set(TAGS),
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        filter_style_properties=set(STYLE_PROPERTIES),
        link_rel=None,
        url_schemes=set(),
    )
    return _page(parsed.subject, clean)


def page_as_sent(parsed: ParsedMessage) -> str:
    """The HTML as it was sent, ``cid:`` references replaced by the attachments' data (RFC 2392).

    It must be served where its scripts can do no harm. Only pictures, sound and fonts are put in,
    up to MAX_INLINED_BYTES; other references stay. Without HTML a page with the text.
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

    return _CID.sub(replaced, parsed.html)


def _data_url(attachment: Attachment) -> str:
    encoded = base64.b64encode(attachment.content).decode("ascii")
    return f"data:{attachment.content_type};base64,{encoded}"


def _attribute(_tag: str, name: str, value: str) -> str | None:
    return None if name == "style" and _LOADS.search(value) else value


def _bounded(source: str) -> Iterator[str]:
    """``source`` with the allowed tags alone, each closed, and none deeper than MAX_DEPTH."""
    stack: list[str] = []
    for token in markup.tokens(source):
        if not isinstance(token, Tag):
            yield token.replace("<", "&lt;").replace(">", "&gt;")
        elif token.name not in TAGS:
            continue
        elif token.closing:
            if token.name in stack:
                while (name := stack.pop()) != token.name:
                    yield f"</{name}>"
                yield f"</{token.name}>"
        else:
            ends = _ENDS.get(token.name, _NOTHING)
            while stack and stack[-1] in ends:
                yield f"</{stack.pop()}>"
            if token.name in markup.VOID:
                yield _written(token)
            elif len(stack) < MAX_DEPTH:
                stack.append(token.name)
                yield _written(token)
    yield from (f"</{name}>" for name in reversed(stack))


def _written(tag: Tag) -> str:
    inside = tag.inside.rstrip("/").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{tag.name}{inside}>"


def _text_page(parsed: ParsedMessage) -> str:
    return _page(parsed.subject, f"<pre>{html.escape(parsed.text or '')}</pre>")


def _page(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title></head>\n<body>{body}</body></html>\n"
    )
