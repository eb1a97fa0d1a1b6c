"""The language of search queries: from a text to what it asks for (core.query_terms).

    query  = part *("OR" part)          part  = 1*item
    item   = ["-"] ("(" query ")" / [name ":"] value)

What stands beside each other has to be there all. A value is a run of characters without white
space and parentheses; what is between double quotes may have these, and a quote or backslash after
a backslash. docs/search.md has the names.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from mailsacd.core.errors import Fault, InvalidInputError
from mailsacd.core.folding import fold
from mailsacd.core.message_form import FOLDERS
from mailsacd.core.query_terms import STATES, All, Not, Query, Some, Term
from mailsacd.core.time_text import milliseconds_of
from mailsacd.core.token import time_prefix

MAX_QUERY_CHARACTERS: Final = 500
MAX_TERMS: Final = 40
"""Those of the saved searches that it names included."""
MAX_DEPTH: Final = 8
"""So many parentheses and signs may be within each other."""

TAG: Final = "tag:"
"""What the names of saved searches follow."""

_SPACE: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r"([A-Za-z]{1,20}):(?!//)")
_PIECE: Final = re.compile(r'[^\s()"]+|"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_FIELD_NAME: Final = re.compile(r"[!-9;-<>-~]{1,100}\Z")  # RFC 5322 section 3.6.8, without "="
_SIZE: Final = re.compile(r"([0-9]{1,10})([km]?)b?\Z", re.IGNORECASE)
_MILLISECONDS_DIGITS: Final = 10
"""Fewer are no time that anybody has received mail at: they are a year, or a day."""
_UNITS: Final = {"": 1, "k": 1_024, "m": 1_048_576}


class QueryError(InvalidInputError):
    """A query that cannot be understood; the text tells at which character, counted from 1."""

    def __init__(self, position: int, problem: str) -> None:
        told = f"at character {position + 1}: {problem}"
        super().__init__(f"The query is wrong {told}", (Fault(field="query", problem=told),))
        self.position = position


def parse(text: str, saved: Mapping[str, str] | None = None) -> Query:
    """Return what ``text`` asks for. Raises QueryError.

    ``saved`` are the queries that ``tag:`` may name, by their names; None: it may not be there.
    """
    reader = _Reader(text, saved, MAX_TERMS)
    if len(text) > MAX_QUERY_CHARACTERS:
        raise QueryError(
            MAX_QUERY_CHARACTERS, f"it has more than {MAX_QUERY_CHARACTERS} characters"
        )
    return reader.whole()


class _Reader:
    """Reads one text. ``room`` is how many terms there may be."""

    def __init__(self, text: str, saved: Mapping[str, str] | None, room: int) -> None:
        self.room = room
        self._text = text
        self._saved = saved
        self._at = 0

    def whole(self) -> Query:
        """What all of the text asks for."""
        found = self._alternatives(0)
        if self._at < len(self._text):
            raise QueryError(self._at, "a parenthesis is closed that was not opened")
        return found

    def _alternatives(self, depth: int) -> Query:
        parts = [self._items(depth)]
        while self._takes("OR"):
            parts.append(self._items(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _items(self, depth: int) -> Query:
        items: list[Query] = []
        goes_on = self._goes_on()
        while goes_on:
            items.append(self._item(depth))
            goes_on = self._takes("AND") or self._goes_on()
            if goes_on and not self._goes_on():
                raise QueryError(self._at, "something to search for is missing")
        if not items:
            raise QueryError(self._at, "something to search for is missing")
        return items[0] if len(items) == 1 else All(tuple(items))

    def _goes_on(self) -> bool:
        self._skip_space()
        here = self._text[self._at : self._at + 1]
        return here not in {"", ")"} and not self._is_at("OR")

    def _item(self, depth: int) -> Query:
        start = self._at
        if depth >= MAX_DEPTH:
            raise QueryError(
                start, f"more than {MAX_DEPTH} parentheses and signs are within each other"
            )
        if self._text[start] == "-" or self._takes("NOT"):
            self._at += self._text[start] == "-"
            self._skip_space()
            if not self._goes_on():
                raise QueryError(start, "what is not to be there is missing")
            return Not(self._item(depth + 1))
        if self._text[start] == "(":
            self._at += 1
            found = self._alternatives(depth + 1)
            if self._text[self._at : self._at + 1] != ")":
                raise QueryError(start, "the parenthesis is not closed")
            self._at += 1
            return found
        return self._term()

    def _term(self) -> Query:
        self.room -= 1
        start = self._at
        if self.room < 0:
            raise QueryError(start, f"there are more than {MAX_TERMS} terms")
        named = _NAME.match(self._text, start)
        if named is None:
            return Term(field="any", text=fold(self._value("")))
        name = named[1].lower()
        self._at = named.end()
        if name == "tag":
            return self._tag(start)
        make = _TERMS.get(name)
        if make is None:
            known = ", ".join(f"{each}:" for each in (*_TERMS, "tag"))
            raise QueryError(start, f"there is no {name}:, but {known}; quotes make a text of it")
        value = self._value(f"{name}:")
        try:
            return make(value)
        except ValueError as e:
            raise QueryError(named.end(), f"what follows {name}: {e}") from e

    def _tag(self, start: int) -> Query:
        name = fold(self._value(TAG))
        if self._saved is None:
            raise QueryError(
                start, "tag: is for the saved searches of an account, and not in these"
            )
        if name not in self._saved:
            raise QueryError(start, f"there is no saved search {name!r}")
        reader = _Reader(self._saved[name], None, self.room + 1)
        try:
            found = reader.whole()
        except QueryError as e:
            raise QueryError(start, f"in the saved search {name!r}, {e.faults[0].problem}") from e
        self.room = reader.room
        return found

    def _value(self, name: str) -> str:
        """The text of a value, after ``name`` if that is not empty."""
        start, pieces = self._at, []
        while (piece := _PIECE.match(self._text, self._at)) is not None:
            is_quoted = piece[1] is not None
            pieces.append(_ESCAPED.sub(r"\1", piece[1]) if is_quoted else piece[0])
            self._at = piece.end()
        if self._text[self._at : self._at + 1] == '"':
            raise QueryError(self._at, "the quotes are not closed")
        if not (text := "".join(pieces)).strip():
            raise QueryError(
                start, f"a text has to follow {name}" if name else "the quotes are empty"
            )
        return text

    def _takes(self, word: str) -> bool:
        self._skip_space()
        found = self._is_at(word)
        self._at += len(word) if found else 0
        return found

    def _is_at(self, word: str) -> bool:
        after = self._text[self._at + len(word) : self._at + len(word) + 1]
        return self._text.startswith(word, self._at) and (after in {"", "("} or after.isspace())

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at


def _header(text: str) -> Term:
    name, _, value = text.partition("=")
    if not _FIELD_NAME.match(name):
        raise ValueError("is not the name of a header field, or name=value")
    return Term(field="header", name=name.lower(), text=fold(value))


def _has(text: str) -> Term:
    if text.lower() not in {"attachment", "attachments"}:
        raise ValueError("is not attachment")
    return Term(field="attachment")


def _state(text: str) -> Term:
    return Term(field="state", text=_choice(text, STATES))


def _folder(text: str) -> Term:
    return Term(field="folder", text=_choice(text, FOLDERS))


def _choice(text: str, choices: tuple[str, ...]) -> str:
    if text.lower() not in choices:
        raise ValueError(f"is none of {', '.join(choices)}")
    return text.lower()


def _since(text: str) -> Term:
    if text.isdigit() and len(text) < _MILLISECONDS_DIGITS:
        raise ValueError("is neither an ISO 8601 date or time nor milliseconds since the epoch")
    return Term(field="id", text=time_prefix(milliseconds_of(text)))


def _bytes(text: str) -> int:
    found = _SIZE.match(text)
    if found is None:
        raise ValueError("is not a number of bytes, or of 1,024 or 1,048,576 of them as 5k or 5M")
    return int(found[1]) * _UNITS[found[2].lower()]


_TERMS: Final[Mapping[str, Callable[[str], Query]]] = {
    "from": lambda text: Term(field="from", text=fold(text)),
    "to": lambda text: Term(field="to", text=fold(text)),
    "subject": lambda text: Term(field="subject", text=fold(text)),
    "body": lambda text: Term(field="body", text=fold(text)),
    "raw": lambda text: Term(field="raw", text=text),
    "header": _header,
    "link": lambda text: Term(field="link", text=fold(text)),
    "has": _has,
    "is": _state,
    "folder": _folder,
    "label": lambda text: Term(field="label", text=text),
    "after": _since,
    "before": lambda text: Not(_since(text)),
    "larger": lambda text: Term(field="larger", number=_bytes(text)),
    "smaller": lambda text: Term(field="smaller", number=_bytes(text)),
}
