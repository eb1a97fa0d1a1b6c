"""The operator's denylist and figures, beside a running daemon and without one."""

import smtplib

import pytest

from tests.end_to_end.command import run, told_json
from tests.end_to_end.daemon import MakeDaemon
from tests.patience import block_until


def test_the_denylist_and_the_figures(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    data = daemon.data_dir
    added = told_json(data, "deny", "add", "Spam.EXAMPLE", "--reason", "spam")
    assert (added["entry"], added["recipient"], added["reason"]) == ("spam.example", False, "spam")
    assert added["expires"] is None
    block_until(lambda: daemon.json("/api/mailstats/blacklist") == ["spam.example"])
    with pytest.raises(smtplib.SMTPSenderRefused):
        daemon.send("a@x.example", "Subject: x\r\n\r\n", sender="a@spam.example")
    daemon.send("a@x.example", "Subject: x\r\n\r\n")
    key = (data / "admin.key").read_text().strip()
    daemon.json(f"/api/me?_mailsacKey={key}")
    daemon.stop()

    [entry] = told_json(data, "deny", "list")
    assert (entry["entry"], entry["reason"]) == ("spam.example", "spam")
    assert "spam.example" in run(data, "deny", "list").stdout
    figures = told_json(data, "stats")
    assert figures["stored"]["messages"] == figures["stored"]["publicMessages"] == 1
    assert (figures["stored"]["accounts"], figures["stored"]["denied"]) == (1, 1)
    assert figures["operations"] == [{"account": "admin", "kind": "api", "count": 1}]
    assert "messages" in run(data, "stats").stdout
    assert told_json(data, "stats", "--check") == {"wrong": []}
    assert run(data, "stats", "--check").stdout == "all counts are true\n"
    assert told_json(data, "deny", "remove", "spam.example") == {
        "removed": "spam.example",
        "recipient": False,
    }
    for arguments, problem in (
        (("deny", "remove", "spam.example"), "is not on the denylist"),
        (("deny", "add", "a b"), "is neither a domain nor an IP address or network"),
    ):
        refused = run(data, *arguments)
        assert refused.returncode == 1
        assert problem in refused.stderr
    assert told_json(data, "deny", "list") == []
