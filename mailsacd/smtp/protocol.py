"""SMTP on a Twisted transport."""

from mailsacd.smtp.runner import SessionRunner
from mailsacd.smtp.shared import Shared
from mailsacd.sockets.connection import Connection


class SmtpProtocol(Connection):
    """One connection, and what the message under way on it means for the others."""

    def __init__(self, shared: Shared, peer_ip: str) -> None:
        super().__init__(shared.options, peer_ip)
        self._handler = self._runner = SessionRunner(shared, self)

    def speed(self, now_s: float) -> float | None:
        """How many bytes a second of the message under way have come; None without one.

        Neither is one counted that has only just begun.
        """
        return self._runner.speed(now_s)

    def refuse_message(self) -> None:
        """Others need the memory of the message under way: it may be sent again later."""
        self._runner.refuse_message()
