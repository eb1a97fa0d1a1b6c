"""Searches that read messages: one reads at a time, and none goes on for long."""

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.errors import OverloadedError
from mailsacd.mail.reading.all_mail import Mail
from mailsacd.mail.reading.search_turns import SearchTime
from mailsacd.work.turns import Turns

MAX_UNDER_WAY: Final = 50

_TOO_LONG: Final = "The search takes too long: see GET /api/search of mailsacd, which goes on"

T = TypeVar("T")


class Searches:
    """The searches of a façade. Programs beside each other ask as one, so none is counted apart."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._turns = Turns(1, MAX_UNDER_WAY)

    async def among(
        self, mails: Iterable[Mail], look: Callable[[Mail], Coroutine[Any, Any, T | None]]
    ) -> list[T]:
        """What the coroutine function ``look``, which reads a message, returns of each of
        ``mails``, without None.

        Raises what it raises, and OverloadedError when too many search, or it takes too long (see
        `SearchTime`): half of what fits would be taken for all of it.
        """
        time = SearchTime(self._turns, self._clock)
        found = []
        for mail in mails:
            if time.is_over:
                raise OverloadedError(_TOO_LONG)
            seen = await time.in_turn(partial(look, mail))
            if seen is not None:
                found.append(seen)
        return found
