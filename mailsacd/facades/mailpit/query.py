"""Mailpit's search language: terms with spaces between them, of which all have to fit.

A term is a word or a text in double quotes, with ``-`` or ``!`` before it where it must not fit. It
may begin with where it is looked for: ``from:``, ``subject:``. A date that is none is passed over,
as Mailpit does.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from mailsacd.core.message_form import Mailbox
from mailsacd.facades.mailpit.contents import Extract
from mailsacd.facades.mailpit.forms import bcc_of
from mailsacd.mail.reading.all_mail import Mail

MAX_TERMS: Final = 50
"""What comes after so many terms is passed over."""

Fits = Callable[[Mail, Extract | None], bool]

_TERM: Final = re.compile(r'(?:[^\s"]|"[^"]*(?:"|\Z))+')
_SIZE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s?(kb?|mb?)?\Z")
_UNITS: Final = {None: 1, "k": 1024, "kb": 1024, "m": 1024 * 1024, "mb": 1024 * 1024}


@dataclass(frozen=True, slots=True)
class Term:
    """``fits`` says of a message whether the term does, or with ``excludes`` does not.

    What it is given beside the message is None unless the term ``reads`` it.
    """

    fits: Fits
    excludes: bool
    reads: bool = False

    def takes(self, mail: Mail, extract: Extract | None) -> bool:
        """Whether the term lets the message be found."""
        return self.fits(mail, extract) != self.excludes


def parse_query(text: str, zone: str = "") -> tuple[Term, ...]:
    """The terms of a search. Days begin in the time ``zone`` (UTC where it is not known)."""
    return tuple(_terms(text, _zone(zone)))


def _terms(text: str, zone: datetime) -> Iterator[Term]:
    for found in islice(_TERM.finditer(text), MAX_TERMS):
        word = found[0].replace('"', "").strip()
        excludes = len(word) > 1 and word[0] in "-!"
        term = _term(word[1:] if excludes else word, excludes, zone)
        if term is not None:
            yield term


def _term(word: str, excludes: bool, zone: datetime) -> Term | None:
    lowered = word.lower()
    if lowered in _MARKS:
        return Term(_MARKS[lowered], excludes)
    if lowered in _PARTS:
        return Term(_PARTS[lowered], excludes, reads=True)
    name, colon, value = lowered.partition(":")
    value = value.strip()
    if colon and name in _KINDS:
        if not value:
            return None
        fits = _KINDS[name](value, zone)
        return None if fits is None else Term(fits, excludes, reads=name in _READ)
    words = " ".join(lowered.split())
    if not words:
        return None
    return Term(lambda _, extract: words in _read(extract).searched, excludes, reads=True)


_PeopleOf = Callable[[Mail, Extract | None], Iterable[Mailbox] | None]


def _people(*fields: _PeopleOf) -> "_Kind":
    def kind(value: str, _: datetime) -> Fits:
        def fits(mail: Mail, extract: Extract | None) -> bool:
            return any(
                value in f"{each.name} <{each.address}>".lower()
                for field in fields
                for each in field(mail, extract) or ()
            )

        return fits

    return kind


def _subject(value: str, _: datetime) -> Fits:
    return lambda mail, _: value in mail.first.subject.lower()


def _message_id(value: str, _: datetime) -> Fits:
    return lambda _, extract: value.strip("<>") in _read(extract).message_id.lower()


def _tag(value: str, _: datetime) -> Fits:
    return lambda mail, _: value in {label.lower() for label in mail.labels}


def _after(value: str, zone: datetime) -> Fits | None:
    when = _time(value, zone)
    return None if when is None else lambda mail, _: mail.first.received >= when


def _before(value: str, zone: datetime) -> Fits | None:
    when = _time(value, zone)
    return None if when is None else lambda mail, _: mail.first.received <= when


def _larger(value: str, _: datetime) -> Fits | None:
    size = _bytes(value)
    return None if size is None else lambda mail, _: mail.first.size > size


def _smaller(value: str, _: datetime) -> Fits | None:
    size = _bytes(value)
    return None if size is None else lambda mail, _: mail.first.size < size


def _bytes(value: str) -> float | None:
    found = _SIZE.match(value)
    return None if found is None else float(found[1]) * _UNITS[found[2]]


def _time(value: str, zone: datetime) -> datetime | None:
    """An ISO 8601 date or time, with slashes for hyphens, too."""
    try:
        when = datetime.fromisoformat(value.upper().replace("/", "-"))
    except ValueError:
        return None
    return when.replace(tzinfo=zone.tzinfo) if when.tzinfo is None else when


def _zone(name: str) -> datetime:
    """A time in the zone of that name."""
    try:
        return datetime.now(ZoneInfo(name)) if name else datetime.now(UTC)
    except (ValueError, OSError, KeyError):  # as zoneinfo says that it has no such file
        return datetime.now(UTC)


def _read(extract: Extract | None) -> Extract:
    assert extract is not None  # noqa: S101  for mypy: a term that reads is given it
    return extract


_Kind = Callable[[str, datetime], Fits | None]
_PEOPLE: Final[dict[str, _PeopleOf]] = {
    "from": lambda mail, _: mail.first.sender,
    "to": lambda mail, _: mail.first.to,
    "cc": lambda mail, _: mail.first.cc,
    "bcc": lambda mail, _: bcc_of(mail),
    "reply-to": lambda _, extract: _read(extract).reply_to,
}
_KINDS: Final[dict[str, _Kind]] = {
    **{name: _people(of) for name, of in _PEOPLE.items()},
    "addressed": _people(*_PEOPLE.values()),
    "subject": _subject,
    "message-id": _message_id,
    "tag": _tag,
    "after": _after,
    "before": _before,
    "larger": _larger,
    "smaller": _smaller,
}
_READ: Final = frozenset({"reply-to", "addressed", "message-id"})
_MARKS: Final[dict[str, Fits]] = {
    "is:read": lambda mail, _: mail.is_read,
    "is:unread": lambda mail, _: not mail.is_read,
    "is:tagged": lambda mail, _: bool(mail.labels),
}
_PARTS: Final[dict[str, Fits]] = {
    **dict.fromkeys(
        ("has:attachment", "has:attachments"), lambda _, extract: _read(extract).attachments > 0
    ),
    **dict.fromkeys(("has:inline", "has:inlines"), lambda _, extract: _read(extract).inline > 0),
}
