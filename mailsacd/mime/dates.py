"""Dates of header fields (RFC 5322 sections 3.3 and 4.3), as good as can be."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from typing import Final

MAX_CHARS: Final = 200

_COMMENT = re.compile(r"\([^()]*+\)")
_WEEKDAY = re.compile(r"\D*,(?=\s*\d)")  # or what is written for it
_ZONE_NAME = re.compile(r"(?:GMT|UTC?)(?=[+-]\d{4}\b)", re.IGNORECASE)
# The standard library takes 0001, which some programs write for no date, for 2001
_EARLY_YEAR = re.compile(r"[A-Za-z]{3}[ -]++(0\d{3})\b")
_DAY_S = 86_400


def read(text: str) -> datetime | None:
    """Return the date in ``text``, in UTC, or None when it cannot be understood.

    Seconds run to 60, and hours to 24, which is in the next minute or day. A date is in UTC when it
    does not say otherwise, and where its zone would lead out of the calendar. ISO 8601 is read as
    well.
    """
    if not text or len(text) > MAX_CHARS:
        return None
    text = " ".join(_ZONE_NAME.sub("", _COMMENT.sub(" ", text)).split())
    weekday = _WEEKDAY.match(text)
    text = text[weekday.end() :] if weekday is not None else text
    try:
        return _mail_date(text) or _iso_date(text)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None  # the standard library's function raises each of them for some text


def _mail_date(text: str) -> datetime | None:
    found = parsedate_tz(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, *_, zone_s = found
    early = _EARLY_YEAR.search(text)
    if early is not None:
        year = int(early[1])
    elif 100 <= year < 1000:
        year += 1900
    zone_s = zone_s or 0
    if hour > 24 or minute > 59 or second > 60 or abs(zone_s) >= _DAY_S:
        return None
    day_start = datetime(year, month, day, tzinfo=UTC)
    return _moved(_moved(day_start, hour * 3600 + minute * 60 + second), -zone_s)


def _moved(when: datetime, seconds: int) -> datetime:
    try:
        return when + timedelta(seconds=seconds)
    except OverflowError:
        return when


def _iso_date(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
