"""A load test of a domain: what it is, and what is counted of the mail that comes for it."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

import msgspec

from mailsacd.core.log_histogram import LogHistogram

MAX_HOURS: Final = 8
DEFAULT_HEADER: Final = "X-Load-Test-Sent"

SLOT_MS: Final = 10_000
"""Messages are counted in slots of ten seconds; of late in seconds, too."""
LATE_SECONDS: Final = 30

_MAX_DIGITS: Final = 15
_MAX_HEADER_BYTES: Final = 262_144


class LoadTestRun(msgspec.Struct, frozen=True, kw_only=True):
    """A test under way: mail for its domain is counted until ``ends_ms``, and not kept.

    ``header`` is the field of a message that tells when it was sent, in epoch milliseconds.
    """

    id: str
    header: str
    ends_ms: int


class LoadTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test as it was declared. It ``ends`` by itself."""

    id: str
    domain: str
    owner: str
    header: str
    started: datetime
    ends: datetime


class Figures(msgspec.Struct, kw_only=True):
    """What is counted of a test by one process, or by all of them together.

    Times count in milliseconds from the epoch. ``latency`` is in milliseconds, from what the
    message says (``by_header``, ``by_date`` tell how often which field did) to its end;
    ``ahead`` counts those that were sent later than they came, whose latency is taken for 0.
    """

    messages: int = 0
    recipients: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    by_header: int = 0
    by_date: int = 0
    ahead: int = 0
    identified: int = 0
    halvings: int = 0
    latency: LogHistogram = msgspec.field(default_factory=LogHistogram)
    size: LogHistogram = msgspec.field(default_factory=LogHistogram)
    slots: dict[int, int] = {}
    seconds: dict[int, int] = {}

    def add(self, content: bytes, header: str, received_ms: int, recipients: int) -> bytes | None:
        """Count a message that was whole at ``received_ms``. Returns its Message-ID, if any."""
        self.messages += 1
        self.recipients += recipients
        self.size.add(len(content))
        self.first_ms = min(received_ms, self.first_ms or received_ms)
        self.last_ms = max(received_ms, self.last_ms or received_ms)
        slot, second = received_ms // SLOT_MS, received_ms // 1000
        self.slots[slot] = self.slots.get(slot, 0) + 1
        if second not in self.seconds:
            self._forget_seconds(second)
        self.seconds[second] = self.seconds.get(second, 0) + 1
        fields = _header_section(content)
        sent_ms = _epoch_ms(_field(fields, header))
        if sent_ms is not None:
            self.by_header += 1
        elif (sent_ms := _date_ms(_field(fields, "Date"))) is not None:
            self.by_date += 1
        if sent_ms is not None:
            self.ahead += sent_ms > received_ms
            self.latency.add(max(received_ms - sent_ms, 0))
        message_id = _field(fields, "Message-ID")
        self.identified += bool(message_id)
        return message_id or None

    def merge(self, other: "Figures") -> None:
        """Count what another process has counted, too."""
        for name in ("messages", "recipients", "by_header", "by_date", "ahead", "identified"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        firsts = [ms for ms in (self.first_ms, other.first_ms) if ms is not None]
        lasts = [ms for ms in (self.last_ms, other.last_ms) if ms is not None]
        self.first_ms, self.last_ms = min(firsts, default=None), max(lasts, default=None)
        self.latency.merge(other.latency)
        self.size.merge(other.size)
        for mine, theirs in ((self.slots, other.slots), (self.seconds, other.seconds)):
            for time, n in theirs.items():
                mine[time] = mine.get(time, 0) + n

    def _forget_seconds(self, now: int) -> None:
        if len(self.seconds) >= LATE_SECONDS:
            self.seconds = {s: n for s, n in self.seconds.items() if s > now - LATE_SECONDS}
            if len(self.seconds) >= 2 * LATE_SECONDS:  # the clock was set back
                self.seconds = {}


def _header_section(content: bytes) -> bytes:
    if content.startswith((b"\r\n", b"\n")):
        return b""
    ends = [at for end in (b"\r\n\r\n", b"\n\n") if (at := content.find(end)) >= 0]
    return content[: min([*ends, _MAX_HEADER_BYTES])]


def _field(fields: bytes, name: str) -> bytes:
    """The value of the first field of that name, unfolded; empty when there is none."""
    found = _pattern(name).search(fields)
    return b" ".join(found[1].split()) if found else b""


@lru_cache(64)
def _pattern(name: str) -> "re.Pattern[bytes]":
    named = re.escape(name.encode("ascii"))
    value = rb"([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)"
    return re.compile(rb"^" + named + rb"[ \t]*:" + value, re.MULTILINE | re.IGNORECASE)


def _epoch_ms(value: bytes) -> int | None:
    return int(value) if value.isdigit() and len(value) <= _MAX_DIGITS else None


def _date_ms(value: bytes) -> int | None:
    if not value:
        return None
    try:
        return int(parsedate_to_datetime(value.decode("ascii", "replace")).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
