"""How long tests wait for what should come at once: for long, since a busy machine is no fault."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

PATIENCE_S: Final = 60.0

_LOOK_EVERY_S: Final = 0.002
_LOOK_ELSEWHERE_EVERY_S: Final = 0.02

reactor: Any = the_reactor
T = TypeVar("T")


async def until(condition: Callable[[], bool]) -> None:
    """Let the reactor turn until ``condition`` holds, or raise AssertionError."""
    deadline_s = reactor.seconds() + PATIENCE_S
    while not condition():
        assert reactor.seconds() < deadline_s, "it never happened"
        await deferLater(reactor, _LOOK_EVERY_S)


async def until_async(condition: Callable[[], Awaitable[T]]) -> T:
    """What ``condition`` returns once that is true, or raise AssertionError."""
    deadline_s = reactor.seconds() + PATIENCE_S
    while not (found := await condition()):
        assert reactor.seconds() < deadline_s, "it never happened"
        await deferLater(reactor, _LOOK_ELSEWHERE_EVERY_S)
    return found


def block_until(condition: Callable[[], bool]) -> None:
    """Sleep until ``condition`` holds of another process, or raise AssertionError."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(_LOOK_ELSEWHERE_EVERY_S)
