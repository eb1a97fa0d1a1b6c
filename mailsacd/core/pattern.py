"""Regular expressions of strangers: whatever they are, a search takes time linear in the text.

They are written as RE2 has them, without back-references and look-around, which are what makes
other engines take for ever.
"""

from dataclasses import dataclass
from typing import Final

import re2

MAX_PATTERN_CHARS: Final = 500
MAX_PROGRAM: Final = 4_000
"""Steps that a pattern is compiled to: the longest search takes this times the text."""

_MEMORY_BYTES: Final = 1_048_576


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    options.never_capture = True
    return options


_OPTIONS: Final = _options()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that compiles. It is compiled when it is needed: re2 keeps the last
    128, and thousands of people may have one that is not needed yet."""

    text: str

    def is_found_in(self, text: bytes) -> bool:
        """Whether it fits anywhere in ``text``, which is UTF-8."""
        return re2.compile(self.text, _OPTIONS).search(text) is not None


def parse_pattern(text: str) -> Pattern:
    """The regular expression that ``text`` is. Raises ValueError with what is wrong with it."""
    if not 1 <= len(text) <= MAX_PATTERN_CHARS:
        raise ValueError(f"does not have 1 to {MAX_PATTERN_CHARS} characters")
    try:
        compiled = re2.compile(text, _OPTIONS)
    except UnicodeEncodeError as e:
        raise ValueError("is not Unicode") from e
    except re2.error as e:
        (why,) = e.args
        told = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        raise ValueError(f"is no regular expression of RE2: {told}") from e
    if compiled.programsize > MAX_PROGRAM:
        raise ValueError("is too large a regular expression")
    return Pattern(text)
