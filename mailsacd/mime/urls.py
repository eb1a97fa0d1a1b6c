"""The http, https and ftp URLs in a text or in HTML, found in one pass.

What is looked for is what a reader would follow: an attribute's whole value, as browsers read it,
and of a text what is not the punctuation of the sentence around it.
"""

import html
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from mailsacd.mime import markup, pieces

MAX_CANDIDATES: Final = 20_000
"""So many URLs, and what begins like one, are looked at in a text."""

# All but controls, white space and what never stands in a URL (<, >, ", ` and a backslash). What is
# in a set is told in a third less time than what is not in one, and in half the time of \s.
_URL_CHARS = (
    r"[!#-;=?-\[\]^_a-~\x80-\x84\x86-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e"
    r"\u2030-\u205e\u2060-\u2fff\u3001-\U0010ffff]++"
)
# Marks of full width end a sentence or an aside, and a URL in a text: nobody puts a space there
_FULL_WIDTH = (
    r"\u201c-\u201f\u3001\u3002\u3008-\u3011\u3014-\u301b\u301d-\u301f\uff01\uff02\uff07-\uff09"
    r"\uff0c\uff0e\uff1a-\uff1c\uff1e\uff1f\uff3b\uff3d\uff5b-\uff5d\uff5f-\uff64"
)
_TEXT_CHARS = (
    r"[!#-;=?-\[\]^_a-~\x80-\x84\x86-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u201b\u2020-\u2027"
    r"\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3003-\u3007\u3012\u3013\u301c\u3020-\uff00"
    r"\uff03-\uff06\uff0a\uff0b\uff0d\uff0f-\uff19\uff1d\uff20-\uff3a\uff3c\uff3e-\uff5a\uff5e"
    r"\uff65-\U0010ffff]++"
)
# A host begins so: a letter, digit or symbol of a name, maybe encoded; an underscore; IPv6. The
# first alternative is there for its speed.
_HOST = (
    r"(?=[a-zA-Z0-9]|[^\W_]|[%_][^\W_]|&#\w|\[(?:::)?[\da-fA-F]"
    r"|[\u2600-\u27bf\U0001f000-\U0001ffff])"
)
# Nearly all text has the first only, and a pattern that begins with fixed letters is fast.
_USUAL = re.compile(rf"https?+://{_HOST}{_URL_CHARS}")
_ANY = re.compile(rf"(?:https?|ftp)://{_HOST}{_URL_CHARS}", re.IGNORECASE)
_USUAL_IN_TEXT = re.compile(rf"https?+://{_HOST}{_TEXT_CHARS}")
_ANY_IN_TEXT = re.compile(rf"(?:https?|ftp)://{_HOST}{_TEXT_CHARS}", re.IGNORECASE)
_AFTER_URL = re.compile(rf"[{_FULL_WIDTH}]")
# RFC 3986 appendix C: within angle brackets a URL may go on in the next line
_WRAPPED = re.compile(r"<((?:https?|ftp)://[^<>\s]*+(?:[ \t]*+\r?\n[ \t]*+[^<>\s]++){1,20})>")
# With the white space after it, or the reference to it, in which browsers read on in a value
_WITH_BLANK = re.compile(
    r"https?+://[^\s\"'<>&]*+(?:&(?!#|Tab;|NewLine;|nbsp;)[^\s\"'<>&]*+)*"
    r"(\s|&(?:#|Tab;|NewLine;|nbsp;))?"
)
_URL_ATTRIBUTES = ("href", "src", "action", "background", "poster", "data", "cite")
_MAX_BEFORE_CHARS = 100
# Names of formats, not places to go to
_NAMESPACE = re.compile(
    r"\bxmlns\w{0,80}+(?::\w{0,80}+)?\s{0,9}+=\s{0,9}+(?:\"[^\"]{0,2000}+\"|'[^']{0,2000}+')"
)
_DOCTYPE = re.compile(r"<!DOCTYPE[^<>]{0,2000}+>", re.IGNORECASE)
_TRAILING = frozenset(
    ".,;:!?'\"*_~|)]}\u2026\u3002\uff0c\u3001\uff1b\uff1a\uff01\uff1f\uff09\u300d"
    "\u300f\u3011\u300b\u201d\u2019\u00bb\u203a"
)
_OPENING = {")": "(", "]": "[", "}": "{"}
# It ends the same whether it is quoted or not, and whatever the quote is
_CLEAR = re.compile(rf"[^'){_FULL_WIDTH}]*+(?:(?<=[^\W_])|(?<=/))\Z")


def in_text(text: str) -> Iterator[str]:
    """Return the URLs in a plain text; some may be there several times."""
    if "://" not in text:
        return iter(())
    if "]" in text:  # Markdown: the address in [https://one](https://one) must not run on
        text = text.replace("](", "] (")
    if "<" in text:
        text = _WRAPPED.sub(lambda url: f"<{''.join(url[1].split())}>", text)
    return map(_without_trailing, dict.fromkeys(_candidates(text, _USUAL_IN_TEXT, _ANY_IN_TEXT)))


def in_html(source: str) -> Iterator[str]:
    """Return the URLs in HTML; some may be ``""``, or there several times."""
    if "://" not in source:
        return iter(())
    source = _without(_DOCTYPE, "<!", _without(_NAMESPACE, "xmlns", source))
    source = "".join(map(_with_whole_values, pieces.words(source)))
    found = [_unescaped(url) for url in dict.fromkeys(_candidates(source, _USUAL, _ANY))]
    return iter(found) if all(map(_CLEAR.match, found)) else _quoted(source)


def has_too_many(text: str) -> bool:
    """Return whether there are more candidates in ``text`` than are looked at."""
    mark = "://"
    if len(text) <= MAX_CANDIDATES * len(mark):
        return False
    return text.count(mark) > MAX_CANDIDATES


def _without(pattern: re.Pattern[str], beginning: str, source: str) -> str:
    """``source`` without what ``pattern`` matches where ``beginning`` stands.

    It is gone through backwards, which str does in a quarter of the time.
    """
    place = source.rfind(beginning)
    if place < 0:
        return source
    kept: list[str] = []
    end = len(source)
    while place >= 0:
        found = pattern.match(source, place)
        if found is not None:
            kept.append(source[found.end() : end])
            end = place
        place = source.rfind(beginning, 0, place)
    return "".join((source[:end], *reversed(kept)))


def _with_whole_values(source: str) -> str:
    """``source`` with the URLs in attributes that have blanks in them as browsers read these."""
    out: list[str] = []
    position = 0
    for url in islice(_WITH_BLANK.finditer(source), MAX_CANDIDATES):
        if url[1] is None:
            continue
        start = url.start()
        mark = _opening_quote(source[max(start - _MAX_BEFORE_CHARS, position) : start])
        end = source.find(mark, start, start + markup.MAX_TAG_CHARS) if mark else -1
        if end >= 0 and start >= position:
            value = markup.url_in(markup.unescape_attribute(source[start:end]))
            out += (source[position:start], html.escape(value))
            position = end
    return "".join((*out, source[position:])) if out else source


def _opening_quote(before: str) -> str | None:
    """The quote that opens the value of an attribute with a URL at the end of ``before``."""
    before = before.rstrip()
    mark = before[-1:]
    if mark not in ("'", '"') or not before[:-1].rstrip().endswith("="):
        return None
    name = before[:-1].rstrip()[:-1].rstrip().lower()
    return mark if name.endswith(_URL_ATTRIBUTES) else None


def _candidates(text: str, usual: re.Pattern[str], any_: re.Pattern[str]) -> list[str]:
    found: list[str] = []
    for piece in pieces.words(text):
        marks = piece.count("://")
        if marks:
            urls = usual.findall(piece)
            found += urls if len(urls) == marks else any_.findall(piece)
            if len(found) > MAX_CANDIDATES:
                break
    return found


def _quoted(source: str) -> Iterator[str]:
    """The URLs of HTML where it matters what stands before one: a quote says where it ends."""
    pairs: dict[tuple[str, str], None] = {}
    for piece in pieces.words(source):
        pattern = _USUAL if piece.count("http") == piece.count("://") else _ANY
        matches = islice(pattern.finditer(piece), MAX_CANDIDATES)
        pairs.update(((piece[max(m.start() - 1, 0)], m[0]), None) for m in matches)
        if len(pairs) > MAX_CANDIDATES:
            break
    for quote, url in pairs:
        if quote in ("'", "("):
            url = url.partition(")" if quote == "(" else "'")[0]  # noqa: PLW2901
        url = _unescaped(url)  # noqa: PLW2901
        is_value = quote in ("'", '"')
        yield url if is_value else _without_trailing(_AFTER_URL.split(url, maxsplit=1)[0])


def _unescaped(url: str) -> str:
    """``url`` with its character references decoded; ``""`` when no host is left."""
    if "&" not in url:
        return url
    if url.count("&") == url.count("&amp;"):
        return url.replace("&amp;", "&")
    found = _ANY.match(markup.unescape_attribute(url))
    return found[0] if found else ""


def _without_trailing(url: str) -> str:
    """``url`` without the punctuation of the sentence around it; balanced brackets stay."""
    if url[-1:].isalnum() or url.endswith("/"):
        return url
    end = len(url)
    surplus = {close: url.count(close) - url.count(open_) for close, open_ in _OPENING.items()}
    while end and (last := url[end - 1]) in _TRAILING:
        if last in surplus:
            if surplus[last] <= 0:
                break
            surplus[last] -= 1
        end -= 1
    return url[:end]
