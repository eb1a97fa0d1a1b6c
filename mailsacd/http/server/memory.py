"""What connections hold in memory for clients that read, or send, slowly: within one bound.

One answer may be megabytes, and thousands of clients may ask for one and read none of it. Whoever
would be over the bound has the connection closed that stands still for longest.
"""

from typing import Protocol


class Holder(Protocol):
    """A connection."""

    def abort(self) -> None:
        """Close without a word; nothing is held for it any more."""


class Memory:
    """Counts the bytes of bodies that are not whole, and of answers that are not read."""

    def __init__(self, max_bytes: int) -> None:
        self.held_bytes = 0
        self._max_bytes = max_bytes
        self._of: dict[Holder, int] = {}  # who has moved most recently comes last

    def hold(self, holder: Holder, count: int) -> None:
        """``count`` bytes (0: none) are held for ``holder`` from now on, which has just moved.

        The last one is never closed: what is within the limits of one request may be held.
        """
        self.held_bytes += count - self._of.pop(holder, 0)
        if count:
            self._of[holder] = count
        while self.held_bytes > self._max_bytes and len(self._of) > 1:
            stuck = next(iter(self._of))
            self.held_bytes -= self._of.pop(stuck)
            stuck.abort()
