"""How often very many did something within the last while, exactly, in a fixed amount of memory.

Of each time the moment is kept. As buckets are (core.rate), keys are not kept: a key has a place in
each of two rows, with room for as many moments as are allowed, and what counts is the place with
fewer. So nobody is ever allowed more, and whose places are both others' is refused for nothing,
which the secret keeps anybody from bringing about.
"""

from collections.abc import MutableSequence
from typing import Final

from mailsacd.core.rate import places

_SHIFT_S: Final = 1.0
"""What moments are kept with, so that none is 0, which stands for none."""
_AHEAD_S: Final = 1.0
"""A moment may be so far ahead, as another process's clock; beyond that the clock was set back."""


class SlidingWindow:
    """Allows ``most`` times in ``window_s`` seconds. ``moments`` has ``most`` for each place."""

    def __init__(
        self, moments: MutableSequence[float], secret: bytes, *, most: int, window_s: float
    ) -> None:
        self._moments = moments
        self._secret = secret
        self._most = most
        self._window_s = window_s

    def wait_s(self, key: str, now_s: float) -> float:
        """Return in how many seconds ``key`` may once more; 0: now."""
        wait_s = self._window_s
        for first in self._places(key):
            oldest_s = min(self._within(at, now_s) for at in range(first, first + self._most))
            wait_s = min(wait_s, max(oldest_s + self._window_s - now_s, 0.0))
        return wait_s

    def add(self, key: str, now_s: float) -> None:
        """Note that ``key`` did it now."""
        for first in self._places(key):
            here = range(first, first + self._most)
            self._moments[min(here, key=lambda at: self._within(at, now_s))] = now_s + _SHIFT_S

    def take_back(self, key: str, now_s: float) -> None:
        """Forget the last time of ``key``."""
        for first in self._places(key):
            here = range(first, first + self._most)
            self._moments[max(here, key=lambda at: self._within(at, now_s))] = 0.0

    def _places(self, key: str) -> tuple[int, int]:
        first, second = places(key, self._secret)
        return first * self._most, second * self._most

    def _within(self, at: int, now_s: float) -> float:
        """The moment there; minus infinity when it does not count any more, or never was."""
        kept_s = self._moments[at]
        moment_s = kept_s - _SHIFT_S
        counts = kept_s and now_s - self._window_s < moment_s <= now_s + _AHEAD_S
        return moment_s if counts else float("-inf")
