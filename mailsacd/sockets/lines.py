"""The input of a session that reads line by line, and what it is yet to do. Pure: no I/O.

Commands end with CRLF. What is not read yet is bounded by whoever feeds it, an unfinished line by
the session's own limit.
"""

from typing import Final, Generic, TypeVar

A = TypeVar("A")

CRLF: Final = b"\r\n"


class LineSession(Generic[A]):
    """A base for sessions. ``waiting`` tells whether a question of theirs is open."""

    __slots__ = ("_at", "_input", "_pending", "_skipping", "waiting")

    def __init__(self) -> None:
        self.waiting = False
        self._input = b""
        self._at = 0
        self._pending: list[A] = []
        self._skipping = False

    @property
    def closed(self) -> bool:
        """Whether all is said."""
        raise NotImplementedError

    @property
    def unread_bytes(self) -> int:
        """How much input waits."""
        return len(self._input) - self._at

    def receive(self, data: bytes) -> None:
        """More input."""
        if not self.closed:
            unread = self._at < len(self._input)
            self._input = self._input[self._at :] + data if unread else data
            self._at = 0

    def then(self, action: A) -> None:
        """``action`` comes after the one that the command returns."""
        self._pending.append(action)

    def forget_input(self) -> None:
        """Throw away what was received and not yet read."""
        self._input, self._at = b"", 0

    def _limit_unfinished_line(self, max_octets: int) -> None:
        """A line without end is not kept: only a CR that its end may begin with."""
        if self._skipping or self.unread_bytes > max_octets:
            self._skipping = True
            self._at = len(self._input) - self._input.endswith(b"\r")
