"""Replies go out together, at the end of the reactor's turn, and past Twisted's write events.

A reply is small and the kernel takes it at once. Sent through `transport.write` it costs two
epoll_ctl calls and another event; sent at once, it wakes its peer while the others still wait for
theirs.
"""

from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

_log = Logger()


class Sender(Protocol):
    """Something with bytes to send."""

    def flush(self) -> None:
        """Send them now."""

    def abort(self) -> None:
        """Close: they cannot be sent."""


class WriteBatch:
    """Calls `Sender.flush` of everyone who asked for it, once a turn."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._senders: list[Sender] = []

    def add(self, sender: Sender) -> None:
        """``sender`` has something to send; it asks once until it is flushed."""
        if not self._senders:
            self._clock.callLater(0, self._flush)
        self._senders.append(sender)

    def _flush(self) -> None:
        senders, self._senders = self._senders, []
        for sender in senders:
            try:
                sender.flush()
            except Exception:  # noqa: BLE001  one connection's defect is not the others'
                _log.failure("replies could not be sent")
                sender.abort()
