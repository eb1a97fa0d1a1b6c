"""How many searches are under way, whose they are, and how long each of them goes on."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.actor import Actor
from mailsacd.core.caller_places import CallerPlaces
from mailsacd.work.turns import Turns

TIME_S: Final = 2.0
"""So long may a search go on, but for the batch that it is at; waiting for turns does not count."""

WHOLE_TIME_S: Final = 10.0
"""So long with what it waits for its turns. It has one turn in any case."""

MAX_UNDER_WAY: Final = 50
"""So many searches may be under way at a time."""

MAX_WITHOUT_ACCOUNT: Final = 25
"""So many of these may be of callers without an account, whatever addresses they come from."""

MAX_OF_CALLER: Final = 5
"""So many may be of one account, or of the callers without one of one network."""

T = TypeVar("T")


class SearchTurns:
    """The places of the searches of a process. One of these reads at a time."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._turns = Turns(1, MAX_UNDER_WAY)
        self._places = CallerPlaces("searches")

    @contextmanager
    def begun(self, actor: Actor) -> Iterator["SearchTime"]:
        """Have a search of ``actor`` under way as long as the context lasts.

        Raises OverloadedError when there is no place for it.
        """
        with self._places.taken(
            actor,
            most=MAX_UNDER_WAY,
            most_without_account=MAX_WITHOUT_ACCOUNT,
            most_of_caller=MAX_OF_CALLER,
        ):
            yield SearchTime(self._turns, self._clock)


class SearchTime:
    """The time of one search, which begins when this is made."""

    def __init__(self, turns: Turns, clock: IReactorTime) -> None:
        self._turns = turns
        self._clock = clock
        self._until = clock.seconds() + TIME_S
        self._last = clock.seconds() + WHOLE_TIME_S

    @property
    def is_over(self) -> bool:
        """Whether the search is to end."""
        return self._clock.seconds() > min(self._until, self._last)

    async def in_turn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the coroutine function ``work`` returns, called when the search has a turn.

        Raises what it raises, and OverloadedError.
        """
        asked_at = self._clock.seconds()

        async def of_own() -> T:
            self._until += self._clock.seconds() - asked_at
            return await work()

        return await self._turns.run(of_own)
