"""Times as people and programs write them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH_MS: Final = re.compile(r"-?[0-9]{1,15}\Z")
_ISO_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?\Z",
    re.ASCII | re.IGNORECASE,
)
_PLUS_READ_AS_SPACE: Final = re.compile(r" (\d\d:?\d\d)\Z", re.ASCII)


def milliseconds_of(text: str) -> int:
    """Return the time that ``text`` says, as milliseconds since the epoch.

    It is an ISO 8601 date or date and time (UTC where it names no zone), or the milliseconds
    themselves. A ``+`` of the zone that was not URL-encoded arrives as a space and is understood.
    Raises ValueError with what is wrong with any other text.
    """
    if _EPOCH_MS.match(text):
        return int(text)
    text = _PLUS_READ_AS_SPACE.sub(r"+\1", text) if ":" in text[:-6] else text
    if not _ISO_TIME.match(text):
        raise ValueError("is neither an ISO 8601 date or time nor milliseconds since the epoch")
    try:
        when = datetime.fromisoformat(text.upper())
    except ValueError as e:
        raise ValueError("is not a date and time that exists") from e
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - _EPOCH) // _MILLISECOND
