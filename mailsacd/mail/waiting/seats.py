"""How many may wait at a time: in all in this process, and of a peer or an account on this node."""

from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def seat(self, peer: str, account: str | None) -> Iterator[None]:
        """One more waits, from the IP address ``peer``, as ``account``, while this is entered.

        Raises OverloadedError when too many wait here, ThrottledError when too many of his do.
        """
        network, settings = network_of(peer), self._settings
        if self._taken >= settings.max_open:
            raise OverloadedError("Too many wait here, come back later", retry_after_s=_RETRY_S)
        if not self._of_peer.enter(network, settings.max_open_per_peer):
            raise _too_many("from your IP address")
        try:
            if account and not self._of_account.enter(account, settings.max_open_per_account):
                raise _too_many("of this account")
            self._taken += 1
            try:
                yield
            finally:
                self._taken -= 1
                if account:
                    self._of_account.leave(account)
        finally:
            self._of_peer.leave(network)


def _too_many(whose: str) -> ThrottledError:
    return ThrottledError(f"Too many waits {whose}, come back later", retry_after_s=_RETRY_S)
