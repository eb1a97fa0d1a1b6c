"""The links of a message with their labels and what stands beside them.

`extract.links` has all URLs of a message; these are those that a reader may click on, with the
words that tell him what for.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from mailsacd.core.confirmation_link import Anchor
from mailsacd.mime import markup, plain, urls
from mailsacd.mime.markup import Tag

MAX_ANCHORS: Final = 100
"""So many are read of each body, as a rule: what is to be clicked on comes soon."""

MAX_TOKENS: Final = 20_000
MAX_CHARS: Final = 20_000
MAX_URL_CHARS: Final = 8_192
BESIDE_CHARS: Final = 300
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_SPACE: Final = re.compile(r"\s+")
_REFERENCE: Final = re.compile(r"(?m)^[ \t]*(\[\d{1,3}\]):?[ \t]*\Z")


def in_text(text: str, *, most: int = MAX_ANCHORS, most_chars: int = MAX_CHARS) -> Iterator[Anchor]:
    """Yield the URLs in a plain text as links without a label, ``most`` of its ``most_chars``.

    Before one that is listed below the text by its number stands what is before that number.
    """
    text = text[:most_chars]
    position = 0
    for url in islice(urls.in_text(text), most):
        start = text.find(url, position)
        if start < 0 or len(url) > MAX_URL_CHARS or not _WEB.match(url):
            continue
        position = start + len(url)
        if position == most_chars:  # it may go on
            break
        before = text[max(start - BESIDE_CHARS, 0) : start]
        number = _REFERENCE.search(before)
        place = text.find(number[1]) if number else start
        if number and place < start - len(number[0]):
            before = text[max(place - BESIDE_CHARS, 0) : place]
        after = text[position : position + BESIDE_CHARS]
        yield Anchor(url=url, label="", before=before, after=after, form="text")


def in_html(
    source: str,
    *,
    most: int = MAX_ANCHORS,
    most_chars: int = MAX_CHARS,
    most_tokens: int = MAX_TOKENS,
) -> Iterator[Anchor]:
    """Yield the links of HTML that lead to web pages, ``most`` at most.

    The label of a picture is its text for those who do not see it. So much of the page is read that
    ``most_chars`` characters of text, or ``most_tokens`` tags and texts, are in it.
    """
    page = _Page(most, most_chars)
    for token in islice(markup.tokens(source), most_tokens):
        if isinstance(token, Tag):
            page.tag(token)
        else:
            page.write(markup.unescape(token))
        if page.is_full:
            break
    return page.anchors()


class _Page:
    """The text of a page, and which parts of it are links."""

    def __init__(self, most: int, most_chars: int) -> None:
        self._most = most
        self._most_chars = most_chars
        self._pieces: list[str] = []
        self._chars = 0
        self._open: tuple[str, int] | None = None
        self._found: list[tuple[str, int, int]] = []

    @property
    def is_full(self) -> bool:
        """Whether there is as much as is looked at."""
        return len(self._found) >= self._most or self._chars >= self._most_chars

    def write(self, text: str) -> None:
        """Add a text, its white space as HTML shows it."""
        text = _SPACE.sub(" ", plain.without_invisible(text))
        self._pieces.append(text)
        self._chars += len(text)

    def tag(self, tag: Tag) -> None:
        """Note where links begin and end, and where lines do."""
        if tag.name == "a":
            self._end()
            if not tag.closing:
                url = markup.url_in(tag.attributes().get("href", ""))
                is_web = _WEB.match(url) is not None and len(url) <= MAX_URL_CHARS
                self._open = (url, self._chars) if is_web else None
        elif tag.name == "img":
            self.write(tag.attributes().get("alt", ""))
        elif tag.name in plain.PARAGRAPH:
            self._break("\n\n")
        elif tag.name in plain.LINE or tag.name in ("td", "th"):
            self._break("\n")

    def anchors(self) -> Iterator[Anchor]:
        """Return all links, each with the text that is beside it."""
        self._end()
        text = "".join(self._pieces)
        for url, start, end in self._found:
            yield Anchor(
                url=url,
                label=" ".join(text[start:end].split()),
                before=text[max(start - BESIDE_CHARS, 0) : start],
                after=text[end : end + BESIDE_CHARS],
                form="html",
            )

    def _break(self, ends: str) -> None:
        self._pieces.append(ends)
        self._chars += len(ends)

    def _end(self) -> None:
        if self._open is not None:
            url, start = self._open
            self._found.append((url, start, self._chars))
            self._open = None
