"""Mail that comes faster than it can be stored is examined later: nobody sees a difference."""

import os
import signal
import smtplib
import threading
from collections.abc import Callable
from typing import Any

from tests.end_to_end.daemon import RunningDaemon
from tests.end_to_end.load import until

SESSIONS = 24
EACH = 40
INBOX = "all@example.com"

_MAIL = (
    b"From: a@example.net\r\nSubject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\n\r\nsee https://one.example/ \r\n--b\r\nContent-Type: image/png\r\n"
    b"Content-Disposition: attachment; filename=a.png\r\n\r\nxyz\r\n--b--\r\n"
)
_SUM = "d16fb36f0911f878998c136191af705e"  # of "xyz"
_COUNT = f"/api/mailstats/common-attachments/{_SUM}/count"


def _burst(daemon: RunningDaemon) -> int:
    """All sessions at the same time, each without a pause; how many messages were taken."""
    taken: list[int] = []

    def session() -> None:
        try:
            with daemon.smtp() as client:
                for _ in range(EACH):
                    client.sendmail("a@example.net", [INBOX], _MAIL)
                    taken.append(1)
        except (OSError, smtplib.SMTPException):
            pass

    threads = [threading.Thread(target=session) for _ in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return len(taken)


def _list(daemon: RunningDaemon) -> Any:
    return daemon.json(f"/api/addresses/{INBOX}/messages?limit=1000")


def _check(messages: Any) -> None:
    for message in messages:
        assert message["attachments"] == [_SUM]
        assert message["links"] == ["https://one.example/"]
        assert message["parseLimited"] is False
        assert "@" not in message


def test_after_a_burst_all_is_there_at_once_and_nothing_changes(
    make_daemon: Callable[..., RunningDaemon],
) -> None:
    daemon = make_daemon().start()
    taken = _burst(daemon)
    assert taken == SESSIONS * EACH
    before = _list(daemon)
    assert len(before) == taken
    _check(before)
    newest = before[0]["_id"]
    assert daemon.json(f"/api/addresses/{INBOX}/messages/{newest}") == before[0]
    (attachment,) = daemon.json(f"/api/addresses/{INBOX}/messages/{newest}/attachments")
    assert attachment["checksum"] == _SUM
    until(lambda: daemon.json(_COUNT)["n"] == taken)
    assert _list(daemon) == before
    (top,) = daemon.json("/api/mailstats/common-attachments")
    assert top == {"_id": _SUM, "n": taken}


def test_what_a_killed_daemon_left_is_examined_by_the_next_one(
    make_daemon: Callable[..., RunningDaemon],
) -> None:
    daemon = make_daemon().start()
    killing = threading.Timer(0.5, lambda: os.kill(daemon.process.pid, signal.SIGKILL))
    killing.start()
    taken = _burst(daemon)
    killing.join()
    daemon.process.wait()
    daemon.start()
    before = _list(daemon)
    assert len(before) >= taken > 0
    _check(before)
    until(lambda: daemon.json(_COUNT)["n"] == len(before))
    assert _list(daemon) == before
