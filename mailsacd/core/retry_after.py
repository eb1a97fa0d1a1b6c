"""How long a receiver asks to be left alone: the field Retry-After (RFC 9110 section 10.2.3)."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

MAX_S: Final = 3_600.0
"""Nobody is left alone for longer than that, whatever he asks for."""

_SECONDS: Final = re.compile(r"[0-9]+\Z")
_MAX_DIGITS: Final = 9


def retry_after_s(value: str, now_s: float) -> float:
    """The seconds from ``now_s`` (since 1970) that ``value`` asks for, from 0 to MAX_S.

    It is a number of seconds or a date in any of HTTP's three forms; 0 for anything else.
    """
    text = value.strip(" \t")
    if _SECONDS.match(text):
        seconds = float(text[-_MAX_DIGITS:]) if len(text.lstrip("0")) <= _MAX_DIGITS else MAX_S
    else:
        seconds = _until(text) - now_s
    return min(max(seconds, 0.0), MAX_S)


def _until(text: str) -> float:
    """The time that ``text`` tells, 0 when it tells none."""
    try:
        told = parsedate_to_datetime(text)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
