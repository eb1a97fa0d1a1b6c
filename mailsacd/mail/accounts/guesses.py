"""How often a peer may try a password or a key that turns out wrong."""

from math import ceil
from typing import Final

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.errors import ThrottledError
from mailsacd.core.limit_memory import MOMENTS, LimitMemory
from mailsacd.core.peer import network_of
from mailsacd.core.sliding_window import SlidingWindow

GUESSES: Final = MOMENTS
PER_S: Final = 60.0


class Guesses:
    """Counts the guesses of each peer within the last minute; the right ones do not count.

    The workers of a node count together, in the ``memory`` that they share.
    """

    def __init__(self, clock: IReactorTime, memory: LimitMemory | None = None) -> None:
        self.clock = clock
        memory = memory or LimitMemory()
        self._window = SlidingWindow(memory.guesses, memory.secret, most=GUESSES, window_s=PER_S)

    def spend(self, peer: str) -> None:
        """``peer`` (an IP address) is about to guess. Raises ThrottledError for one too many."""
        self.check(peer)
        self.add(peer)

    def check(self, peer: str) -> None:
        """Raises ThrottledError where one more guess of ``peer`` would be one too many."""
        now_s, network = self.clock.seconds(), network_of(peer)
        wait_s = ceil(self._window.wait_s(network, now_s))
        if wait_s:
            raise ThrottledError(
                f"Too many wrong passwords or keys, try again in {wait_s} s", retry_after_s=wait_s
            )

    def add(self, peer: str) -> None:
        """Count a guess of ``peer`` that was wrong."""
        self._window.add(network_of(peer), self.clock.seconds())

    def refund(self, peer: str) -> None:
        """Take a guess of ``peer`` off the count: it was right."""
        self._window.take_back(network_of(peer), self.clock.seconds())
