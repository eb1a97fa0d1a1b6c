"""Waits for work to end, and ends it when that takes too long."""

from collections.abc import Collection
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

AFTER_CANCEL_S: Final = 2.0
"""So long may work that was cancelled take to clean up."""

_log = Logger()


async def ended_within(
    limit_s: float, work: Collection[Deferred[Any]], clock: IReactorTime
) -> bool:
    """Wait until each Deferred of ``work`` has a result, for ``limit_s`` seconds at most.

    The results pass by untouched. Returns whether all of them came in time.
    """
    left = len(work)
    done: Deferred[bool] = Deferred()

    def one_ended(result: Any) -> Any:
        nonlocal left
        left -= 1
        if not left and not done.called:
            done.callback(True)
        return result

    # Not by their `called`: that is set of a coroutine that was cancelled and yet goes on
    for each in tuple(work):
        each.addBoth(one_ended)
    if not left:
        return True
    giving_up = clock.callLater(limit_s, done.callback, False)
    try:
        return await done
    finally:  # also when whoever waits is cancelled, or is garbage: the work goes on to its end
        if giving_up.active():
            giving_up.cancel()


async def end(
    what: str, work: Collection[Deferred[Any]], *, patience_s: float, clock: IReactorTime
) -> None:
    """Let ``work`` end; cancel what has not ended after ``patience_s`` seconds (0: at once).

    Returns when all of it has ended, or AFTER_CANCEL_S after it was cancelled: what then still
    goes on is logged under the name ``what``, and left.
    """
    under_way = tuple(work)
    if patience_s and await ended_within(patience_s, under_way, clock):
        return
    for each in under_way:
        each.cancel()
    if not await ended_within(AFTER_CANCEL_S, under_way, clock):
        _log.error("{what}: cancelled, it goes on all the same", what=what)
