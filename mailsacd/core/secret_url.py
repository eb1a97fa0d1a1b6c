"""What a URL tells by itself: whether it carries a secret, and what its path is about."""

import re
from itertools import pairwise
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_MAX_CHARS: Final = 2_000
_NAMES_OF_SECRETS: Final = re.compile(
    r"(?:\w{0,40}(?:token|key|code|ticket|otp|nonce|secret|signature|hash|jwt|invite)|sig|t|k|c)\Z"
)
_NAMES_OF_OTHERS: Final = re.compile(
    r"(?:utm_\w{1,20}|lang|locale|email|e|redirect\w{0,10}|next|return\w{0,10}|continue\w{0,10}"
    r"|source|ref|campaign|url)\Z"
)
_MIN_NAMED_CHARS: Final = 6
_RUN: Final = re.compile(r"[A-Za-z0-9]{8,}")
_MIN_RUN_CHARS: Final = 16
_MIN_CHANGES_OF_CASE: Final = 4
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WORD: Final = re.compile(r"[a-z]+")


def has_secret(url: str) -> bool:
    """Return whether ``url`` carries a token that nobody guesses, in its path or its query."""
    parts = _parts(url)
    if parts is None:
        return False
    path, query, fragment = parts
    for written, value in (*parse_qsl(query), *parse_qsl(fragment)):
        name = written.lower()
        if _NAMES_OF_OTHERS.match(name):
            continue
        if len(value) >= _MIN_NAMED_CHARS and _NAMES_OF_SECRETS.match(name):
            return True
        if _is_random(value):
            return True
    return _is_random(path)


def words_of(url: str) -> frozenset[str]:
    """Return the words of its path and of the names in its query, in lower case."""
    parts = _parts(url)
    if parts is None:
        return frozenset()
    path, query, _ = parts
    names = (name for name, _ in parse_qsl(query))
    return frozenset(_WORD.findall(" ".join((path, *names)).lower()))


def _parts(url: str) -> tuple[str, str, str] | None:
    try:
        split = urlsplit(url[:_MAX_CHARS])
    except ValueError:  # brackets that are no address
        return None
    return split.path, split.query, split.fragment


def _is_random(text: str) -> bool:
    """Whether a run of letters and digits in ``text`` is no word and no number."""
    if _UUID.search(text):
        return True
    for run in _RUN.findall(text):
        digits = sum(map(str.isdigit, run))
        upper, lower = any(map(str.isupper, run)), any(map(str.islower, run))
        if 0 < digits < len(run) and (len(run) >= _MIN_RUN_CHARS or (upper and lower)):
            return True
        if (
            len(run) >= _MIN_RUN_CHARS
            and digits == 0
            and _changes_of_case(run) >= _MIN_CHANGES_OF_CASE
        ):
            return True
    return False


def _changes_of_case(run: str) -> int:
    return sum(a.isupper() != b.isupper() for a, b in pairwise(run))
