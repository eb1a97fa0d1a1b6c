"""What waits to be written to one connection, handed out in pieces as its reader keeps up.

One message may be many megabytes and have thousands of readers: they all wait with the same bytes,
and only the piece that is being sent is a copy.
"""

from collections import deque
from typing import Final

PIECE_BYTES: Final = 65_536


class Outflow:
    """Bytes in order. What is added together is not parted by what is added later."""

    __slots__ = ("_begun", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._begun = 0  # bytes of the first that are sent

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, data: bytes) -> None:
        """Put ``data`` at the end of what waits to be written."""
        if data:
            self._waiting.append(data)

    def next_piece(self) -> bytes:
        """Take out the next piece (at most PIECE_BYTES); it is empty when nothing waits."""
        if not self._waiting:
            return b""
        first = self._waiting[0]
        end = self._begun + PIECE_BYTES
        piece = first[self._begun : end] if self._begun or end < len(first) else first
        if end < len(first):
            self._begun = end
        else:
            self._waiting.popleft()
            self._begun = 0
        return piece

    def drop_unbegun(self) -> None:
        """Drop everything that waits but the rest of what is half sent."""
        begun = self._waiting[0] if self._begun else b""
        self._waiting.clear()
        self.add(begun)
