"""POP3 on a Twisted transport."""

from mailsacd.pop3.runner import SessionRunner
from mailsacd.pop3.shared import Shared
from mailsacd.sockets.connection import Connection


class Pop3Protocol(Connection):
    """One connection."""

    def __init__(self, shared: Shared, peer_ip: str) -> None:
        super().__init__(shared.options, peer_ip)
        self._handler = self._runner = SessionRunner(shared, self)

    def stuck_s(self, now_s: float) -> float:
        """For how long the peer has not read the message that is held for it; 0 without one."""
        return self._runner.sending.stuck_s(now_s)
