"""What a connection asks of whoever speaks on it."""

from typing import Protocol

from mailsacd.sockets.connections import CloseReason


class Handler(Protocol):
    """What is said on a connection, as the connection sees it."""

    @property
    def waiting(self) -> bool:
        """Whether it is the peer who waits."""

    @property
    def busy(self) -> bool:
        """Whether something is under way that a stop lets be finished."""

    @property
    def held_up(self) -> bool:
        """Whether something other than input must come first."""

    def is_overdue(self, silent_s: float, now_s: float) -> bool:
        """Whether the peer has taken too long, ``silent_s`` seconds after its last `progress`.

        ``now_s`` is the clock's time.
        """

    def begin(self) -> None:
        """Greet the peer."""

    def receive(self, data: bytes) -> None:
        """Input has come."""

    def end(self, why: CloseReason) -> None:
        """Say why, and close."""

    def pause(self) -> None:
        """The peer does not read: say nothing more."""

    def resume(self) -> None:
        """It reads again."""

    def lost(self) -> None:
        """The connection is gone."""
