"""The connections of a listener: how many there are, in all and of each peer."""

from enum import Enum, auto
from typing import Final, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred


class CloseReason(Enum):
    """Why the server ends a connection: each edge says it in its own words."""

    STOPPING = auto()
    IDLE = auto()
    TOO_MANY = auto()
    TOO_MANY_FROM_PEER = auto()


class Member(Protocol):
    """A connection, as its listener sees it."""

    def check_time(self, now_s: float) -> None:
        """Close it if the peer did nothing for too long; ``now_s`` is the clock's time."""

    def stop(self, *, at_once: bool) -> None:
        """Say that the server stops. Unless ``at_once``, what is under way may be finished."""

    def abort(self) -> None:
        """Close without a word."""


M = TypeVar("M", bound=Member)


class Connections(Generic[M]):
    """Everyone who is connected; ``stopping`` admits nobody any more."""

    def __init__(self, *, max_connections: int, max_per_peer: int) -> None:
        self.stopping = False
        self.members: Final[set[M]] = set()
        """All of them."""
        self.open: Final[set[M]] = set()
        """Those who are not being closed."""
        self._max_connections = max_connections
        self._max_per_peer = max_per_peer
        self._of_peer: dict[str, int] = {}
        self._waiting: list[tuple[set[M], Deferred[None]]] = []

    def enter(self, member: M) -> None:
        """Somebody has connected, and will `leave`."""
        self.members.add(member)
        self.open.add(member)

    def admit(self, peer_ip: str) -> CloseReason | None:
        """Count one who has entered as a peer's; or say why not."""
        if self.stopping:
            return CloseReason.STOPPING
        if len(self.members) > self._max_connections:
            return CloseReason.TOO_MANY
        of_peer = self._of_peer.get(peer_ip, 0)
        if of_peer >= self._max_per_peer:
            return CloseReason.TOO_MANY_FROM_PEER
        self._of_peer[peer_ip] = of_peer + 1
        return None

    def close(self, member: M) -> None:
        """The connection is being closed: all is said."""
        self.open.discard(member)
        self._look()

    def leave(self, member: M, admitted_as: str | None) -> None:
        """The connection is gone. ``admitted_as`` is the peer that it was counted as."""
        self.members.discard(member)
        self.open.discard(member)
        if admitted_as is not None:
            of_peer = self._of_peer.pop(admitted_as) - 1
            if of_peer:
                self._of_peer[admitted_as] = of_peer
        self._look()

    def when_empty(self, members: set[M]) -> Deferred[None]:
        """Fires once ``members`` (of these connections: all of them, or the open ones) is empty."""
        empty: Deferred[None] = Deferred(lambda _: self._waiting.remove(entry))
        entry = (members, empty)
        self._waiting.append(entry)
        self._look()
        return empty

    def _look(self) -> None:
        for entry in tuple(self._waiting):
            if not entry[0]:
                self._waiting.remove(entry)
                entry[1].callback(None)
