"""HTML from mail, cut into tags and texts in one pass that nothing in it can make slow.

Real HTML parsers take minutes for two megabytes of tags opened inside each other. A mail's
text, and what goes into the sanitiser, need no tree: a row of tokens, bounded in number.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_TAGS = 50_000
MAX_TAG_CHARS = 4_096

VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "keygen", "frame",
})  # fmt: skip
"""Elements without an end tag."""

RAW = frozenset({
    "script", "style", "title", "iframe", "noembed", "noframes", "textarea", "xmp", "plaintext",
})  # fmt: skip
"""Elements in which nothing is markup, and nothing is to be read either."""

_OPENING = re.compile(r"<[a-zA-Z/!?]")
_NAME = re.compile(r"(/?)([a-zA-Z][^\s/>\"'<=]{0,40}+)", re.DOTALL)
_WHOLE_TAG = re.compile(r"<(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>", re.DOTALL)
_ATTRIBUTE = re.compile(
    r"([^\s=/>\"'<]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>\"']++)))?+", re.DOTALL
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?+")
_CLOSED_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


@dataclass(slots=True)
class Tag:
    """``<name inside>`` or ``</name>``; ``name`` in lower case, ``inside`` as it was written."""

    name: str
    inside: str
    closing: bool

    def attributes(self) -> dict[str, str]:
        """The attributes by lower-case name, entities decoded; of several the first counts."""
        found: dict[str, str] = {}
        for name, double, single, bare in _ATTRIBUTE.findall(self.inside):
            found.setdefault(name.lower(), unescape_attribute(double or single or bare))
        return found


def tokens(source: str) -> Iterator[Tag | str]:
    """Tags and texts (entities not decoded) in order, without comments and what is no text.

    Ends early after MAX_TAGS tags and comments.
    """
    position, close, lowered = 0, -1, ""
    for _ in range(MAX_TAGS):
        opening = _OPENING.search(source, position)
        if opening is None:
            break
        start = opening.start()
        if start > position:
            yield source[position:start]
        position = start
        if close < start:
            close = source.find(">", start)
            if close < 0:
                break
        tag, position = _read(source, start, close)
        if tag is None:
            continue
        if tag.name not in RAW:
            yield tag
        elif not tag.closing:
            lowered = lowered or source.lower()
            end = lowered.find(f"</{tag.name}", position)
            position = len(source) if end < 0 else end
    else:
        return
    if position < len(source):
        yield source[position:]


def unescape(text: str) -> str:
    """``text`` with its character references decoded, as between tags."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def unescape_attribute(text: str) -> str:
    """The same in an attribute, where a reference without its semicolon is none."""
    return _CLOSED_ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    return _unescaped(match[0])


# At most 34 characters go in, mostly the same few references; without it a megabyte takes a second
_unescaped = lru_cache(maxsize=512)(html.unescape)


def _read(source: str, start: int, close: int) -> tuple[Tag | None, int]:
    """The tag that begins at ``start``, and where it ends; None for what is passed over.

    ``close`` is where the first ``>`` after ``start`` is.
    """
    if source.startswith("<!--", start):
        end = source.find("-->", start + 2)
        return None, len(source) if end < 0 else end + 3
    name = _NAME.match(source, start + 1)
    if name is None:  # a declaration, a processing instruction or nonsense
        return None, close + 1
    inside = source[name.end() : close]
    if inside.count('"') % 2 or inside.count("'") % 2:  # the first > is inside of a quoted value
        whole = _WHOLE_TAG.match(source, start, start + MAX_TAG_CHARS)
        close = whole.end() - 1 if whole is not None else close
        inside = source[name.end() : close]
    if close - start > MAX_TAG_CHARS and name[2].lower() != "img":
        return None, close + 1
    return Tag(name[2].lower(), inside, bool(name[1])), close + 1
