"""A bound on the bytes of mail in memory, shared by everything that takes mail in."""

from collections import deque
from collections.abc import Callable


class ByteBudget:
    """Counts the bytes that are held in memory, against two marks.

    Above ``soft_bytes`` no new message should be begun: `when_open` calls back once there is room.
    Above twice that (`exhausted`) messages under way must be refused too, so that memory stays
    bounded even when all of them together grow at once.
    """

    def __init__(self, soft_bytes: int) -> None:
        self.soft_bytes = soft_bytes
        self.held_bytes = 0
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def open(self) -> bool:
        """Whether a new message may begin."""
        return self.held_bytes < self.soft_bytes

    @property
    def exhausted(self) -> bool:
        """Whether no message may grow any more."""
        return self.held_bytes >= 2 * self.soft_bytes

    def take(self, count: int) -> None:
        """Count ``count`` more bytes as held in memory."""
        self.held_bytes += count

    def give(self, count: int) -> None:
        """``count`` bytes less are held; whoever waits goes on, in turn, while there is room."""
        self.held_bytes -= count
        while self._waiting and self.open:
            self._waiting.popleft()()

    def when_open(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` once when a message may begin: now, or as bytes are given back."""
        if self.open and not self._waiting:
            go_on()
        else:
            self._waiting.append(go_on)

    def forget(self, go_on: Callable[[], None]) -> None:
        """Never call ``go_on`` (see `when_open`): its connection is gone."""
        if go_on in self._waiting:
            self._waiting.remove(go_on)
