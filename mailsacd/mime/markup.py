"""HTML from mail, cut into tags and texts in one pass that nothing in it can make slow.

Real HTML parsers take minutes for two megabytes of tags opened inside each other. The text of a
mail, and what is given to the sanitiser, need no tree: a bounded row of tokens is enough.
"""

import html
import re
import string
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from urllib.parse import quote

from mailsacd.mime.pieces import texts

MAX_TAGS = 50_000
MAX_TAG_CHARS = 4_096
MAX_PICTURE_CHARS = 1_000_000  # of an img element, which may hold its picture
MAX_CHARS = 6_000_000
_MAX_GROWTH = 5  # a quotation mark becomes six characters
_END_TAGS_CHARS = 1_000_000  # are written by who closes what was left open
MAX_ATTRIBUTES = 200
_MAX_FAILURES = 200  # tags whose values never end are looked at for that

VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "keygen", "frame",
})  # fmt: skip
"""Elements without an end tag."""

RAW = frozenset({
    "script", "style", "title", "iframe", "noembed", "noframes", "textarea", "xmp", "plaintext",
})  # fmt: skip
"""Elements in which nothing is markup."""

SHOWN_RAW = frozenset({"textarea", "xmp", "plaintext"})
"""Those of them that show what they hold; the others hold nothing to be read."""

_AFTER_LESS_THAN = frozenset(f"{string.ascii_letters}/!?")
_NAME = re.compile(r"(/?)([a-zA-Z][^\s/>]{0,40}+)")
# HTML standard, 13.2.5.32 to 13.2.5.39: a quote has a meaning only at the start of a value
_VALUE = r"\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+|(?=>))"
_WHOLE_TAG = re.compile(rf"(?:[\s/]++|[^\s/>][^\s/>=]*+(?:{_VALUE}|(?!\s*+=)))*>")
_ATTRIBUTE = re.compile(
    r"([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>\"'][^\s>]*+)))?"
)
_COMMENT_END = re.compile(r"--!?>")
_LINE_ENDS = dict.fromkeys(map(ord, "\t\r\n"))
_ESCAPED_IN_URLS = re.compile(r"[\s\"<>`]")
_AFTER_NAME = frozenset(" \t\r\n\f/>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?+")
_CLOSED_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


@dataclass(slots=True)
class Tag:
    """A start tag ``<name inside>``, or an end tag ``</name>`` when ``closing`` is true.

    ``name`` is in lower case, ``inside`` is what follows it up to the ``>``, as it was written.
    ``start`` is the place of the ``<`` in the source, in characters.
    """

    name: str
    inside: str
    closing: bool
    start: int

    def attributes(self) -> dict[str, str]:
        """Return the values of the attributes by name, character references decoded.

        Names are in lower case. Of several attributes with a name the first one counts, and an
        attribute without a value has ``""``. Only the first MAX_ATTRIBUTES are read.
        """
        found: dict[str, str] = {}
        for match in islice(_ATTRIBUTE.finditer(self.inside), MAX_ATTRIBUTES):
            name, double, single, bare = match.groups("")
            found.setdefault(name.lower(), unescape_attribute(double or single or bare))
        return found


def exceeds_limits(source: str) -> bool:
    """Return whether a rendering of the HTML in ``source`` may have to leave something out.

    That is so when there are MAX_TAGS characters ``<`` or more, or when ``source`` could be
    longer than MAX_CHARS once the characters of its syntax are written as references.
    """
    if len(source) <= MAX_TAGS:
        return False
    tags = source.count("<")
    room = MAX_CHARS - _END_TAGS_CHARS - len(source)
    if tags >= MAX_TAGS or _MAX_GROWTH * len(source) <= room:
        return tags >= MAX_TAGS
    return 4 * source.count("&") + 3 * (tags + source.count(">")) + 5 * source.count('"') > room


def tokens(source: str, kept_raw: Set[str] = frozenset()) -> Iterator[Tag | str]:
    """Yield the tags and texts of ``source`` in order, without comments and scripts.

    Of the elements in RAW that show nothing ``kept_raw`` are yielded as well, with their texts.
    Character references are not decoded. Reading ends after MAX_TAGS characters ``<`` or MAX_CHARS
    characters. A text of more than PIECE characters comes in several. The function never raises.
    """
    source = source[:MAX_CHARS]
    tags = _Tags(source, kept_raw)
    position, searched, close = 0, 0, -1
    for _ in range(MAX_TAGS):
        start = source.find("<", searched)
        if start < 0:
            break
        searched = start + 1
        if source[searched : searched + 1] not in _AFTER_LESS_THAN:
            continue
        yield from texts(source, position, start)
        position = start
        if close < start:
            close = source.find(">", start)
            if close < 0:
                break
        tag, position = tags.read(start, close)
        if tag is not None and tag.name in SHOWN_RAW:
            end = tags.end_of_raw(tag.name, position)
            yield from _preformatted(source, tag, position, end)
            position = end
        elif tag is not None:
            yield tag
            if tag.name in kept_raw and not tag.closing:
                end = tags.end_of_raw(tag.name, position)
                yield from texts(source, position, end)
                position = end
        searched = position
    else:
        return
    yield from texts(source, position, len(source))


def unescape(text: str) -> str:
    """Return ``text``, which stood between tags, with its character references decoded."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def unescape_attribute(text: str) -> str:
    """Return ``text``, the value of an attribute, with its character references decoded.

    In an attribute a reference without its semicolon is none.
    """
    return _CLOSED_ENTITY.sub(_character, text) if "&" in text else text


def url_in(value: str) -> str:
    """Return the URL that browsers find in ``value``, an attribute's, its references decoded.

    White space around it is none of it, and tabs and line ends in it are not (URL standard, section
    4.4); other white space is escaped, and what may be in no URL.
    """
    return _ESCAPED_IN_URLS.sub(_percent, value.strip().translate(_LINE_ENDS))


def _percent(character: re.Match[str]) -> str:
    return quote(character[0])


def _character(match: re.Match[str]) -> str:
    return _unescaped(match[0])


# At most 34 characters go in, mostly the same few references; without it a megabyte takes a second
_unescaped = lru_cache(maxsize=512)(html.unescape)


def _preformatted(source: str, tag: Tag, start: int, end: int) -> Iterator[Tag | str]:
    """What a SHOWN_RAW element shows: a text in which ``<`` is no markup."""
    yield Tag("pre", "", False, tag.start)
    for text in texts(source, start, end):
        yield text if tag.name == "textarea" else text.replace("&", "&amp;")
    yield Tag("pre", "", True, end)


class _Tags:
    """Reads the tags of a source."""

    def __init__(self, source: str, kept_raw: Set[str]) -> None:
        self._source = source
        self._skipped = RAW - kept_raw
        self._failures = 0
        self._titles_end = True  # as far as is known

    def read(self, start: int, close: int) -> tuple[Tag | None, int]:
        """Return the tag that begins at ``start``, or None for what is passed over, and its end.

        ``close`` is where the first ``>`` after ``start`` is.
        """
        source = self._source
        if source.startswith("<!--", start):
            end = _COMMENT_END.search(source, start + 2)
            return None, end.end() if end is not None else len(source)
        name = _NAME.match(source, start + 1)
        if name is None:  # a declaration, a processing instruction or nonsense
            return None, close + 1
        inside = source[name.end() : close]
        if "'" in inside or inside.count('"') != 2 * inside.count('="'):
            close = self._true_close(start, name.end(), close)  # the first > may be in a value
            inside = source[name.end() : close]
        lowered = name[2].lower()
        if lowered in self._skipped and (name[1] or lowered not in SHOWN_RAW):
            return None, close + 1 if name[1] else self.end_of_raw(lowered, close + 1)
        if close - start > (MAX_PICTURE_CHARS if lowered == "img" else MAX_TAG_CHARS):
            return None, close + 1
        return Tag(lowered, inside, bool(name[1]), start), close + 1

    def _true_close(self, start: int, after_name: int, close: int) -> int:
        if self._failures >= _MAX_FAILURES:
            return close
        whole = _WHOLE_TAG.match(self._source, after_name, start + MAX_TAG_CHARS)
        if whole is None:
            self._failures += 1
            return close
        return whole.end() - 1

    def end_of_raw(self, name: str, position: int) -> int:
        """Return where the end tag of a RAW element begins; the source's end without one.

        A title that never ends has nothing in it, rather than all the rest.
        """
        source = self._source
        if name == "plaintext":
            return len(source)
        if name == "title" and not self._titles_end:
            return position
        place = source.find("</", position)
        while place >= 0:
            after = place + 2 + len(name)
            if source[place + 2 : after].lower() == name and (
                source[after : after + 1] in _AFTER_NAME or after == len(source)
            ):
                return place
            place = source.find("</", place + 2)
        if name != "title":
            return len(source)
        self._titles_end = False
        return position
