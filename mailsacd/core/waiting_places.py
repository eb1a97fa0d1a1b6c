"""How many wait on purpose at a time, in all and of each, and how many bytes they hold."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SHARE: Final = 4
"""Nobody has more than one place in so many."""


class WaitingPlaces:
    """Counts the places that are taken, and the bytes of mail that are held there."""

    def __init__(self, most: int, *, max_bytes: int) -> None:
        """There are ``most`` places. All who wait hold ``max_bytes`` of mail at most."""
        self.taken = 0
        self.held_bytes = 0
        self._most = most
        self._share = -(-most // SHARE)
        self._max_bytes = max_bytes
        self._taken_by: Counter[str] = Counter()

    def are_free(self, who: tuple[str, ...]) -> bool:
        """Tell whether there is a place, which counts as one of each of ``who``."""
        return self.taken < self._most and all(
            self._taken_by.get(each, 0) < self._share for each in who
        )

    def have_room(self, count: int) -> bool:
        """Tell whether who waits may hold ``count`` bytes more."""
        return self.held_bytes + count <= self._max_bytes

    @contextmanager
    def take(self, who: tuple[str, ...], count: int = 0) -> Iterator[None]:
        """Take a place, with ``count`` bytes, and give it back."""
        self.taken += 1
        self.held_bytes += count
        self._taken_by.update(who)
        try:
            yield
        finally:
            self.taken -= 1
            self.held_bytes -= count
            for each in who:
                self._taken_by[each] -= 1
                if not self._taken_by[each]:
                    del self._taken_by[each]
