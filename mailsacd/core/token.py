"""Identifiers that a node makes by itself: no counter is shared, and text order is time order."""

import secrets
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_ALPHABET = (
    "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32 in lower case: sorts as it counts
)
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)  # two digits at a time: ids are hot
_TIME_DIGITS = 10  # 50 bits of milliseconds: until the year 37648
_SEQUENCE_DIGITS = 3
_SEQUENCE_LIMIT = 32**_SEQUENCE_DIGITS
_RANDOM_BYTES = 5  # 8 digits: two nodes collide within one millisecond and sequence 1 in 10^12
_RANDOM_AT_ONCE = 200 * _RANDOM_BYTES  # asking the kernel for each id would cost most of its time

_EPOCH = datetime.fromtimestamp(0, UTC)

ENVELOPE_ID_LENGTH = _TIME_DIGITS + _SEQUENCE_DIGITS + 8


class EnvelopeIds:
    """Makes envelope ids: 21 URL-safe characters, unique, rising within a process.

    ``message_id`` appends the recipient's place in the envelope; that is the ``_id`` of the API.
    """

    def __init__(self) -> None:
        self._last_ms = 0
        self._sequence = 0
        self._randomness = b""

    def next(self, now_ms: int) -> tuple[str, int]:
        """An id for ``now_ms`` (milliseconds since the epoch), and the millisecond it carries.

        That is later than ``now_ms`` when the clock stepped back, or when one millisecond
        used up its 32,768 ids, so that ids of one process always rise.
        """
        if now_ms > self._last_ms:
            self._last_ms, self._sequence = now_ms, 0
        elif self._sequence + 1 < _SEQUENCE_LIMIT:
            self._sequence += 1
        else:
            self._last_ms, self._sequence = self._last_ms + 1, 0
        if not self._randomness:
            self._randomness = secrets.token_bytes(_RANDOM_AT_ONCE)
        random = int.from_bytes(self._randomness[:_RANDOM_BYTES])
        self._randomness = self._randomness[_RANDOM_BYTES:]
        return (
            time_prefix(self._last_ms)
            + _digits(self._sequence, _SEQUENCE_DIGITS)
            + _digits(random, 8),
            self._last_ms,
        )


def moment_id(when: datetime) -> str:
    """An id for what happened at ``when`` (aware): it sorts by microsecond, then at random."""
    since = when - _EPOCH
    ms, rest = divmod(since // timedelta(microseconds=1), 1000)
    random = int.from_bytes(secrets.token_bytes(_RANDOM_BYTES))
    return time_prefix(ms) + _digits(rest, 2) + _digits(random, 8)


def message_id(envelope_id: str, place: int) -> str:
    """The id of the message that recipient number ``place`` (from 0) of the envelope gets."""
    return f"{envelope_id}-{place}"


def time_prefix(ms: int) -> str:
    """The text at or above which the ids of that millisecond and of all later ones sort."""
    return _digits(min(max(ms, 0), 32**_TIME_DIGITS - 1), _TIME_DIGITS)


def time_of(some_id: str) -> datetime:
    """The UTC time that an id made here carries."""
    ms = 0
    for digit in some_id[:_TIME_DIGITS]:
        ms = ms << 5 | _ALPHABET.index(digit)
    return utc_from_ms(ms)


def milliseconds(when: datetime) -> int:
    """``when`` (aware) in whole milliseconds since the epoch."""
    return (when - _EPOCH) // timedelta(milliseconds=1)


def utc_from_ms(ms: int) -> datetime:
    """The aware UTC time of ``ms`` milliseconds since the epoch, exact to the millisecond."""
    return _EPOCH + timedelta(milliseconds=ms)


def iso_time_from_ms(ms: int) -> str:
    """As `iso_time`, of milliseconds since the epoch."""
    seconds, rest = divmod(ms, 1000)
    return f"{_iso_second(seconds)}.{rest:03}Z"


def iso_time(when: datetime) -> str:
    """``when`` as the API writes times: ``2018-03-29T18:28:07.732Z``."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


@lru_cache(maxsize=4)  # many messages come in within one second
def _iso_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def _digits(number: int, width: int) -> str:
    out = ""
    while width > 1:
        out = _PAIRS[number & 1023] + out
        number >>= 10
        width -= 2
    return _ALPHABET[number & 31] + out if width else out
