"""Mail sent to a daemon while something happens to it, and what became of it."""

import smtplib
import threading

from tests.end_to_end.daemon import RunningDaemon
from tests.patience import block_until


class Sender(threading.Thread):
    """Sends numbered messages, each to its own address, until told to stop or cut off.

    One that ``comes_back`` has a session for each message, and goes on when it is cut off.
    """

    def __init__(self, daemon: RunningDaemon, name: str, *, comes_back: bool) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self.refusals: set[int] = set()
        self.turned_away = 0
        self.ended = False
        self._daemon = daemon
        self._name = name
        self._number = 0
        self._comes_back = comes_back

    def run(self) -> None:
        """As a thread."""
        while not self.ended:
            try:
                self._session()
            except ConnectionRefusedError:
                self.turned_away += 1
            except (OSError, smtplib.SMTPException):
                pass
            self.ended = self.ended or not self._comes_back

    def _session(self) -> None:
        with self._daemon.smtp() as client:
            self._send(client)
            while not self.ended and not self._comes_back:
                self._send(client)

    def _send(self, client: smtplib.SMTP) -> None:
        self._number += 1
        to = f"{self._name}-{self._number}@example.com"
        try:
            client.sendmail("a@example.net", [to], f"Subject: {self._number}\r\n\r\n".encode())
            self.acknowledged.append(to)
        except smtplib.SMTPDataError as e:
            self.refusals.add(e.smtp_code)
        except smtplib.SMTPRecipientsRefused as e:
            self.refusals |= {code for code, _ in e.recipients.values()}


def under_load(
    daemon: RunningDaemon, sessions: int = 4, *, comes_back: bool = False, name: str = "load"
) -> list[Sender]:
    """Senders that have begun; their recipients begin with ``name``."""
    senders = [Sender(daemon, f"{name}{n}", comes_back=comes_back) for n in range(sessions)]
    for sender in senders:
        sender.start()
    more_acknowledged(senders)
    return senders


def more_acknowledged(senders: list[Sender], more: int = 20) -> None:
    """Return when each of them has had so many more messages taken."""
    before = [len(s.acknowledged) for s in senders]
    block_until(
        lambda: all(len(s.acknowledged) >= n + more for s, n in zip(senders, before, strict=True))
    )


def end(senders: list[Sender]) -> None:
    """Have them stop."""
    for sender in senders:
        sender.ended = True
    for sender in senders:
        sender.join(30)


def missing(daemon: RunningDaemon, senders: list[Sender]) -> list[str]:
    """Whose message was acknowledged, and is not there exactly once."""
    return [
        to
        for sender in senders
        for to in sender.acknowledged
        if daemon.json(f"/api/addresses/{to}/message-count")["count"] != 1
    ]
