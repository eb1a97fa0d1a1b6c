"""The line of those who wait for a connection."""

from collections import deque
from collections.abc import Callable, Sized

from twisted.internet.defer import Deferred

from mailsacd.store.connection import Connection


class WaitingLine(Sized):
    """Who waits for a connection, in the order in which they came. Some may have given up."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Deferred[Connection]]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, until_s: float) -> Deferred[Connection]:
        """Return what fires with a connection, unless that takes until ``until_s`` of the clock."""
        waiting: Deferred[Connection] = Deferred()
        self._waiting.append((until_s, waiting))
        return waiting

    def leave(self) -> Deferred[Connection] | None:
        """Return what the first who still waits for it has, and be rid of it."""
        while self._waiting:
            waiting = self._waiting.popleft()[1]
            if not waiting.called:  # it is, when the caller gave up
                return waiting
        return None

    def refuse(self, now_s: float, error: Callable[[], Exception]) -> None:
        """Fail those with ``error`` who have waited long enough at ``now_s``."""
        while self._waiting and self._waiting[0][0] <= now_s:
            waiting = self._waiting.popleft()[1]
            if not waiting.called:
                waiting.errback(error())
