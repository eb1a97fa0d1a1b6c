"""Work that goes on to its end although nobody waits for it any more."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


def shielded(work: Coroutine[Deferred[Any], Any, T]) -> Deferred[T]:
    """Runs ``work``; cancelling what this returns does not cancel it.

    Klein cancels a handler when its client goes away, and a statement must not be broken off
    in the middle because of that.
    """
    running = Deferred.fromCoroutine(work)
    if running.called and not running.paused:
        return running
    answer: Deferred[T] = Deferred()
    running.addCallbacks(answer.callback, answer.errback)
    return answer
