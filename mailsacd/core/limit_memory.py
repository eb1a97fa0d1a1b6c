"""The memory in which limits are counted by all workers of a node: rates, guesses, what is open.

A worker inherits a file of the parent's, which has no name and is in memory, and maps it: so all
of them spend from the same buckets, and one that is started anew finds them as they are. Two that
change one number in the same instant lose a change; nobody waits for anybody. Of what a worker has
open it counts in a seat of its own, which the parent clears when the worker is gone.
"""

import mmap
import os
import secrets
from collections.abc import MutableSequence, Sequence
from typing import Final, cast

from mailsacd.core.rate import SLOTS
from mailsacd.core.shared_memory import make_unnamed_file

TABLES: Final = (
    "peer",
    "sender",
    "recipient",
    "account",
    "calling-peer",
    "calling-account",
    "sending-account",
    "link-account",
)
"""What there are buckets of."""

MOMENTS: Final = 10
"""So many are kept for each place of the guesses (core.sliding_window)."""

_SECRET_BYTES: Final = 64
_BYTES_OF: Final = {"d": 8, "I": 4}
_RATES_BYTES: Final = len(TABLES) * SLOTS * _BYTES_OF["d"]  # 8 MiB, of what is touched
_GUESSES_BYTES: Final = MOMENTS * SLOTS * _BYTES_OF["d"]  # 10 MiB, likewise
_SEAT_BYTES: Final = SLOTS * _BYTES_OF["I"]
_SHARED_BYTES: Final = _SECRET_BYTES + _RATES_BYTES + _GUESSES_BYTES


class LimitMemory:
    """Tables of numbers, and the secret by which a key's places in them are found (core.rate)."""

    def __init__(self, descriptor: int = -1, *, seat: int = 0) -> None:
        """Map the file that `shared_file` made; without one the memory is the process's own.

        ``seat`` is that of the process.
        """
        size = _SHARED_BYTES + _SEAT_BYTES if descriptor < 0 else os.fstat(descriptor).st_size
        whole = self._whole = memoryview(mmap.mmap(descriptor, size))
        if descriptor < 0:
            whole[:_SECRET_BYTES] = secrets.token_bytes(_SECRET_BYTES)
        self.secret: Final = bytes(whole[:_SECRET_BYTES])
        rates = whole[_SECRET_BYTES : _SECRET_BYTES + _RATES_BYTES].cast("d")
        self.tables: Final[dict[str, MutableSequence[float]]] = {
            name: cast(MutableSequence[float], rates[at * SLOTS : (at + 1) * SLOTS])
            for at, name in enumerate(TABLES)
        }
        guesses = whole[_SECRET_BYTES + _RATES_BYTES : _SHARED_BYTES]
        self.guesses: Final = cast(MutableSequence[float], guesses.cast("d"))
        """When peers guessed: MOMENTS for each place."""
        self.seats: Final[Sequence[MutableSequence[int]]] = [
            cast(MutableSequence[int], self._seat(number).cast("I"))
            for number in range((size - _SHARED_BYTES) // _SEAT_BYTES)
        ]
        self.own: Final = self.seats[seat]
        """What the process itself has open, by places."""

    def clear_seat(self, number: int) -> None:
        """Forget what a process had open that is gone."""
        self._seat(number)[:] = bytes(_SEAT_BYTES)

    def _seat(self, number: int) -> memoryview:
        start = _SHARED_BYTES + number * _SEAT_BYTES
        return self._whole[start : start + _SEAT_BYTES]


def shared_file(seats: int = 1) -> int:
    """Make a file for the LimitMemory of so many processes. The caller closes the descriptor."""
    descriptor = make_unnamed_file("mailsacd-limits", _SHARED_BYTES + seats * _SEAT_BYTES)
    os.pwrite(descriptor, secrets.token_bytes(_SECRET_BYTES), 0)
    return descriptor
