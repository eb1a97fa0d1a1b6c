"""A load test on the real daemon: two workers count together, and a killed one loses a second."""

import json
import os
import signal
import smtplib
import urllib.request
from typing import Any

from tests.end_to_end.command import told
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.patience import block_until

DOMAIN = "lab.example"


def _call(daemon: RunningDaemon, method: str, body: bytes = b"") -> Any:
    port = daemon.ready.ports["http"]
    key = (daemon.data_dir / "admin.key").read_text().strip()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/domains/{DOMAIN}/load-test",
        method=method, data=body or None, headers={"Mailsac-Key": key},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def _send(daemon: RunningDaemon, count: int, clients: int) -> None:
    """``count`` messages, the same for each of so many connections."""
    for _ in range(clients):
        with smtplib.SMTP("127.0.0.1", daemon.ready.ports["smtp"], "c.example", 30) as client:
            for number in range(count):
                content = f"Message-ID: <{number}@x>\r\n\r\nx\r\n"
                client.sendmail("a@b.example", [f"{number}@{DOMAIN}"], content)


def test_workers_count_together_and_what_is_written_survives(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("--set", "server.workers=2").start()
    told(daemon.data_dir, "domain", "add", "admin", DOMAIN, "--vouched")
    assert _call(daemon, "POST")["state"] == "running"
    _send(daemon, 5, 20)  # so that one worker gets all of them once in a million runs
    block_until(lambda: _call(daemon, "GET")["messages"] == 100)
    told_all = _call(daemon, "GET")
    assert told_all["duplicates"]["count"] == 95
    assert told_all["duplicates"]["differentMessageIds"] == 5
    for pid in daemon.worker_pids():
        os.kill(pid, signal.SIGKILL)
    block_until(lambda: len(daemon.worker_pids()) == 2)
    _send(daemon, 5, 4)
    block_until(lambda: _call(daemon, "GET")["messages"] == 120)
    daemon.stop()
    daemon.start()
    again = _call(daemon, "GET")
    assert (again["state"], again["messages"]) == ("running", 120)
    assert again["duplicates"]["count"] == 115
    _send(daemon, 1, 1)
    ended = _call(daemon, "DELETE")
    assert ended["state"] == "ended"
    block_until(lambda: _call(daemon, "GET")["messages"] == 121)
    daemon.stop()
