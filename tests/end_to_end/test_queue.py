"""The operator looks after mail on its way out."""

import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.end_to_end.command import run, told, told_json
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon

# Nobody listens there: whatever is sent waits for its next attempt
OPTIONS = (
    "--set", "relay.smarthost=127.0.0.1:1", "--set", "sending.abuse_contact=abuse@op.example",
)  # fmt: skip


@pytest.fixture
def daemon(make_daemon: MakeDaemon) -> RunningDaemon:
    running = make_daemon(*OPTIONS).start()
    told(running.data_dir, "address", "add", "admin", "ann@example.com")
    return running


def send(daemon: RunningDaemon, *to: str) -> str:
    body = {"from": "ann@example.com", "to": to, "subject": "Hello", "text": "Hi"}
    request = Request(
        f"http://127.0.0.1:{daemon.ready.ports['http']}/api/outgoing-messages",
        data=json.dumps(body).encode(),
        headers={"Mailsac-Key": (daemon.data_dir / "admin.key").read_text().strip()},
    )
    with urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["_id"])


def states(data: Path, outgoing_id: str) -> list[str]:
    shown = told_json(data, "queue", "show", outgoing_id)
    return [recipient["state"] for recipient in shown["recipients"]]


def changed(data: Path, *arguments: str) -> Any:
    """What a command says when no recipient is under way just then."""
    while "There is no recipient to" in (done := run(data, "queue", *arguments, "--json")).stderr:
        pass
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_queue_is_shown_and_changed(daemon: RunningDaemon) -> None:
    data = daemon.data_dir
    first, second = send(daemon, "bob@a.example", "eve@b.example"), send(daemon, "bob@a.example")
    assert [one["_id"] for one in told_json(data, "queue", "list")] == [first, second]
    assert told_json(data, "queue", "list")[0]["account"] == "admin"
    assert [one["_id"] for one in told_json(data, "queue", "list", "--domain", "B.example")] == [
        first
    ]
    assert told_json(data, "queue", "list", "--account", "nobody") == []
    assert "eve@b.example" in told(data, "queue", "list")
    assert "bob@a.example" in told(data, "queue", "show", first)

    changed(data, "hold", first, "--recipient", "EVE@b.example")
    assert states(data, first)[1] == "held"
    told_json(data, "queue", "hold", "--domain", "a.example")
    changed(data, "release", first)
    assert states(data, first) == ["queued", "queued"]
    changed(data, "cancel", second)
    assert states(data, second) == ["cancelled"]
    told_json(data, "queue", "hold", "--account", "nobody")
    assert states(data, first) == ["queued", "queued"]
    assert [one["_id"] for one in told_json(data, "queue", "list")] == [first]
    assert second in told(data, "queue", "list", "--ended")
    assert run(data, "queue", "retry", "--all").returncode == 0

    for arguments, problem in (
        (("show", "none"), "no such message"),
        (("cancel",), "Name an ID"),
        (("cancel", first, "--all"), "Name an ID"),
        (("hold", "--all", "--recipient", "a@b.example"), "Name an ID"),
        (("hold", "--domain", "a b"), "is not a domain"),
        (("retry", second), "its content is gone"),
        (("sender", "0" * 32), "no account"),
    ):
        refused = run(data, "queue", *arguments)
        assert refused.returncode != 0
        assert problem in refused.stderr


def test_what_was_queued_at_a_backup_is_held_after_a_restore(
    daemon: RunningDaemon, make_daemon: MakeDaemon, workspace: Path
) -> None:
    sent = send(daemon, "bob@a.example")
    backup = workspace / "backup"
    told(daemon.data_dir, "backup", str(backup))
    daemon.stop()
    other = make_daemon(name="other", fresh=True)
    told(other.data_dir, "restore", str(backup), "--yes")
    assert states(other.data_dir, sent) == ["held"]
