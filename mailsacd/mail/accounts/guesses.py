"""How often a peer may try a password or a key that turns out wrong."""

from collections import deque
from typing import Final

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import ThrottledError
from mailsacd.core.peer import network_of

GUESSES: Final = 10
PER_S: Final = 60.0
_PEERS: Final = 10_000  # the one that guessed longest ago is forgotten first


class Guesses:
    """Counts the guesses of each peer within the last minute; the right ones do not count."""

    def __init__(self, clock: IReactorTime, *, shared_by: int = 1) -> None:
        """``shared_by`` processes know nothing of each other's guesses: each allows its share."""
        self.clock = clock
        self._allowed = max(GUESSES // shared_by, 1)
        self._peers: Recent[str, deque[float]] = Recent(_PEERS)

    def spend(self, peer: str) -> None:
        """``peer`` (an IP address) is about to guess. Raises ThrottledError for one too many."""
        now = self.clock.seconds()
        network = network_of(peer)
        times = self._peers.get(network)
        if times is UNKNOWN:
            times = deque()
            self._peers.remember(network, times)
        while times and times[0] <= now - PER_S:
            times.popleft()
        if len(times) >= self._allowed:
            wait_s = int(times[0] + PER_S - now) + 1
            raise ThrottledError(
                f"Too many wrong passwords or keys, try again in {wait_s} s", retry_after_s=wait_s
            )
        times.append(now)

    def refund(self, peer: str) -> None:
        """Take a guess of ``peer`` off the count: it was right."""
        times = self._peers.get(network_of(peer))
        if times is not UNKNOWN and times:
            times.pop()
