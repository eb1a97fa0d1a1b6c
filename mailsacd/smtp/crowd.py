"""The connections of a listener: how many there are, in all and of each peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from mailsacd.core import reply

if TYPE_CHECKING:
    from mailsacd.core.reply import Reply
    from mailsacd.smtp.protocol import SmtpProtocol


class Crowd:
    """Everyone who is connected; ``stopping`` admits nobody any more."""

    def __init__(self, *, max_connections: int, max_per_peer: int) -> None:
        self.stopping = False
        self.members: set[SmtpProtocol] = set()
        """All of them."""
        self.open: set[SmtpProtocol] = set()
        """Those who are not being closed."""
        self._max_connections = max_connections
        self._max_per_peer = max_per_peer
        self._of_peer: dict[str, int] = {}
        self._waiting: list[tuple[set[SmtpProtocol], Deferred[None]]] = []

    def enter(self, member: SmtpProtocol) -> None:
        """Somebody has connected, and will `leave`."""
        self.members.add(member)
        self.open.add(member)

    def admit(self, peer_ip: str) -> Reply | None:
        """Count one who has entered as a peer's; or say why not."""
        if self.stopping:
            return reply.STOPPING
        if len(self.members) > self._max_connections:
            return reply.TOO_MANY_CONNECTIONS
        of_peer = self._of_peer.get(peer_ip, 0)
        if of_peer >= self._max_per_peer:
            return reply.TOO_MANY_FROM_YOU
        self._of_peer[peer_ip] = of_peer + 1
        return None

    def close(self, member: SmtpProtocol) -> None:
        """The connection is being closed: all is said."""
        self.open.discard(member)
        self._look()

    def leave(self, member: SmtpProtocol, admitted_as: str | None) -> None:
        """The connection is gone. ``admitted_as`` is the peer that it was counted as."""
        self.members.discard(member)
        self.open.discard(member)
        if admitted_as is not None:
            of_peer = self._of_peer.pop(admitted_as) - 1
            if of_peer:
                self._of_peer[admitted_as] = of_peer
        self._look()

    def when_empty(self, members: set[SmtpProtocol]) -> Deferred[None]:
        """Fires once ``members`` (of this crowd: all, or the open ones) is empty."""
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
