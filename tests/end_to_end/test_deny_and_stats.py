"""The operator's denylist and figures, beside a running daemon and without one."""

import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.daemon import RunningDaemon

MakeDaemon = Callable[..., RunningDaemon]
MAILSACD = str(Path(sys.executable).parent / "mailsacd")


def run(data_dir: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [MAILSACD, *arguments, "--data-dir", str(data_dir)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def told(data_dir: Path, *arguments: str) -> Any:
    done = run(data_dir, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_denylist_and_the_figures(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    data = daemon.data_dir
    assert told(data, "deny", "add", "Spam.EXAMPLE", "--reason", "spam") == {
        "entry": "spam.example",
        "reason": "spam",
    }
    deadline = time.monotonic() + 20
    while daemon.json("/api/mailstats/blacklist") != ["spam.example"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(smtplib.SMTPSenderRefused):
        daemon.send("a@x.example", "Subject: x\r\n\r\n", sender="a@spam.example")
    daemon.send("a@x.example", "Subject: x\r\n\r\n")
    key = (data / "admin.key").read_text().strip()
    daemon.json(f"/api/me?_mailsacKey={key}")
    daemon.stop()

    [entry] = told(data, "deny", "list")
    assert (entry["entry"], entry["reason"]) == ("spam.example", "spam")
    assert "spam.example" in run(data, "deny", "list").stdout
    figures = told(data, "stats")
    assert figures["stored"]["messages"] == figures["stored"]["publicMessages"] == 1
    assert (figures["stored"]["accounts"], figures["stored"]["denied"]) == (1, 1)
    assert figures["operations"] == [{"account": "admin", "kind": "api", "count": 1}]
    assert "messages" in run(data, "stats").stdout
    assert told(data, "deny", "remove", "spam.example") == {"removed": "spam.example"}
    for arguments, problem in (
        (("deny", "remove", "spam.example"), "is not on the denylist"),
        (("deny", "add", "a b"), "is neither a domain nor an IP address or network"),
    ):
        refused = run(data, *arguments)
        assert refused.returncode == 1
        assert problem in refused.stderr
    assert told(data, "deny", "list") == []
