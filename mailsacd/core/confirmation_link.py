"""Links that confirm something in mail: of an address, a new password, a sign-in.

Each link is rated by its label, the sentence around it, the subject, and by whether its URL carries
a secret (core.secret_url). How much each thing counts was found with mails as services send them,
which are among the tests. Links to unsubscribe, and those that anybody has, are none.
"""
# ruff: noqa: RUF001  the signs of all kinds of mail are meant

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from mailsacd.core import link_words as words
from mailsacd.core.found_codes import NEAR, Form, Place, Score
from mailsacd.core.likelihood import likelihood
from mailsacd.core.secret_url import has_secret, words_of
from mailsacd.core.text_around import in_context, without_unseen

MAX_FOUND: Final = 5
MAX_LABEL_CHARS: Final = 100

LinkKind = Literal["verify", "reset", "sign-in"]
"""An address or account is confirmed; a password is chosen anew; somebody is signed in."""

_ENOUGH: Final = 5.0
_PART_CHARS: Final = 300
"""So much of the text before and after a link is looked at."""

_SENTENCE_END: Final = re.compile(r"[.!?](?=\s)|[。！？\n]")
_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_AROUND: Final = " \t\n:：<>()[]*-–—→»。！"
_APOSTROPHES: Final = {ord("'"): " ", ord("\u2019"): " "}
_FEW_WORDS: Final = 3

_URL_WORDS: Final[dict[str, frozenset[str]]] = {
    "verify": frozenset(
        {"verify", "verification", "confirm", "confirmation", "activate", "activation", "validate"}
    ),
    "reset": frozenset({"reset", "resetpassword", "passwordreset", "recover", "recovery"}),
    "sign-in": frozenset({"magic", "magiclink", "passwordless"}),
}
_UNWANTED_IN_URL: Final = frozenset({
    "unsubscribe", "optout", "preferences", "privacy", "terms", "imprint", "help", "support", "faq",
    "blob", "commit", "commits", "issues",
})  # fmt: skip
_FILE: Final = re.compile(r"\.(?:png|jpe?g|gif|svg|css|ics|pdf)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A link in a body: its URL, its label, and the text before and after it.

    ``label`` is empty where the URL stands in the text itself.
    """

    url: str
    label: str
    before: str
    after: str
    form: Form


class FoundLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link that confirms something, and where it stands."""

    url: str
    kind: LinkKind
    label: Annotated[str, Meta(description="What one clicks on, or the words before a bare URL")]
    score: Score
    places: tuple[Place, ...]


def confirmation_links(subject: str, anchors: Iterable[Anchor]) -> tuple[FoundLink, ...]:
    """Return the links that confirm something, likeliest first, MAX_FOUND at most.

    Each URL is there once, with the label by which it is likeliest.
    """
    head = _lowered(subject[:_PART_CHARS])
    likeliest: dict[str, _Rated] = {}
    places: dict[str, dict[Form, Place]] = {}
    for anchor in anchors:
        rated = _rated(anchor, head)
        if rated is None:
            continue
        known = likeliest.get(anchor.url)
        if known is None or rated.rating > known.rating:
            likeliest[anchor.url] = rated
        place = Place(in_=anchor.form, context=_context(anchor))
        places.setdefault(anchor.url, {}).setdefault(anchor.form, place)
    best = sorted(likeliest.items(), key=lambda each: -each[1].rating)[:MAX_FOUND]
    return tuple(
        FoundLink(
            url=without_unseen(url),
            kind=rated.kind,
            label=rated.label,
            score=likelihood(rated.rating, _ENOUGH),
            places=tuple(places[url].values()),
        )
        for url, rated in best
        if rated.rating >= best[0][1].rating - NEAR
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rated:
    """What a link is for most likely, and how likely that is."""

    rating: float
    kind: LinkKind
    label: str


def _rated(anchor: Anchor, subject: str) -> _Rated | None:
    """``anchor`` rated; None for what confirms nothing."""
    label = anchor.label.strip()[:_PART_CHARS]
    says_nothing = not label or _URL.fullmatch(label) or words.GENERIC.match(_lowered(label))
    shown = _sentence_before(anchor) if not label or _URL.fullmatch(label) else label
    seen = _Sight(
        label=_lowered("" if label and says_nothing else shown),
        near=_lowered(_sentence_around(anchor)),
        about=_lowered(f"{anchor.before}\n{anchor.after}"),
        subject=subject,
        url_words=words_of(anchor.url),
        has_secret=has_secret(anchor.url),
        says_nothing=bool(says_nothing),
    )
    if seen.is_unwanted() or _FILE.search(anchor.url):
        return None
    ratings: dict[LinkKind, float] = {
        "reset": seen.of_reset(),
        "verify": seen.of_verify(),
        "sign-in": seen.of_sign_in(),
    }
    kind = max(ratings, key=ratings.__getitem__)
    if ratings[kind] < _ENOUGH:
        return None
    return _Rated(rating=ratings[kind], kind=kind, label=_shortened(shown or label))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What is seen of a link, all texts in lower case."""

    label: str
    near: str
    about: str
    subject: str
    url_words: frozenset[str]
    has_secret: bool
    says_nothing: bool

    def is_unwanted(self) -> bool:
        """Whether it is one of those links that are in every mail."""
        return bool(words.UNWANTED.search(self.label) or self.url_words & _UNWANTED_IN_URL)

    def of_verify(self) -> float:
        """Return how likely it is that it confirms an address or an account."""
        told = max(_verifies(self.label), self._weight() * _verifies(self.near))
        return self._of_kind("verify", told, in_subject=_verifies(self.subject) > 0)

    def of_reset(self) -> float:
        """Return how likely it is that a new password is chosen by it."""
        is_about_passwords = bool(words.PASSWORD.search(self.subject))
        in_subject = is_about_passwords and bool(words.RESET.search(self.subject))
        told = max(_resets(self.label), self._weight() * _resets(self.near))
        if is_about_passwords and words.RESET.search(self.label):
            told = max(told, 4)
        return self._of_kind("reset", told, in_subject=in_subject)

    def of_sign_in(self) -> float:
        """Return how likely it is that it signs somebody in, and does not just lead to a form."""
        told = 2.5 * bool(words.SIGN_IN.search(self.label) or words.SIGN_IN.search(self.near))
        if not told or not self.has_secret:
            return 0.0
        is_magic = bool(self.url_words & _URL_WORDS["sign-in"])
        is_one_time = bool(words.ONE_TIME.search(f"{self.subject}\n{self.about}"))
        return told + 2 + 2 * is_magic + 2 * is_one_time - self._doubts()

    def _of_kind(self, kind: LinkKind, told: float, *, in_subject: bool) -> float:
        if not told and in_subject and self.says_nothing:
            told = 2.0
        if not told:
            return 0.0
        by_url = 1.5 * bool(self.url_words & _URL_WORDS[kind]) + (2 if self.has_secret else -2)
        is_one_time = bool(words.ONE_TIME.search(self.about))
        return told + by_url + 1.5 * in_subject + 0.5 * is_one_time - self._doubts()

    def _doubts(self) -> float:
        return 3.0 * bool(words.NOT_YOU.search(self.near))

    def _weight(self) -> float:
        """How much of what the sentence says counts for the link in it."""
        return 0.8 if self.says_nothing else 0.5


def _verifies(text: str) -> float:
    verb = words.VERIFY.search(text)
    if verb is None:
        return 0.0
    if words.CONFIRMABLE.search(text):
        return 5.0
    if words.OTHER_THINGS.search(text):
        return 0.0
    if len(text.split()) <= _FEW_WORDS:
        return 5.0
    return 4.0 if verb.start() == 0 else 2.5


def _resets(text: str) -> float:
    return 5.0 if words.PASSWORD.search(text) and words.RESET.search(text) else 0.0


def _sentence_before(anchor: Anchor) -> str:
    """The last sentence of the line, or else of the paragraph, before a link."""
    before = _URL.split(anchor.before[-_PART_CHARS:])[-1].rstrip(_AROUND)
    line = before.rpartition("\n")[2]
    if "\n" in anchor.before[len(before) :]:  # the link begins its line
        line = before.rpartition("\n\n")[2].replace("\n", " ")
    return _SENTENCE_END.split(line)[-1].strip(_AROUND)


def _sentence_around(anchor: Anchor) -> str:
    after = _SENTENCE_END.split(_URL.split(anchor.after[:_PART_CHARS])[0], maxsplit=1)[0]
    label = anchor.label.strip()[:_PART_CHARS]
    label = "" if _URL.fullmatch(label) else label
    return f"{_sentence_before(anchor)} {label} {after}"


def _context(anchor: Anchor) -> str:
    before, label = anchor.before[-_PART_CHARS:], (anchor.label or anchor.url)[:_PART_CHARS]
    shown = f"{before}{label}{anchor.after[:_PART_CHARS]}"
    words_around = in_context(shown, len(before), len(before) + len(label))
    return without_unseen(words_around)[:_PART_CHARS]


def _lowered(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("\u0130", "I").lower()
    return text.translate(_APOSTROPHES)


def _shortened(label: str) -> str:
    return " ".join(without_unseen(label).split())[:MAX_LABEL_CHARS].strip()
