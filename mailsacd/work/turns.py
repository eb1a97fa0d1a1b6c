"""Work whose answer somebody waits for, a few at a time, and no more waiting than is bearable."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore

from mailsacd.core.errors import OverloadedError

T = TypeVar("T")


class Turns:
    """Runs coroutines ``at_once`` at a time; ``max_waiting``, these included, may be there."""

    def __init__(self, at_once: int, max_waiting: int) -> None:
        self._places = DeferredSemaphore(at_once)
        self._max_waiting = max_waiting
        self._there = 0

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the coroutine function ``work`` returns, which is called when it has a turn.

        Raises what it raises, and OverloadedError when too many wait.
        """
        if self._there >= self._max_waiting:
            raise OverloadedError("Too many messages are being looked at, try again later")
        self._there += 1
        try:
            found = await self._places.run(lambda: Deferred.fromCoroutine(work()))
        finally:
            self._there -= 1
        return found
