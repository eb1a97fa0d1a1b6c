"""What can be read out of a parsed message: its links, and a text when it has only HTML."""

import re
from collections.abc import Iterator
from itertools import islice

from mailsacd.mime import markup, plain
from mailsacd.mime.parse import ParsedMessage

MAX_LINKS = 1_000
MAX_LINK_CHARS = 8_192
MAX_CANDIDATES = 20_000  # URLs and what begins like one, in each of text and HTML
MAX_LINKS_CHARS = 262_144  # all of a message's links together: they are stored with its facts

# The rare part of a URL is searched for, then its scheme is looked at: that is much faster.
_AFTER_SCHEME = re.compile(r"://[^\s<>\"`\\\x00-\x20\x7f\u2028\u2029]+")
_SCHEMES = ("https", "http", "ftp")
_TRAILING = frozenset(
    ".,;:!?'\"*_~|)]}\u2026\u3002\uff0c\u3001\uff1b\uff1a\uff01\uff1f\uff09\u300d"
    "\u300f\u3011\u300b\u201d\u2019\u00bb\u203a"
)
_OPENING = {")": "(", "]": "[", "}": "{"}
_STOPS_IN_MARKUP = re.compile(r"[\s<>\"]")


def links(parsed: ParsedMessage) -> tuple[str, ...]:
    """Every http, https and ftp URL in the text and then in the HTML, in order, once each.

    In the HTML wherever it stands: in attributes of any element or in the text between them. At
    most MAX_LINKS of MAX_LINK_CHARS each, MAX_LINKS_CHARS together; what is over is left out.
    """
    seen: dict[str, None] = {}
    room = MAX_LINKS_CHARS
    for url in _all(parsed):
        if url in seen or len(url) > MAX_LINK_CHARS:
            continue
        room -= len(url)
        if room < 0 or len(seen) >= MAX_LINKS:
            break
        seen[url] = None
    return tuple(seen)


def text_of(parsed: ParsedMessage) -> str:
    """The text part; without one, a text made from the HTML; without either, ``""``."""
    if parsed.text is not None:
        return parsed.text
    return plain.text_from_html(parsed.html) if parsed.html is not None else ""


def _all(parsed: ParsedMessage) -> Iterator[str]:
    if parsed.text is not None:
        # Markdown: the address in [https://one](https://one) must not run on to the other
        text = parsed.text.replace("](", "] (") if "](" in parsed.text else parsed.text
        for start, end in _places(text):
            yield _without_trailing(text[start:end])
    if parsed.html is not None:
        yield from _in_markup(parsed.html)


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each URL candidate: a known scheme, ``://`` and something after it."""
    for match in islice(_AFTER_SCHEME.finditer(text), MAX_CANDIDATES):
        start, end = match.span()
        before = text[max(0, start - 5) : start].lower()
        for scheme in _SCHEMES:
            if before.endswith(scheme):
                yield start - len(scheme), end
                break


def _in_markup(source: str) -> Iterator[str]:
    for start, end in _places(source):
        before = source[max(0, start - 40) : start]
        quote = before[-1:]
        if quote in ("'", '"'):
            attribute = before[:-1].rstrip("= \t\r\n").rpartition(" ")[2].lower()
            if attribute.startswith("xmlns") or "//dtd" in before.lower():
                continue  # names of formats, not places
        url = source[start:end]
        if quote in ("'", "("):
            url = url.partition(")" if quote == "(" else "'")[0]
        if "&" in url:
            url = _STOPS_IN_MARKUP.split(markup.unescape_attribute(url), maxsplit=1)[0]
        yield url if quote in ("'", '"') else _without_trailing(url)


def _without_trailing(url: str) -> str:
    """``url`` without the punctuation of the sentence around it; balanced brackets stay."""
    end = len(url)
    surplus = {close: url.count(close) - url.count(open_) for close, open_ in _OPENING.items()}
    while end and (last := url[end - 1]) in _TRAILING:
        if last in surplus:
            if surplus[last] <= 0:
                break
            surplus[last] -= 1
        end -= 1
    return url[:end]
