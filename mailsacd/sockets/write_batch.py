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
    """A connection that has something to send."""

    def flush(self) -> None:
        """Send what waits to be sent."""

    def abort(self) -> None:
        """Close the connection: what waits cannot be sent."""


class WriteBatch:
    """Calls `flush` of every sender that asked for it, at the end of the reactor's turn."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._senders: list[Sender] = []

    def add(self, sender: Sender) -> None:
        """Have ``sender`` flushed in this turn. It asks once, until it is."""
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
