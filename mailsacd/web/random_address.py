"""Local parts that nobody has used: easy to read out, hard to guess."""

import secrets
from typing import Final

_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aeiou"
_SYLLABLES: Final = 6
_DIGITS: Final = 100


def random_local() -> str:
    """Six syllables and two digits, one of 26 million millions: as ``kolaributeno42``."""
    syllables = (secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(_SYLLABLES))
    return f"{''.join(syllables)}{secrets.randbelow(_DIGITS):02}"
