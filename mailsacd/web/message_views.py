"""What the page of a message shows of its structure, each made by one look at it.

They run in a thread when the message is large: each touches nothing but its argument.
"""

import re
from functools import partial
from typing import Final

import msgspec

from mailsacd.core.codes_and_links import CodesAndLinks
from mailsacd.http.server.answer import text_bytes
from mailsacd.mail.reading.message_codes import codes_of
from mailsacd.mime.extract import text_of
from mailsacd.mime.message import Attachment, ParsedMessage
from mailsacd.mime.sanitise import page_as_sent
from mailsacd.web.visit import THEMES, Theme

MAX_TEXT_CHARACTERS: Final = 40_000
MAX_FIELDS: Final = 200
MAX_VALUE_CHARACTERS: Final = 2_000
MAX_ATTACHMENTS: Final = 200

_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", b"image/png"),
    (b"\xff\xd8\xff", b"image/jpeg"),
    (b"GIF87a", b"image/gif"),
    (b"GIF89a", b"image/gif"),
)
_INSTEAD: Final = {
    "link": "basefont",
    "iframe": "noembed",
    "frame": "head",
    "object": "applet",
    "embed": "wbr",
}
_CONNECTS: Final = re.compile(
    rf"(?<=[</])(?:{'|'.join(_INSTEAD)})(?=[\s/>]|\Z)", re.IGNORECASE | re.ASCII
)
_REFERENCE: Final = re.compile(r"href(?=\s*=)", re.IGNORECASE)
_SCHEME: Final = re.compile(r"prefers-color-scheme\s{0,9}:\s{0,9}(light|dark)\b", re.IGNORECASE)
_DOCTYPE: Final = re.compile(r"<!doctype[^>]*>", re.IGNORECASE)
_DOCTYPE_WITHIN: Final = 1_000  # characters
_OPENS_TABS: Final = '<base target="_blank">'
_LIKE_LINKS: Final = (
    "<style>:where(a[x-href]){color:-webkit-link;text-decoration:underline}</style>"
)


class AttachmentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment; ``is_picture`` if a browser may show it as one."""

    name: str
    content_type: str
    size: int
    checksum: str
    is_picture: bool


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` has MAX_TEXT_CHARACTERS at most: ``cut`` tells that there are more."""

    has_html: bool
    codes: CodesAndLinks
    text: str
    cut: bool


class HeaderFields(msgspec.Struct, frozen=True, kw_only=True):
    """The first MAX_FIELDS fields, with MAX_VALUE_CHARACTERS of each value at most."""

    has_html: bool
    fields: tuple[tuple[str, str], ...]
    cut: bool


class AttachmentList(msgspec.Struct, frozen=True, kw_only=True):
    """The first MAX_ATTACHMENTS attachments."""

    has_html: bool
    attachments: tuple[AttachmentFacts, ...]


def overview(parsed: ParsedMessage) -> Overview:
    """What one wants to know first: the text, and the codes and confirmation links in it."""
    text = text_of(parsed)
    return Overview(
        has_html=parsed.html is not None,
        codes=codes_of(parsed),
        text=text[:MAX_TEXT_CHARACTERS],
        cut=len(text) > MAX_TEXT_CHARACTERS,
    )


def has_html(parsed: ParsedMessage) -> bool:
    """Whether there is HTML to show."""
    return parsed.html is not None


def header_fields(parsed: ParsedMessage) -> HeaderFields:
    """The header fields in their order, decoded."""
    shown = parsed.headers[:MAX_FIELDS]
    return HeaderFields(
        has_html=parsed.html is not None,
        fields=tuple((name, value[:MAX_VALUE_CHARACTERS]) for name, value in shown),
        cut=len(parsed.headers) > MAX_FIELDS
        or any(len(value) > MAX_VALUE_CHARACTERS for _, value in shown),
    )


def attachment_list(parsed: ParsedMessage) -> AttachmentList:
    """What is attached, in the order of the message."""
    return AttachmentList(
        has_html=parsed.html is not None,
        attachments=tuple(map(_facts, parsed.attachments[:MAX_ATTACHMENTS])),
    )


def pictures(parsed: ParsedMessage) -> dict[str, tuple[bytes, bytes]]:
    """Type and bytes of the attachments that a browser may show as pictures, by checksum."""
    found = ((each, picture_type(each)) for each in parsed.attachments[:MAX_ATTACHMENTS])
    return {each.checksum: (kind, each.content) for each, kind in found if kind}


def picture_type(attachment: Attachment) -> bytes:
    """The media type of a picture, by its first bytes; ``b""`` for what is none.

    Only what says that it is a picture is looked at, and whatever it says, it is one of these
    four: an SVG is a document, which may have scripts.
    """
    if not attachment.content_type.startswith("image/"):
        return b""
    content = attachment.content
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return b"image/webp"
    return next((kind for begins, kind in _PICTURES if content.startswith(begins)), b"")


def _framed(parsed: ParsedMessage, *, loads: bool, theme: Theme) -> bytes:
    page = _SCHEME.sub(partial(_decided, theme=theme), _without_connecting(page_as_sent(parsed)))
    scheme = theme if "color-scheme" in page.lower() else "light"
    begins = f"<style>:root{{color-scheme:{scheme}!important}}</style>"
    if loads:
        begins += _OPENS_TABS
    else:
        page, begins = _REFERENCE.sub("x-href", page), begins + _LIKE_LINKS
    doctype = _DOCTYPE.search(page, 0, _DOCTYPE_WITHIN)
    end = doctype.end() if doctype else 0
    return text_bytes(page[:end] + begins + page[end:])


FRAMES: Final = {
    (loads, theme): partial(_framed, loads=loads, theme=theme)
    for loads in (False, True)
    for theme in THEMES
}
"""Views of the HTML as it was sent, for a frame: by whether that loads pictures and has links that
open, each in a tab of its own, and by the colours that the reader is said to prefer.

Without links nothing in the page has an attribute href: a sandbox stops a click, but not one with
the control key. It is found wherever it stands, so that there is nothing to be wrong about.
What a page has for them (CSS Media Queries 5, prefers-color-scheme) is decided here: browsers ask
the system, whatever the frame is like.
"""


def _decided(asked: re.Match[str], *, theme: Theme) -> str:
    """A feature that is there, or one that is not, in place of one that asks for colours."""
    return "min-width:0" if asked[1].lower() == theme else "max-width:0"


def _without_connecting(page: str) -> str:
    """``page`` without the elements for which a browser connects to a host whatever a policy says.

    It does so for ``link``, and for frames before it finds that it may not load them. Each becomes
    an element that the parser of HTML treats alike (HTML standard, 13.2.6.4) and that does
    nothing. What only looks like one, in a comment or a text, is changed, too.
    """
    return _CONNECTS.sub(lambda found: _INSTEAD[found[0].lower()], page)


def _facts(attachment: Attachment) -> AttachmentFacts:
    return AttachmentFacts(
        name=attachment.file_name or "",
        content_type=attachment.content_type,
        size=len(attachment.content),
        checksum=attachment.checksum,
        is_picture=bool(picture_type(attachment)),
    )
