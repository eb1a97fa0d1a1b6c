"""The end of the process: in bounded time, whatever is under way."""

import atexit
import os
import sys
from typing import Final, NoReturn

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

STOP_WITHIN_S: Final = 15.0
"""So long may the daemon take to stop."""

_log = Logger()


def end_within(limit_s: float, clock: IReactorTime) -> None:
    """End the process ``limit_s`` seconds from now, unless it has ended by then.

    To be called when it begins to stop. What was acknowledged is committed; what was not is lost
    to nobody, for its sender knows that.
    """
    clock.callLater(limit_s, _give_up, limit_s)


def end_without_waiting(status: int = 0) -> None:
    """Have the process end as soon as it has stopped, though a thread of it still runs.

    The interpreter's own end would tear that thread down in the middle of a call. The exit
    ``status`` is that of the last call.
    """
    atexit.register(_exit, status)


def _give_up(limit_s: float) -> None:
    _log.critical("not stopped after {s:g} s: the process ends as it is", s=limit_s)
    _exit(1)


def _exit(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
