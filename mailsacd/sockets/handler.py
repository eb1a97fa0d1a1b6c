"""What a connection asks of whoever speaks on it."""

from typing import Protocol

from mailsacd.sockets.connections import CloseReason


class Handler(Protocol):
    """Who speaks on a connection: what the connection asks it, and tells it."""

    @property
    def waiting(self) -> bool:
        """Whether the peer waits for us, so that no time runs for it."""

    @property
    def busy(self) -> bool:
        """Whether something is under way that may be finished when the server stops."""

    @property
    def held_up(self) -> bool:
        """Whether the handler waits for something else than input."""

    def is_overdue(self, silent_s: float, now_s: float) -> bool:
        """Tell whether the peer has taken too long, ``silent_s`` after its last `progress`.

        ``now_s`` is the clock's time.
        """

    def begin(self) -> None:
        """Greet the peer: the connection is ready, and its addresses are known."""

    def receive(self, data: bytes) -> None:
        """Take ``data``, which the peer has sent."""

    def end(self, why: CloseReason) -> None:
        """Tell the peer ``why`` the server closes the connection, and close it."""

    def pause(self) -> None:
        """Write nothing more: the peer does not read."""

    def resume(self) -> None:
        """Go on writing: the peer has read what it was sent."""

    def lost(self) -> None:
        """Let go of everything that is held for the connection: it is gone."""
