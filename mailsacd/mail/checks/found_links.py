"""The links of a message, what is said of each, and which are not opened unless somebody asks.

Not opened are those by which one leaves a list, signs in or confirms something, and pictures that
are there to tell their sender that the message was read.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from mailsacd.mail.checks.check import Subject
from mailsacd.mail.checks.one_time import acts_once, leaves_a_list
from mailsacd.mime import header, markup, nesting
from mailsacd.mime.extract import links
from mailsacd.mime.tree import Element

LeftOut = Literal["unsubscribe", "one-time", "tracking"]

MAX_TEXT_CHARS: Final = 200_000
"""In so much of a plain text it is looked for what stands before a link."""

_MAX_WORDS: Final = 5  # of one link, in several places
_BEFORE_CHARS: Final = 200
_AFTER_CHARS: Final = 100
_BREAKS: Final = nesting.BLOCKS | nesting.SCOPE | nesting.SECTIONS | {"tr", "br", "body"}
_SAYS_LITTLE: Final = re.compile(
    r"\W*(?:(?:click |tap |go |please )?here|this link|(?:the )?link|hier(?: klicken)?|diesen link"
    r"|(?:cliquez |clique |clicca |haga clic |kliknij )?(?:ici|aqu[ií]|qui|tutaj|tu)"
    r"|klik hier|здесь|тут|点击(?:这里|此处)|这里|此处|こちら|여기|https?://\S+)?\W*\Z",
    re.IGNORECASE,
)
_PIXEL: Final = re.compile(r"\s*[01](?:px)?\s*\Z", re.IGNORECASE)
_HIDDEN: Final = re.compile(
    r"display\s{0,9}:\s{0,9}none|(?<![\w-])(?:width|height)\s{0,9}:\s{0,9}[01](?:px|\s|;|\Z)",
    re.IGNORECASE,
)
_IN_ANGLES: Final = re.compile(r"<([^<>]{1,4000})>")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A URL of http or https in a message.

    ``is_loaded`` is for one that is loaded when the message is shown, as pictures are. ``left_out``
    tells why it is not opened unasked; None where it is.
    """

    url: str
    is_loaded: bool = False
    left_out: LeftOut | None = None


def found_links(subject: Subject) -> tuple[Link, ...]:
    """Return the links of ``subject`` in their order, each once; at most extract.MAX_LINKS."""
    urls = [url for url in links(subject.parsed)[0] if url[:4].lower() == "http"]
    said = _words_around(subject, urls)
    loaded: dict[str, bool] = {}
    for element in subject.tree.elements() if subject.tree else ():
        for url in _loaded_by(element):
            loaded[url] = loaded.get(url, False) or _is_pixel(element)
    to_leave = _of_the_header(subject)
    return tuple(
        Link(
            url=url,
            is_loaded=url in loaded,
            left_out=_loaded_left_out(url, is_pixel=loaded[url])
            if url in loaded
            else _left_out(url, said.get(url, ()), is_to_leave=url in to_leave),
        )
        for url in urls
    )


def _left_out(url: str, words: Sequence[str], *, is_to_leave: bool) -> LeftOut | None:
    if is_to_leave or leaves_a_list(url, *words):
        return "unsubscribe"
    return "one-time" if acts_once(url, *words) else None


def _loaded_left_out(url: str, *, is_pixel: bool) -> LeftOut | None:
    """Whoever shows the message loads it: what it says is no reason, but who is told of it is."""
    if leaves_a_list(url):
        return "unsubscribe"
    return "tracking" if is_pixel else None


def _of_the_header(subject: Subject) -> set[str]:
    return {
        url.strip()
        for name, raw in subject.parsed.fields
        if name.lower() == b"list-unsubscribe"
        for url in _IN_ANGLES.findall(header.unfold(raw))
    }


def _loaded_by(element: Element) -> Iterator[str]:
    """The URLs that whoever shows ``element`` loads."""
    given = element.attributes
    if element.name in ("img", "input", "source", "video", "audio", "embed") and "src" in given:
        yield markup.url_in(given["src"])
    if element.name == "link" and "stylesheet" in given.get("rel", "").lower():
        yield markup.url_in(given.get("href", ""))
    if "background" in given:
        yield markup.url_in(given["background"])


def _is_pixel(element: Element) -> bool:
    given = element.attributes
    sizes = [given[name] for name in ("width", "height") if name in given]
    is_tiny = bool(sizes) and all(map(_PIXEL.match, sizes))
    return element.name == "img" and (is_tiny or bool(_HIDDEN.search(given.get("style", ""))))


def _words_around(subject: Subject, urls: Sequence[str]) -> dict[str, list[str]]:
    """What the message says of each URL, in as many places as _MAX_WORDS."""
    said: dict[str, list[str]] = {}
    places = [*_in_text(subject.parsed.text or "", urls)]
    if subject.tree is not None:
        places += _in_tree(subject.tree)
    for url, words in places:
        found = said.setdefault(url, [])
        if len(found) < _MAX_WORDS:
            found.append(words)
    return said


def _in_text(text: str, urls: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each URL with what is before it: in its line, or in the line above if that is all."""
    text = text[:MAX_TEXT_CHARS]
    for url in urls:
        place = text.find(url)
        if place >= 0:
            above, _, before = text[max(place - _BEFORE_CHARS, 0) : place].rpartition("\n")
            if not before.strip(" \t<(["):
                before = above.rstrip().rpartition("\n")[2]
            yield url, before


def _in_tree(root: Element) -> Iterator[tuple[str, str]]:
    """Each URL with its label, or with what is around it if that says little."""
    run: list[tuple[str, str | None]] = []  # texts of one line, and where each leads
    waiting: list[tuple[Element | str | None, str | None]] = [(root, None)]
    while waiting:
        child, url = waiting.pop()
        if child is None:
            yield from _of_run(run)
            run = []
        elif isinstance(child, str):
            run.append((child, url))
        elif child.name not in ("style", "title"):
            if child.name in _BREAKS:
                yield from _of_run(run)
                run = []
                waiting.append((None, None))
            if child.name in ("a", "area") and "href" in child.attributes:
                url = markup.url_in(child.attributes["href"])
            told = (child.attributes.get(name, "") for name in ("title", "aria-label", "alt"))
            run.append((" ".join(told), url))
            waiting.extend((each, url) for each in reversed(child.children))
    yield from _of_run(run)


def _of_run(run: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str, str]]:
    labels: dict[str, list[str]] = {}
    places: dict[str, tuple[int, int]] = {}
    length = 0
    for text, url in run:
        if url is not None:
            labels.setdefault(url, []).append(text)
            places[url] = (places.get(url, (length, 0))[0], length + len(text))
        length += len(text)
    if not labels:
        return
    whole = "".join(text for text, _ in run)
    for url, texts in labels.items():
        label = " ".join("".join(texts).split())
        if _SAYS_LITTLE.match(label):
            start, end = places[url]
            label = whole[max(start - _BEFORE_CHARS, 0) : end + _AFTER_CHARS]
        yield url, label
