"""Work whose answer somebody waits for, a few at a time, and no more waiting than is bearable."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.task import deferLater

from mailsacd.core.actor import Actor
from mailsacd.core.caller_places import CallerPlaces
from mailsacd.core.errors import OverloadedError

T = TypeVar("T")

OF_CALLER: Final = 10
"""One caller may have one place in so many."""

WITHOUT_ACCOUNT: Final = 2
"""All callers without an account together may have one in so many."""


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


class CallerTurns:
    """Turns of messages that callers want looked at, which nobody takes all of."""

    def __init__(self, at_once: int, max_waiting: int) -> None:
        """As `Turns`."""
        self._turns = Turns(at_once, max_waiting)
        self._places = CallerPlaces("messages")
        self._max_waiting = max_waiting

    async def run(self, actor: Actor, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what ``work`` returns, for ``actor``; see `Turns.run`.

        Raises OverloadedError, too, when too many of this caller wait.
        """
        with self._places.taken(
            actor,
            most=self._max_waiting,
            most_without_account=self._max_waiting // WITHOUT_ACCOUNT,
            most_of_caller=self._max_waiting // OF_CALLER,
        ):
            return await self._turns.run(work)


class EvenTurns:
    """Runs coroutines one at a time. Who wants many run has others' between any two of them.

    How many wait is for those who ask to bound.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._turn = DeferredSemaphore(1)
        self._lines: dict[str, DeferredSemaphore] = {}

    async def run(self, whose: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the coroutine function ``work`` returns. Raises what it raises."""
        line = self._lines.setdefault(whose, DeferredSemaphore(1))

        async def in_turn() -> T:  # begun from the reactor: not each within the end of the last
            await deferLater(self._reactor, 0)
            return await work()

        async def in_line() -> T:
            # One of each line is in the line for the turn, and so they go round
            found: T = await self._turn.run(lambda: Deferred.fromCoroutine(in_turn()))
            return found

        try:
            found: T = await line.run(lambda: Deferred.fromCoroutine(in_line()))
        finally:
            if not line.waiting and line.tokens == line.limit:
                self._lines.pop(whose, None)
        return found
