"""What each of many may do at once, and how soon again: a token bucket for each, in bounded memory.

Pure: the clock is an argument, and nobody waits here.
"""

from math import ceil
from typing import Protocol

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import ThrottledError


class Clock(Protocol):
    """Tells the time (IReactorTime of Twisted)."""

    def seconds(self) -> float:
        """Return the seconds since the epoch."""


class Allowance:
    """Whoever it is may do something ``at_once`` times, and once more every ``again_s`` seconds.

    The ``remembered`` who did something last are kept in mind; who is forgotten begins anew.
    """

    def __init__(self, clock: Clock, *, at_once: int, again_s: float, remembered: int) -> None:
        self._clock = clock
        self._at_once = at_once
        self._again_s = again_s
        self._full_at: Recent[str, float] = Recent(remembered)

    def spend(self, who: str, public: str) -> None:
        """Count one more for ``who``. Raises ThrottledError, which says ``public``."""
        now = self._clock.seconds()
        known = self._full_at.get(who)
        most_s = self._at_once * self._again_s
        full_at = now if known is UNKNOWN or known > now + most_s else max(known, now)
        wait_s = full_at + self._again_s - now - most_s
        if wait_s > 0:
            raise ThrottledError(public, retry_after_s=ceil(wait_s))
        self._full_at.remember(who, full_at + self._again_s)
