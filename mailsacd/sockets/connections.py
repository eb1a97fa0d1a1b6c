"""The connections of a listening port: how many there are, in all and of each peer."""

from collections.abc import Collection
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred

from mailsacd.core.connection_figures import (
    declare_connections,
    opened_connections,
    refused_connections,
)
from mailsacd.core.figures import Figures
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.open_counts import OpenCounts
from mailsacd.core.peer import network_of


class CloseReason(Enum):
    """Why the server ends a connection: each edge says it in its own words."""

    STOPPING = "stopping"
    IDLE = "idle"
    TOO_MANY = "too-many"
    TOO_MANY_FROM_PEER = "too-many-from-peer"


class Member(Protocol):
    """A connection, as the factory that made it sees it."""

    def check_time(self, now_s: float) -> None:
        """Close the connection if its peer has taken too long; ``now_s`` is the clock's time."""

    def stop(self, *, at_once: bool) -> None:
        """Say that the server stops. Unless ``at_once``, what is under way may be finished."""

    def abort(self) -> None:
        """Close the connection at once, without a word to the peer."""


_TOO_MANY: Final = (CloseReason.TOO_MANY, CloseReason.TOO_MANY_FROM_PEER)

M = TypeVar("M", bound=Member)


class Connections(Generic[M]):
    """All connections of a port. Once ``stopping`` is set no other one is admitted.

    What counts as one peer is said in core.peer.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        max_per_peer: int,
        figures: Figures | None = None,
        port: str = "",
        limits: LimitMemory | None = None,
    ) -> None:
        """``figures`` tell of them by the name of their ``port``, by which the workers of a node
        count those of each peer together in ``limits``."""
        figures = figures or Figures()
        self._opened = opened_connections(figures, port)
        self._refused = {
            reason: refused_connections(figures, port, reason.value) for reason in _TOO_MANY
        }
        self.stopping = False
        self.members: Final[dict[M, str | None]] = {}
        """All of them, and as whose each was admitted: None while it is not."""
        self.open: Final[set[M]] = set()
        """Those that are not being closed."""
        declare_connections(figures, port, self.members)
        self._max_connections = max_connections
        self._max_per_peer = max_per_peer
        self._counts = OpenCounts(port, limits)
        self._waiting: list[tuple[Collection[M], Deferred[None]]] = []

    def enter(self, member: M) -> None:
        """Count a connection that was made; it is to `leave` when it is gone."""
        self._opened.add()
        self.members[member] = None
        self.open.add(member)

    def admit(self, member: M, peer_ip: str) -> CloseReason | None:
        """Count ``member``, which has entered, as one of the peer's at the IP address ``peer_ip``.

        Returns None, or why the connection is one too many; then it is not counted as the peer's.
        """
        if self.stopping:
            return CloseReason.STOPPING
        if len(self.members) > self._max_connections:
            return self._refuse(CloseReason.TOO_MANY)
        peer = network_of(peer_ip)
        if not self._counts.enter(peer, self._max_per_peer):
            return self._refuse(CloseReason.TOO_MANY_FROM_PEER)
        self.members[member] = peer
        return None

    def close(self, member: M) -> None:
        """Take note that ``member`` is being closed: all is said, and it will `leave`."""
        self.open.discard(member)
        self._look()

    def leave(self, member: M) -> None:
        """Count ``member`` no more: the connection is gone."""
        peer = self.members.pop(member)
        self.open.discard(member)
        if peer is not None:
            self._counts.leave(peer)
        self._look()

    def when_empty(self, members: Collection[M]) -> Deferred[None]:
        """Return what fires once ``members`` is empty: `members` of this object, or its `open`."""
        empty: Deferred[None] = Deferred(lambda _: self._waiting.remove(entry))
        entry = (members, empty)
        self._waiting.append(entry)
        self._look()
        return empty

    def _refuse(self, reason: CloseReason) -> CloseReason:
        self._refused[reason].add()
        return reason

    def _look(self) -> None:
        for entry in tuple(self._waiting):
            if not entry[0]:
                self._waiting.remove(entry)
                entry[1].callback(None)
