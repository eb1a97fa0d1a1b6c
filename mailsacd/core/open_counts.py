"""How much of something each peer or account has open, over all workers of a node.

There are no keys: a key has a place in each of two rows of counts, found by a hash with a secret
(core.rate), and its count is the smaller of the two. So it is never less than what is open; it is
more only where both places are others' too, which the secret keeps anybody from bringing about.
"""

from typing import Final

from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.rate import places


class OpenCounts:
    """Counts of ``what``, such as connections of a port, by the names of those who have them.

    Each process counts its own in its seat of the ``memory``. Without any it is alone.
    """

    def __init__(self, what: str = "", memory: LimitMemory | None = None) -> None:
        memory = memory or LimitMemory()
        self._what = what
        self._secret: Final = memory.secret
        self._seats: Final = memory.seats
        self._own: Final = memory.own

    def of(self, name: str) -> int:
        """Return how many ``name`` has open, here and in the other processes."""
        first, second = self._places(name)
        return min(
            sum(seat[first] for seat in self._seats), sum(seat[second] for seat in self._seats)
        )

    def enter(self, name: str, most: int) -> bool:
        """Count one more of ``name``, unless there would then be more than ``most``.

        Returns whether it is counted. It is counted before it is looked at, so that of two that
        come to two processes at once no more than one is the last one.
        """
        self.add(name)
        if self.of(name) <= most:
            return True
        self.leave(name)
        return False

    def add(self, name: str) -> None:
        """Count one more of ``name``."""
        for place in self._places(name):
            self._own[place] += 1

    def leave(self, name: str) -> None:
        """Count one less of ``name``: one that was counted is gone."""
        for place in self._places(name):
            self._own[place] -= 1

    def _places(self, name: str) -> tuple[int, int]:
        return places(f"{self._what} {name}", self._secret)
