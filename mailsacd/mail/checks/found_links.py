"""The links of a message, and which of them are not opened unless somebody asks for that.

Not opened are those by which one leaves a list, signs in or confirms something, and pictures that
are there to tell their sender that the message was read.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, Literal

import msgspec

from mailsacd.core.confirmation_link import Anchor, confirmation_links
from mailsacd.core.link_words import GENERIC
from mailsacd.mail.checks.check import Subject
from mailsacd.mail.checks.one_time import acts_once, leaves_a_list
from mailsacd.mail.checks.open_pixels import service_of
from mailsacd.mail.checks.pictures import Picture
from mailsacd.mail.checks.unsubscribe import urls_of_field
from mailsacd.mime import anchors, header
from mailsacd.mime.extract import MAX_LINKS, links
from mailsacd.mime.markup import url_in

LeftOut = Literal["unsubscribe", "one-time", "tracking"]

MAX_CHARS: Final = 200_000
MAX_TOKENS: Final = 50_000
"""In so much of each text it is looked for what is said of a link."""

_MAX_SAID: Final = 5  # times that one link is spoken of
_URL: Final = re.compile(r"https?://\S+\Z", re.IGNORECASE)


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
    judge = _Judge(subject)
    urls = (url for url in links(subject.parsed)[0] if url[:4].lower() == "http")
    return tuple(
        Link(url=url, is_loaded=judge.is_loaded(url), left_out=judge.left_out(url)) for url in urls
    )


class _Judge:
    """What a message says of its links."""

    def __init__(self, subject: Subject) -> None:
        seen = tuple(_anchors(subject))
        self._said: dict[str, list[str]] = {}
        for url, words in chain(((each.url, _words(each)) for each in seen), _names(subject)):
            said = self._said.setdefault(url, [])
            if len(said) < _MAX_SAID:
                said.append(words)
        found = confirmation_links(subject.parsed.subject, seen[: anchors.MAX_ANCHORS])
        self._confirming = {link.url for link in found}
        self._to_leave = set(_of_the_header(subject))
        self._pictures: dict[str, list[Picture]] = {}
        for picture in subject.pictures:
            self._pictures.setdefault(picture.url, []).append(picture)
        self._sheets = set(_style_sheets(subject))

    def is_loaded(self, url: str) -> bool:
        """Whether whoever shows the message loads it."""
        return url in self._pictures or url in self._sheets

    def left_out(self, url: str) -> LeftOut | None:
        """Why it is not opened unasked.

        What is said of a picture is no reason, since everybody loads it, but who is told of that.
        """
        said = self._said.get(url, [])
        if url in self._to_leave or leaves_a_list(url, *said):
            return "unsubscribe"
        if url in self._confirming or (not self.is_loaded(url) and acts_once(url, *said)):
            return "one-time"
        return "tracking" if any(map(_tracks, self._pictures.get(url, ()))) else None


def _tracks(picture: Picture) -> bool:
    return picture.tiny or picture.hidden or service_of(picture.url) is not None


def _anchors(subject: Subject) -> Iterator[Anchor]:
    parsed = subject.parsed
    return chain(
        anchors.in_html(
            parsed.html or "", most=MAX_LINKS, most_chars=MAX_CHARS, most_tokens=MAX_TOKENS
        ),
        anchors.in_text(parsed.text or "", most=MAX_LINKS, most_chars=MAX_CHARS),
    )


def _words(anchor: Anchor) -> str:
    """The label of a link, or the line around it if that says little, or the one above it."""
    label = anchor.label
    if label and not _URL.match(label) and not GENERIC.match(label.lower()):
        return label
    above, _, before = anchor.before.rpartition("\n")
    after = anchor.after.partition("\n")[0]
    if not f"{before}{after}".strip(" \t<>()[]:."):
        before = above.rstrip().rpartition("\n")[2]
    return f"{before} {label} {after}"


def _names(subject: Subject) -> Iterator[tuple[str, str]]:
    """The URLs of links with what is said of them to who points at them, or does not see them."""
    for element in subject.elements:
        given = element.attributes
        if element.name in ("a", "area") and "href" in given:
            told = (given.get(name, "") for name in ("title", "aria-label", "alt"))
            yield url_in(given["href"]), " ".join(told)


def _of_the_header(subject: Subject) -> Sequence[str]:
    return [
        url
        for name, raw in subject.parsed.fields
        if name.lower() == b"list-unsubscribe"
        for url in urls_of_field(header.unfold(raw))
    ]


def _style_sheets(subject: Subject) -> Iterator[str]:
    for element in subject.elements:
        if element.name == "link" and "stylesheet" in element.attributes.get("rel", "").lower():
            yield url_in(element.attributes.get("href", ""))
