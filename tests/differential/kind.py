"""What a kind of difference is, and what is left out of values to see what they differ in.

Who is right and by which paragraph stands in docs/specifications.md, a row a kind. A kind explains
a difference if both sides say the same once that is left out which the kind is about.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from tests.differential import ours
from tests.differential.differences import Difference, said

TEXTS: Final = ("text", "html")
PEOPLE: Final = ("sender", "to", "cc", "bcc")
HEADER: Final = ("subject", "date", "message_id", *PEOPLE)

_CONTROLS: Final = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f]")
_NO_LETTER: Final = re.compile(r"[^a-z0-9]+", re.IGNORECASE)
_UNDECODED: Final = re.compile("[\ufffd\ud800-\udfff]")


class Kind(NamedTuple):
    """A kind of difference, in which fields there are some, and whether one is of the kind."""

    name: str
    fields: tuple[str, ...]
    explains: Callable[[Difference], bool]


def same(difference: Difference, simpler: Callable[[str], str]) -> bool:
    """Return whether both sides are the same once each text in them is made simpler."""
    return each(difference.here, simpler) == each(difference.there, simpler)


def each(value: object, simpler: Callable[[str], str]) -> object:
    """Return ``value``, which is a text or made of texts, with each made simpler."""
    if isinstance(value, str):
        return simpler(value)
    return tuple(each(one, simpler) for one in value) if isinstance(value, tuple) else value


def packed(text: str) -> str:
    """Return ``text`` without white space and byte order marks."""
    return "".join(text.replace("\ufeff", "").split())


def without_controls(text: str) -> str:
    """Return ``text`` without white space and control characters."""
    return packed(_CONTROLS.sub("", text))


def has_controls(value: object) -> bool:
    """Return whether there is a control character in ``value``, other than a tab or a line end."""
    return each(value, packed) != each(value, without_controls)


def ascii_of(text: str) -> str:
    """Return the letters of ``text`` that are the same in all charsets, and the digits."""
    return _NO_LETTER.sub("", text)


def packed_lines(text: str) -> list[str]:
    """Return the lines of ``text`` in which something stands, without white space."""
    return [line for each_ in text.splitlines() if (line := packed(each_))]


def is_in(some: list[str], all_: list[str]) -> bool:
    """Return whether ``some`` stand in ``all_`` in the same order."""
    rest = iter(all_)
    return all(each_ in rest for each_ in some)


def is_undecoded(value: object) -> bool:
    """Return whether there is a character in ``value`` that stands for bytes nobody could read."""
    if isinstance(value, tuple):
        return any(map(is_undecoded, value))
    return isinstance(value, str) and _UNDECODED.search(value) is not None


def head(content: bytes) -> bytes:
    """Return the header section of the message ``content``."""
    return re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]


def would_be(difference: Difference, content: bytes) -> bool:
    """Return whether mailsacd says of ``content`` what the other parser says of the message."""
    here = each(said(ours.view(content), difference.field), without_controls)
    return here == each(difference.there, without_controls)


def holds(content: bytes, *words: bytes) -> bool:
    """Return whether one of ``words``, which are in lower case, stands in ``content``."""
    lower = content.lower()
    return any(word in lower for word in words)
