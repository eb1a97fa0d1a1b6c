"""How many may wait at a time: in all in this process, and of a peer or an account on this node."""

from typing import Final

from mailsacd.core.errors import OverloadedError, ThrottledError
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.open_counts import OpenCounts
from mailsacd.core.peer import network_of
from mailsacd.listening_settings import WaitSettings

_RETRY_S: Final = 5


class Seats:
    """Counts those who wait, within the bounds of the settings."""

    def __init__(self, settings: WaitSettings, memory: LimitMemory | None = None) -> None:
        """``memory`` is shared with the node's other workers."""
        self._settings = settings
        self._taken = 0
        self._of_peer = OpenCounts("waits of peer", memory)
        self._of_account = OpenCounts("waits of account", memory)

    def take(self, peer: str, account: str | None) -> None:
        """One more waits, from the IP address ``peer``, as ``account``, until it will `leave`.

        Raises OverloadedError when too many wait here, ThrottledError when too many of his do.
        """
        network, settings = network_of(peer), self._settings
        if self._taken >= settings.max_open:
            raise OverloadedError("Too many wait here, come back later", retry_after_s=_RETRY_S)
        if not self._of_peer.enter(network, settings.max_open_per_peer):
            raise _too_many("from your IP address")
        if account and not self._of_account.enter(account, settings.max_open_per_account):
            self._of_peer.leave(network)
            raise _too_many("of this account")
        self._taken += 1

    def leave(self, peer: str, account: str | None) -> None:
        """One waits no longer that has taken a seat so."""
        self._taken -= 1
        self._of_peer.leave(network_of(peer))
        if account:
            self._of_account.leave(account)


def _too_many(whose: str) -> ThrottledError:
    return ThrottledError(f"Too many waits {whose}, come back later", retry_after_s=_RETRY_S)
