"""What a message itself says, as Mailpit's answers have it: made in any thread.

Sources: Mailpit's own answers to the same mail, and `MessageSummary` and `Message` of its API.
"""

import hashlib
import re
from typing import Final
from urllib.parse import unquote

import msgspec

from mailsacd.core.message_form import Mailbox
from mailsacd.mime import addresses, header, plain
from mailsacd.mime.bodies import page_source
from mailsacd.mime.extract import text_of
from mailsacd.mime.message import Attachment, ParsedMessage

SNIPPET_CHARACTERS: Final = 250
MAX_SEARCHED_CHARACTERS: Final = 20_000
"""So much of what a message says is searched for words; the rest is not kept in memory."""
MAX_MESSAGE_ID_CHARACTERS: Final = 998  # of a line (RFC 5322 section 2.1.1)
MAX_REPLY_TO_CHARACTERS: Final = 10_000

MAX_PICTURES: Final = 10_000

_CID: Final = re.compile(r"""cid:([^\s"'<>()]+)""")
"""RFC 2392 section 2, as far as it is not in quotes or parentheses itself."""
_UNSUBSCRIBE: Final = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000})>", re.IGNORECASE)
_MAX_LINKS: Final = 10
_SHOWN: Final = 200


class Extract(msgspec.Struct, frozen=True):
    """What lists and searches need of a message beside its fields in the database.

    ``searched`` is in lower case: people and subject first, then the text. ``attachments`` and
    ``inline`` are how many there are of each.
    """

    message_id: str
    reply_to: tuple[Mailbox, ...]
    snippet: str
    attachments: int
    inline: int
    searched: str


class Checksums(msgspec.Struct, frozen=True, rename=str.upper):
    """Of a part's decoded content, in lower-case hex."""

    md5: str
    sha1: str
    sha256: str


def _mailpit_name(name: str) -> str:
    """Mailpit's name for a field: ``part_id`` is ``PartID``."""
    return name.title().replace("_", "").replace("Id", "ID")


class Part(msgspec.Struct, frozen=True, rename=_mailpit_name):
    """An attachment or inline part. ``part_id`` is its place among these in the message, from 1."""

    part_id: str
    file_name: str
    content_type: str
    content_id: str
    size: int
    checksums: Checksums


class Contents(msgspec.Struct, frozen=True):
    """All that a message says. ``unsubscribe`` and ``unsubscribe_post`` are header fields."""

    extract: Extract
    date_ms: float | None
    return_path: str
    text: str
    html: str
    inline: tuple[Part, ...]
    attachments: tuple[Part, ...]
    unsubscribe: str
    unsubscribe_post: str


def extract_of(parsed: ParsedMessage) -> Extract:
    """What is needed of ``parsed`` for lists and searches."""
    text = text_of(parsed)
    inline = sum(map(is_inline, parsed.attachments))
    names = [each.file_name or "" for each in parsed.attachments]
    fields = [field(parsed, name) for name in ("from", "to", "cc", "bcc", "reply-to", "subject")]
    pieces = [*fields, parsed.message_id or "", *names, text]
    searched = " ".join(piece[:MAX_SEARCHED_CHARACTERS] for piece in pieces)
    return Extract(
        message_id=(parsed.message_id or "")[:MAX_MESSAGE_ID_CHARACTERS],
        reply_to=addresses.parse(field(parsed, "reply-to")[:MAX_REPLY_TO_CHARACTERS])[0],
        snippet=_snippet(parsed.html, text),
        attachments=len(parsed.attachments) - inline,
        inline=inline,
        searched=" ".join(searched[:MAX_SEARCHED_CHARACTERS].lower().split()),
    )


def contents_of(parsed: ParsedMessage) -> Contents:
    """All that ``parsed`` says. Texts have the line ends that they came with, as in Mailpit."""
    plain_text = "".join(body.source for body in parsed.bodies if not body.is_html)
    parts = [
        (is_inline(each), _part(place, each))
        for place, each in enumerate(parsed.attachments, 1)
        if each.file_name or each.content_id
    ]
    return Contents(
        extract=extract_of(parsed),
        date_ms=None if parsed.date is None else parsed.date.timestamp() * 1000,
        return_path=field(parsed, "return-path").strip("<> "),
        text=plain_text if plain_text.strip() else text_of(parsed),
        html=page_source(parsed.bodies) or "",
        inline=tuple(part for inline, part in parts if inline),
        attachments=tuple(part for inline, part in parts if not inline),
        unsubscribe=field(parsed, "list-unsubscribe"),
        unsubscribe_post=field(parsed, "list-unsubscribe-post"),
    )


def attachments_of(parsed: ParsedMessage) -> tuple[Attachment, ...]:
    """The parts of ``parsed``; ``part_id`` is their place among them, from 1."""
    return parsed.attachments


def headers_of(parsed: ParsedMessage) -> dict[str, list[str]]:
    """The header fields by their names as Go writes them (``Message-Id``), unfolded."""
    found: dict[str, list[str]] = {}
    for name, raw in parsed.fields:
        found.setdefault(canonical(name.decode("ascii")), []).append(header.unfold(raw).strip())
    return found


def canonical(name: str) -> str:
    """The name of a header field with its words capitalised."""
    return "-".join(word.capitalize() for word in name.split("-"))


def unsubscribe_links(value: str) -> list[str]:
    """The links of a List-Unsubscribe field (RFC 2369 section 3.2)."""
    return _UNSUBSCRIBE.findall(value)[:_MAX_LINKS]


def unsubscribe_fault(value: str) -> str:
    """What is wrong with a List-Unsubscribe field; ``""`` where there is none, or nothing is."""
    if not value or unsubscribe_links(value):
        return ""
    return f'"{value[:_SHOWN]}" has no links, which should be enclosed in <>'


def page_of(contents: Contents, parts_url: str) -> bytes:
    """The HTML in UTF-8 with its pictures found at ``parts_url``, before the ids of their parts.

    The first MAX_PICTURES are: what is put in for each is longer than what it names.
    """
    parts = reversed((*contents.inline, *contents.attachments))  # of several the first one counts
    urls = {part.content_id: f"{parts_url}{part.part_id}" for part in parts if part.content_id}

    def url(found: re.Match[str]) -> str:
        return urls.get(found[1]) or urls.get(unquote(found[1])) or found[0]

    html = _CID.sub(url, contents.html, MAX_PICTURES) if urls else contents.html
    return html.encode("utf-8", "replace")


def is_inline(part: Attachment) -> bool:
    """Whether ``part`` is shown within the text, and not offered beside it."""
    if part.disposition is not None:
        return part.disposition == "inline"
    return part.content_id is not None


def field(parsed: ParsedMessage, wanted: str) -> str:
    """The first header field of that name (in lower case), decoded; ``""`` where it is absent."""
    return next((value for name, value in parsed.headers if name.lower() == wanted), "")


def _snippet(html: str | None, text: str) -> str:
    """The first words, of the HTML if there is any."""
    beginning = text[: 20 * SNIPPET_CHARACTERS]
    if html is not None:
        beginning = plain.beginning_of_html(html, SNIPPET_CHARACTERS)
    return " ".join(beginning.split())[:SNIPPET_CHARACTERS]


def _part(place: int, part: Attachment) -> Part:
    content = part.content
    checksums = Checksums(
        md5=part.checksum,
        sha1=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return Part(
        part_id=str(place),
        file_name=part.file_name or "",
        content_type=part.content_type,
        content_id=part.content_id or "",
        size=len(content),
        checksums=checksums,
    )
