"""One-time codes in mail: what somebody is to type who signs in or proves an address.

A code is a number, or letters and digits, near a word that says so (core.code_labels). Each
candidate is rated by what stands before and after it; how much each thing counts was found with
mails as services send them, which are among the tests. The time is linear in the text.
"""
# ruff: noqa: RUF001  the signs of all kinds of mail are meant

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice
from typing import Final

from mailsacd.core.code_candidates import Candidate, candidates, without_other_things
from mailsacd.core.code_labels import PLAIN_CODES, Label, Meaning, labels
from mailsacd.core.code_words import BARGAIN, LETTERS, PAYING, TAKING
from mailsacd.core.text_around import in_context, without_unseen

MAX_CHARS: Final = 10_000
"""So much of a text is looked at: who sends a code says so soon."""

ENOUGH: Final = 5.0
"""The rating from which on a candidate is a code."""

_MAX_CANDIDATES: Final = 100

_MAX_SUBJECT_CHARS: Final = 1_000
_BEFORE_CHARS: Final = 300
_BARGAIN_CHARS: Final = 100
_REACH: Final = 32
_BARELY: Final = 5.5
_AFTER_CHARS: Final = 100

_SENTENCE_END: Final = re.compile(r"\.(?=\s)|[。!?]")
_IS: Final = re.compile(
    r"(?:[:=：はが是为為은는]|\b(?:is|lautet|ist|est|es|é|è|jest|är|er|هو|هي|-|—))[\s\"'“”„«»*\[(【「<]*\Z"
)
_IS_AFTER: Final = re.compile(r"[\s\"'“”„«»*\])】」>]*(?:(?:is|ist|est|es|é|è|jest)\b|是|が|は)")
_IN_ORDER_TO: Final = re.compile(r",? (?:to|um|pour|para|per|om|aby|чтобы|для|för|for å)\b")
_GOES_ON: Final = re.compile(rf" (?!(?:is|as|to|at|in|on|for|and|or|if|within)\b)[{LETTERS}]{{2}}")
_YEAR: Final = re.compile(r"(?:19|20)\d\d\Z")
_NEEDS_TELLING: Final = re.compile(r"(?:[A-Z-]+|[A-Z]{2,}-?\d+|(?:19|20)\d\d)\Z")
_OTHER_NUMBER: Final = re.compile(r"\d{3}")
_DIGITS: Final = {
    ord(digit): str(unicodedata.digit(digit))
    for zero in "\u0660\u06f0\u0966\u09e6\u0e50"
    for digit in map(chr, range(ord(zero), ord(zero) + 10))
}
"""Arabic, Persian, Devanagari, Bengali and Thai ones are typed as others."""
_DIGIT_LINES: Final = re.compile(r"(?<![^\n])\d(?:\n{1,2}\d){3,7}(?![^\n])")
_COUNTED: Final = frozenset("12345678"[:length] for length in range(4, 9))
_BLANK_LINES: Final = re.compile(r"\n[ \n]*\n *")
_BLANKS: Final = re.compile(r"[^\S\n]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A code that stands in a subject or in the text below it.

    ``code`` is what somebody types: ``123 456`` and ``G-123456`` are ``123456``. ``rating`` is
    ENOUGH or more, and the more the likelier it is a code. ``context`` is the words around it.
    """

    code: str
    rating: float
    is_in_subject: bool
    context: str


def sightings(subject: str, text: str) -> list[Sighting]:
    """Return where one-time codes stand in a mail, in their order.

    Of ``text`` the first MAX_CHARS count.
    """
    head = _plain(subject[:_MAX_SUBJECT_CHARS]).replace("\n", " ").strip()
    whole = f"{head}\n\n{_with_whole_codes(_plain(text[:MAX_CHARS]))}"
    masked = without_other_things(whole)
    found = list(islice(candidates(whole, masked), _MAX_CANDIDATES))
    if not found:
        return []
    mail = _Mail(whole, labels(masked))
    rated = [(each, mail.rating(each) + (each.end <= len(head))) for each in found]
    return [
        Sighting(
            code=each.code,
            rating=rating,
            is_in_subject=each.end <= len(head),
            context=_context(whole, each, len(head)),
        )
        for each, rating in rated
        if rating >= ENOUGH
    ]


def _plain(text: str) -> str:
    """``text`` in usual characters, as long in lower case, with its lines but no other spacing."""
    text = without_unseen(text).replace("，", ", ")
    text = unicodedata.normalize("NFKC", text).replace("\u0130", "I").translate(_DIGITS)
    text = _BLANKS.sub(lambda blanks: " " * min(len(blanks[0]), 3), text.replace("\r", ""))
    return _BLANK_LINES.sub("\n\n", text)[:MAX_CHARS]


def _context(whole: str, candidate: Candidate, head_chars: int) -> str:
    """What stands beside it in the subject, which ends at ``head_chars``, or else below that."""
    start, end = candidate.start, candidate.end
    if end <= head_chars:
        return in_context(whole[:head_chars], start, end)
    return in_context(whole[head_chars:], start - head_chars, end - head_chars)


def _with_whole_codes(text: str) -> str:
    """``text`` with a code in one line whose digits have a line each."""
    return _DIGIT_LINES.sub(_in_one_line, text)


def _in_one_line(digits: re.Match[str]) -> str:
    code = "".join(filter(str.isdigit, digits[0]))
    return digits[0] if code in _COUNTED else code


class _Mail:
    """A mail's text and its labels, by which candidates in it are rated."""

    def __init__(self, whole: str, found: list[Label]) -> None:
        self._whole = whole
        self._lowered = whole.lower()
        self._labels = found
        self._is_about_access = any(map(self._is_of_access, found))
        self._starts = [label.start for label in self._labels]

    def rating(self, candidate: Candidate) -> float:
        """Return how likely it is a code: below ENOUGH it is none."""
        before = self._nearest_before(candidate)
        after = self._nearest_after(candidate)
        is_told = self._is_told(candidate, before.get("code"), after.get("code"))
        is_asked_for = bool(TAKING.search(self._text(candidate.start - 40, candidate.start)))
        if "other" in before and not (is_told or is_asked_for):
            return 0.0
        rating = max(
            self._by_code_before(candidate, before.get("code")),
            self._by_code_after(candidate, after.get("code")),
            self._by_act_before(candidate, before.get("act")),
            self._by_act_after(candidate, after.get("act")),
        )
        if rating <= 0 or not self._may_be(candidate, is_told=is_told, is_asked_for=is_asked_for):
            return 0.0
        if not (is_told or is_asked_for or candidate.is_alone or self._is_about_access):
            rating -= _BARELY  # codes are written, broken and reviewed, too
        return (
            rating
            + 2 * is_asked_for
            + _by_form(candidate)
            - self._doubts(candidate, is_told=is_told)
        )

    def _is_of_access(self, label: Label) -> bool:
        is_plain = self._text(label.start, label.end) in PLAIN_CODES
        return label.meaning == "act" or (label.meaning == "code" and not is_plain)

    def _is_told(
        self, candidate: Candidate, code_before: Label | None, code_after: Label | None
    ) -> bool:
        """Whether a sentence says that it is the code."""
        if code_before is not None:
            between = self._text(code_before.end, candidate.start)
            if _cost(between, line=4) <= _REACH and _IS.search(between):
                return True
        if code_after is None:
            return False
        between = self._text(candidate.end, code_after.start)
        return _cost(between) <= _REACH and _IS_AFTER.match(between) is not None

    def _nearest_before(self, candidate: Candidate) -> dict[Meaning, Label]:
        """The last label of each meaning before it; one that says it is no code stands alone."""
        found: dict[Meaning, Label] = {}
        for label in reversed(self._labels[: bisect_left(self._starts, candidate.start)]):
            if candidate.start - label.end > _BEFORE_CHARS:
                break
            if label.meaning != "other":
                found.setdefault(label.meaning, label)
            elif not found and self._is_of(label, candidate):
                return {"other": label}
        return found

    def _is_of(self, other: Label, candidate: Candidate) -> bool:
        """Whether a label that says that something is no code says so of the candidate."""
        between = self._text(other.end, candidate.start)
        return _cost(between) <= _REACH and not _OTHER_NUMBER.search(between)

    def _nearest_after(self, candidate: Candidate) -> dict[Meaning, Label]:
        found: dict[Meaning, Label] = {}
        for label in self._labels[bisect_left(self._starts, candidate.end) :]:
            if label.start - candidate.end > _AFTER_CHARS:
                break
            found.setdefault(label.meaning, label)
        return found

    def _by_code_before(self, candidate: Candidate, label: Label | None) -> float:
        if label is None:
            return 0.0
        between = self._before(candidate, label)
        if candidate.is_alone:
            return 11.5 - _cost(between, line=4, sentence=10) / 25
        return 10 - _cost(between) / (24 if _IS.search(between) else 12)

    def _by_code_after(self, candidate: Candidate, label: Label | None) -> float:
        if label is None:
            return 0.0
        return 9 - _cost(self._text(candidate.end, label.start)) / 10

    def _by_act_before(self, candidate: Candidate, label: Label | None) -> float:
        if label is None:
            return 0.0
        between = self._before(candidate, label)
        if candidate.is_alone:
            return 7 - _cost(between, line=4, sentence=10) / 25
        is_told = bool(_IS.search(between)) and not self._goes_on(candidate)
        return 4 - _cost(between) / 15 + 1.5 * is_told

    def _by_act_after(self, candidate: Candidate, label: Label | None) -> float:
        if label is None:
            return 0.0
        between = self._text(candidate.end, label.start)
        is_for_it = _IN_ORDER_TO.match(between) is not None
        return 3.5 - _cost(between) / 10 + 2 * candidate.is_alone + 1.5 * is_for_it

    def _doubts(self, candidate: Candidate, *, is_told: bool) -> float:
        near = self._text(candidate.start - _BARGAIN_CHARS, candidate.end + _BARGAIN_CHARS)
        doubts = 0.0
        if BARGAIN.search(near):
            doubts = 4 if candidate.is_number else 8
        if PAYING.search(near) and not is_told:
            doubts += 5
        if candidate.is_number and len(candidate.code) <= 5:
            after = self._whole[candidate.end : candidate.end + 3]
            doubts += 3 * (len(after) == 3 and after[0] == " " and after[1].isupper())
        return doubts

    def _may_be(self, candidate: Candidate, *, is_told: bool, is_asked_for: bool) -> bool:
        """Whether it has the form of a code, or the text says that it is one.

        That has to be said of a year, of what names look like, and of a word in capitals where
        there is nothing else in capitals.
        """
        if not _NEEDS_TELLING.match(candidate.code):
            return True
        if any(map(str.isdigit, candidate.code)):
            is_clear = candidate.is_alone and not _YEAR.match(candidate.code)
            return is_told or is_asked_for or is_clear
        return is_told and not self._whole[max(candidate.start - 20, 0) : candidate.start].isupper()

    def _goes_on(self, candidate: Candidate) -> bool:
        return _GOES_ON.match(self._lowered, candidate.end) is not None

    def _before(self, candidate: Candidate, label: Label | None) -> str:
        return self._text(label.end, candidate.start) if label else ""

    def _text(self, start: int, end: int) -> str:
        return self._lowered[max(start, 0) : end]


def _cost(between: str, *, line: int = 12, sentence: int = 40) -> int:
    """How far apart things are that have ``between`` between them."""
    ends = len(_SENTENCE_END.findall(between))
    return len(between) + line * between.count("\n") + sentence * ends


def _by_form(candidate: Candidate) -> float:
    if not candidate.is_number:
        return -0.5
    return {4: -0.5, 6: 1.0, 9: -1.0, 10: -2.0}.get(len(candidate.code), 0.0)
