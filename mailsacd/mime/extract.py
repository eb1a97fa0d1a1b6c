"""What is read out of a parsed message: its links, and its text, also when it has only HTML."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from mailsacd.mime import markup, pieces, plain
from mailsacd.mime.bodies import Body, chosen, is_blank, within_limits
from mailsacd.mime.message import ParsedMessage, with_plain_newlines
from mailsacd.mime.parse import texts
from mailsacd.mime.trace import end_of_trace

MAX_LINKS = 1_000
MAX_LINK_CHARS = 8_192
MAX_CANDIDATES = 20_000  # URLs and what begins like one, in each text
MAX_LINKS_CHARS = 65_536  # all of a message's links together: they are stored with its facts

# All but controls, white space and what never stands in a URL (<, >, ", ` and a backslash). What is
# in a set is told in a third less time than what is not in one, and in half the time of \s.
_URL_CHARS = (
    r"[!#-;=?-\[\]^_a-~\x80-\x84\x86-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e"
    r"\u2030-\u205e\u2060-\u2fff\u3001-\U0010ffff]++"
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
_CLEAR = re.compile(r"[^')]*+(?:(?<=[^\W_])|(?<=/))\Z")


def links(parsed: ParsedMessage) -> tuple[tuple[str, ...], bool]:
    """Return the URLs in the message and whether a limit left some out.

    These are the http, https and ftp URLs of all its texts, in their order, each once. In HTML they
    count wherever they stand: in an attribute of any element, or in the text. A URL without a host
    is left out. At most MAX_LINKS are returned, of at most MAX_LINK_CHARS characters each and
    MAX_LINKS_CHARS together, and MAX_CANDIDATES are looked at in each text.
    """
    found = tuple(filter(None, dict.fromkeys(_all(parsed))))
    limited = any(_has_too_many(body.source) for body in parsed.bodies)
    if len(found) <= MAX_LINKS and sum(map(len, found)) <= MAX_LINK_CHARS:
        return found, limited
    short = [url for url in found if len(url) <= MAX_LINK_CHARS]
    room = MAX_LINKS_CHARS
    for count, url in enumerate(short):
        room -= len(url)
        if room < 0 or count >= MAX_LINKS:
            return tuple(short[:count]), True
    return tuple(short), limited or len(short) < len(found)


def text_of(parsed: ParsedMessage) -> str:
    """Return the text of the message, with lines that end in ``\\n``.

    This is all that its readers are shown, in the order of the message: texts as they are, and
    where there is none, or a blank one, a text made from the HTML. Without either it is ``""``.
    """
    return readable(parsed.bodies)


def text_of_stored(raw: bytes) -> str:
    """Return the same as ``text_of(parse_stored(raw))`` without working out anything else.

    ``raw`` is the message as it is stored, with its trace headers.
    """
    return readable(texts(raw[end_of_trace(raw) :]))


def readable(bodies: Sequence[Body]) -> str:
    """Return the text of the message whose texts are ``bodies``."""
    parts = [
        plain.text_from_html(with_plain_newlines(body.source))
        if body.is_html
        else with_plain_newlines(body.source)
        for body in within_limits(chosen(bodies, "text"))
    ]
    seen = [part for part in parts if not is_blank(part)]
    return "\n".join(seen) if seen else next(iter(parts), "")


def _all(parsed: ParsedMessage) -> Iterator[str]:
    for body in parsed.bodies:
        yield from (_of_html if body.is_html else _of_text)(body.source)


def _of_text(text: str) -> Iterator[str]:
    if "]" in text:  # Markdown: the address in [https://one](https://one) must not run on
        text = text.replace("](", "] (")
    return map(_without_trailing, dict.fromkeys(_candidates(text)))


def _of_html(source: str) -> Iterator[str]:
    source = _without(_DOCTYPE, "<!", _without(_NAMESPACE, "xmlns", source))
    found = [_unescaped(url) for url in dict.fromkeys(_candidates(source))]
    return iter(found) if all(map(_CLEAR.match, found)) else _quoted(source)


def _has_too_many(text: str) -> bool:
    """Whether there are more candidates in ``text`` than are looked at."""
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


def _candidates(text: str) -> list[str]:
    found: list[str] = []
    for piece in pieces.words(text):
        marks = piece.count("://")
        if marks:
            usual = _USUAL.findall(piece)
            found += usual if len(usual) == marks else _ANY.findall(piece)
            if len(found) > MAX_CANDIDATES:
                break
    return found


def _quoted(source: str) -> Iterator[str]:
    """The URLs of HTML where it matters what stands before one: a quote says where it ends."""
    pairs: dict[tuple[str, str], None] = {}
    for piece in pieces.words(source):
        matches = islice(_ANY.finditer(piece), MAX_CANDIDATES)
        pairs.update(((piece[max(m.start() - 1, 0)], m[0]), None) for m in matches)
        if len(pairs) > MAX_CANDIDATES:
            break
    for quote, url in pairs:
        if quote in ("'", "("):
            url = url.partition(")" if quote == "(" else "'")[0]  # noqa: PLW2901
        url = _unescaped(url)  # noqa: PLW2901
        yield url if quote in ("'", '"') else _without_trailing(url)


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
