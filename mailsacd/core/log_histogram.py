"""Percentiles of very many numbers in bounded memory, each within a hundredth of what it is."""

from math import log
from typing import Final

import msgspec

ERROR: Final = 0.01
"""A percentile is off by so much of itself at most."""
LARGEST: Final = 10**12
"""Numbers are counted as this at most, so there are 1,383 buckets at most."""

_GROWTH: Final = (1 + ERROR) / (1 - ERROR)
_LOG: Final = log(_GROWTH)


class LogHistogram(msgspec.Struct, kw_only=True):
    """Counts whole numbers from 0 in buckets that grow with the numbers.

    Bucket ``n`` has what is above growth^(n-1) and at most growth^n; -1 is that of 0.
    """

    buckets: dict[int, int] = {}
    count: int = 0
    total: int = 0
    smallest: int | None = None
    largest: int | None = None

    def add(self, number: int) -> None:
        """Count ``number``, 0 or more."""
        bucket = -1 if number <= 0 else round_up(log(min(number, LARGEST)) / _LOG)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.count += 1
        self.total += number
        if self.smallest is None or number < self.smallest:
            self.smallest = number
        if self.largest is None or number > self.largest:
            self.largest = number

    def merge(self, other: "LogHistogram") -> None:
        """Count what ``other`` has counted, too."""
        for bucket, n in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + n
        self.count += other.count
        self.total += other.total
        smallest = [n for n in (self.smallest, other.smallest) if n is not None]
        largest = [n for n in (self.largest, other.largest) if n is not None]
        self.smallest, self.largest = min(smallest, default=None), max(largest, default=None)

    def percentile(self, part: float) -> float | None:
        """The number that ``part`` (0 to 1) of all are at most, within ERROR; None without any."""
        if self.smallest is None or self.largest is None:
            return None
        left = max(round_up(part * self.count), 1)
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                middle = 0.0 if bucket < 0 else 2 * _GROWTH**bucket / (_GROWTH + 1)
                return min(max(middle, float(self.smallest)), float(self.largest))
        return float(self.largest)


def round_up(number: float) -> int:
    """``number`` rounded up, but for what is only rounding."""
    whole = int(number)
    return whole if number - whole < 1e-9 else whole + 1
