"""Mail that is sent arrives at other hosts and here, and its sender hears what became of it."""

import json
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from bench.relay_kill import read_copies, sink_running
from tests.end_to_end.command import told, told_json
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.patience import block_until

ANN = "ann@example.com"


def ask(daemon: RunningDaemon, path: str, body: Any = None) -> Any:
    request = Request(
        f"http://127.0.0.1:{daemon.ready.ports['http']}/api{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Mailsac-Key": (daemon.data_dir / "admin.key").read_text().strip()},
    )
    with urlopen(request, timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if answer.headers.get_content_subtype() == "json" else text


def send(daemon: RunningDaemon, *to: str) -> str:
    body = {"from": ANN, "to": to, "subject": "message-1", "text": "Hi"}
    return str(ask(daemon, "/outgoing-messages", body)["_id"])


def states(daemon: RunningDaemon, outgoing_id: str) -> list[tuple[str, int | None]]:
    found = ask(daemon, f"/outgoing-messages/{outgoing_id}")
    return [(one["state"], one["code"]) for one in found["recipients"]]


def start(make_daemon: MakeDaemon, port: int) -> RunningDaemon:
    daemon = make_daemon(
        "--set", f"relay.smarthost=127.0.0.1:{port}", "--set", "relay.smarthost_tls=never"
    ).start()
    told(daemon.data_dir, "address", "add", "admin", ANN)
    return daemon


def test_mail_arrives_there_and_here(make_daemon: MakeDaemon, workspace: Path) -> None:
    with sink_running(workspace / "sink.log", {}) as port:
        daemon = start(make_daemon, port)
        sent = send(daemon, "bob@b.example", "eve@c.example", ANN)
        block_until(lambda: {s for s, _ in states(daemon, sent)} == {"delivered"})
        copies = read_copies(workspace / "sink.log")
        assert sorted(copies.by_recipient) == ["bob@b.example", "eve@c.example"]
        assert ask(daemon, f"/addresses/{ANN}/message-count")["count"] == 1
        kinds = [event["kind"] for event in ask(daemon, "/activity")]
        assert kinds.count("sent") == 3


def test_a_refusal_is_reported_and_suppresses_the_address(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    with sink_running(workspace / "sink.log", {"refuse": 1.0}) as port:
        daemon = start(make_daemon, port)
        sent = send(daemon, "bob@b.example")
        block_until(lambda: ask(daemon, f"/addresses/{ANN}/message-count")["count"] == 1)
        assert states(daemon, sent) == [("failed", 550)]
        [listed] = ask(daemon, f"/addresses/{ANN}/messages")
        raw = ask(daemon, f"/raw/{ANN}/{listed['_id']}")
        report = message_from_bytes(raw, policy=default)
        assert report.get_content_type() == "multipart/report"
        assert report["Return-Path"] == "<>"
        assert (
            b"Final-Recipient: rfc822; bob@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n" in raw
        )
        assert b"Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n" in raw

        again = send(daemon, "Bob@b.example")
        block_until(lambda: states(daemon, again) == [("failed", None)])
        data = daemon.data_dir
        [shown] = told_json(data, "queue", "suppressed", "list")
        assert (shown["account"], shown["address"]) == ("admin", "bob@b.example")
        assert "no such user" in told(data, "queue", "suppressed", "list", "--account", "admin")
        assert told_json(data, "queue", "suppressed", "list", "--account", "x") == []
        told(data, "queue", "suppressed", "remove", "bob@b.example")
        assert ask(daemon, "/suppressions") == []
        once_more = send(daemon, "bob@b.example")
        block_until(lambda: states(daemon, once_more) == [("failed", 550)])


def test_nothing_leaves_where_the_operator_says_so(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("--set", "relay.enabled=false").start()
    told(daemon.data_dir, "address", "add", "admin", ANN)
    sent = send(daemon, "bob@b.example", ANN)
    block_until(lambda: states(daemon, sent) == [("failed", None), ("delivered", 250)])
