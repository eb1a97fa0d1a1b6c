"""Takes note of what becomes of POP3 sessions: in figures, and by a line in the log."""

from typing import Final

from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.traffic_log import printable
from mailsacd.sockets.connection import Connection

_SESSION: Final = (
    "pop3 session of {peer} on {port} for {maildrop} ended after {duration_s} s: "
    "{retrieved} retrieved, {removed} deleted, {refused} logins refused"
)


class PortNotes:
    """What the sessions of one port have in common; ``port`` is its name."""

    def __init__(self, telemetry: Telemetry, port: str) -> None:
        counter = telemetry.figures.counter
        self.log: Final = telemetry.log
        self.port: Final = port
        self.logins: Final = {
            outcome: counter("mailsacd_pop3_logins_total", "Logins", port=port, outcome=outcome)
            for outcome in ("accepted", "refused", "failed")
        }
        self.retrieved: Final = counter(
            "mailsacd_pop3_retrieved_total", "Messages that were asked for, TOP included", port=port
        )
        self.removed: Final = counter(
            "mailsacd_pop3_removed_total", "Messages that were deleted", port=port
        )


class SessionNotes:
    """The notes on one session, which began at ``now_s``."""

    __slots__ = ("_began_s", "_connection", "_maildrop", "_port", "_refused", "_removed", "_sent")

    def __init__(self, port: PortNotes, connection: Connection, now_s: float) -> None:
        self._port = port
        self._connection = connection
        self._began_s = now_s
        self._maildrop = "-"
        self._sent = self._removed = self._refused = 0

    def admitted(self, name: str) -> None:
        """Somebody has logged in to the maildrop of that ``name``."""
        self._maildrop = name
        self._port.logins["accepted"].add()

    def refused(self, *, is_wrong: bool) -> None:
        """A login is refused: the credentials are wrong, or it could not be done."""
        self._refused += 1
        self._port.logins["refused" if is_wrong else "failed"].add()

    def retrieved(self) -> None:
        """A message is asked for."""
        self._sent += 1
        self._port.retrieved.add()

    def removed(self, count: int) -> None:
        """So many messages are deleted."""
        self._removed += count
        self._port.removed.add(count)

    def ended(self, now_s: float) -> None:
        """The connection is gone."""
        if self._port.log.wants(refused=self._refused > 0):
            self._port.log.line(
                _SESSION,
                peer=self._connection.peer_ip,
                port=self._port.port,
                maildrop=printable(self._maildrop),
                tls=self._connection.tls,
                duration_s=round(now_s - self._began_s, 3),
                retrieved=self._sent,
                removed=self._removed,
                refused=self._refused,
            )
