"""How many of very many names came more than once, in bounded memory.

Each name has a number that looks drawn at random (a hash). While there are few, all are counted,
which is exact. When there are more than there is room for, those are counted on whose number begins
with a 0 bit, then with two, and so on: each of these stands for two, four … names. What came once
is never taken for having come twice, and samples of several processes add up.
"""

import struct
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

MAX_IDS: Final = 50_000
"""So many different names are counted exactly."""

_BITS: Final = 64


class SampledIds:
    """Counts names. ``fresh`` is what was counted since it was taken last."""

    def __init__(self, max_ids: int = MAX_IDS) -> None:
        self._max_ids = max_ids
        self.halvings = 0
        """Each name that is counted stands for 2 ** halvings."""
        self.counts: dict[int, int] = {}
        self.fresh: dict[int, int] = {}

    def add(self, name: bytes) -> None:
        """Count ``name`` once more."""
        number = int.from_bytes(blake2b(name, digest_size=8).digest(), "big")
        if number >> (_BITS - self.halvings):
            return
        self.counts[number] = self.counts.get(number, 0) + 1
        self.fresh[number] = self.fresh.get(number, 0) + 1
        while len(self.counts) > self._max_ids:
            self.halve(self.halvings + 1)

    def merge(self, counts: dict[int, int], halvings: int) -> None:
        """Count what another one has counted, too."""
        self.halve(max(halvings, self.halvings))
        for number, n in counts.items():
            if not number >> (_BITS - self.halvings):
                self.counts[number] = self.counts.get(number, 0) + n

    def halve(self, halvings: int) -> None:
        """Count those alone, from now on, that are left after so many ``halvings``."""
        if halvings > self.halvings:
            self.halvings = halvings
            self.counts = self._left(self.counts)
            self.fresh = self._left(self.fresh)

    @property
    def duplicates(self) -> int:
        """How often a name came that had come before: exactly without halvings, else about."""
        return (sum(self.counts.values()) - len(self.counts)) << self.halvings

    @property
    def different(self) -> int:
        """How many different names came: exactly without halvings, else about."""
        return len(self.counts) << self.halvings

    def _left(self, counts: dict[int, int]) -> dict[int, int]:
        shift = _BITS - self.halvings
        return {number: n for number, n in counts.items() if not number >> shift}


def packed(counts: dict[int, int]) -> bytes:
    """``counts`` as bytes: the numbers, then how often each came."""
    n = len(counts)
    often = (min(times, 0xFFFFFFFF) for times in counts.values())
    return struct.pack(f"<{n}Q{n}I", *counts, *often)


def unpacked(pieces: Iterable[bytes]) -> dict[int, int]:
    """What several ``packed`` make together."""
    counts: dict[int, int] = {}
    for piece in pieces:
        n = len(piece) // 12
        values = struct.unpack(f"<{n}Q{n}I", piece)
        for number, times in zip(values[:n], values[n:], strict=True):
            counts[number] = counts.get(number, 0) + times
    return counts
