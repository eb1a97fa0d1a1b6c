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
        self._max_connections = max_connections
        self._max_per_peer = max_per_peer
        self._of_peer: dict[str, int] = {}
        self._when_empty: list[Deferred[None]] = []

    def enter(self, member: SmtpProtocol) -> None:
        """Somebody has connected, and will `leave`."""
        self.members.add(member)

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

    def leave(self, member: SmtpProtocol, admitted_as: str | None) -> None:
        """The connection is gone."""
        self.members.discard(member)
        if admitted_as is not None:
            of_peer = self._of_peer.pop(admitted_as) - 1
            if of_peer:
                self._of_peer[admitted_as] = of_peer
        if self._when_empty and not self.members:
            waiting, self._when_empty = self._when_empty, []
            for empty in waiting:
                empty.callback(None)

    def when_empty(self) -> Deferred[None]:
        """Fires once everyone is gone."""
        empty: Deferred[None] = Deferred(self._when_empty.remove)
        self._when_empty.append(empty)
        return empty
