"""Whoever takes many turns to little effect takes the next ones after everybody else.

Thousands of connections on which a byte drips in, or command after command that comes to nothing,
would each have as many turns as one on which mail comes. They share a few turns instead: all that
the others leave when the machine is busy, and no less than they ask for when it is not.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

PLACES_A_TURN: Final = 8
"""So many go on in one turn of the reactor."""

_log = Logger()


class FairQueue:
    """Those who wait for one of the PLACES_A_TURN, first come, first served.

    The queue is bounded by the number of connections: each is in it twice at most, to go on and
    to be read from again.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._line: deque[Callable[[], None]] = deque()

    def wait(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` in one of the next turns, after those who wait already."""
        if not self._line:
            self._clock.callLater(0, self._next_turn)
        self._line.append(go_on)

    def _next_turn(self) -> None:
        waiting = [self._line.popleft() for _ in range(min(PLACES_A_TURN, len(self._line)))]
        if self._line:
            self._clock.callLater(0, self._next_turn)
        for go_on in waiting:
            try:
                go_on()
            except Exception:  # noqa: BLE001  one connection's defect is not the others'
                _log.failure("a connection could not go on")
