"""Backup and restore: what was there is there again, and a bad file does no harm."""

from pathlib import Path

from tests.end_to_end.command import run, told, told_json
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon


def _count(daemon: RunningDaemon) -> int:
    found = daemon.json("/api/addresses/kept@example.com/message-count")["count"]
    assert isinstance(found, int)
    return found


def test_a_backup_taken_beside_a_daemon_brings_everything_back(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    daemon = make_daemon().start()
    file = workspace / "mailsacd.backup"
    told(daemon.data_dir, "account", "add", "jeff", "--email", "jeff@example.org")
    daemon.send("kept@example.com", "Subject: kept\r\n\r\nbody\r\n")
    (message,) = daemon.json("/api/addresses/kept@example.com/messages")
    raw = daemon.request(f"/api/raw/kept@example.com/{message['_id']}")[2]
    told(daemon.data_dir, "backup", str(file))
    assert file.stat().st_mode & 0o077 == 0
    daemon.send("kept@example.com", "Subject: after\r\n\r\n")

    refused = run(daemon.data_dir, "restore", "--yes", str(file))
    assert refused.returncode == 1
    assert "stop every one" in refused.stderr
    assert _count(daemon) == 2
    daemon.stop()

    told(daemon.data_dir, "account", "remove", "jeff")
    schema = told_json(daemon.data_dir, "migrate")["schema"]
    assert told_json(daemon.data_dir, "restore", "--yes", str(file))["schema"] == schema
    daemon.start()
    assert _count(daemon) == 1
    assert daemon.request(f"/api/raw/kept@example.com/{message['_id']}")[2] == raw
    assert "jeff" in told(daemon.data_dir, "account", "list")
    daemon.send("kept@example.com", "Subject: later\r\n\r\n")
    assert _count(daemon) == 2


def test_a_file_that_is_no_backup_changes_nothing(make_daemon: MakeDaemon, workspace: Path) -> None:
    daemon = make_daemon().start()
    daemon.send("kept@example.com", "Subject: kept\r\n\r\n")
    daemon.stop()
    file = workspace / "nonsense"
    file.write_text("no backup")
    refused = run(daemon.data_dir, "restore", "--yes", str(file))
    assert refused.returncode == 1
    assert "nothing was changed" in refused.stderr
    daemon.start()
    assert _count(daemon) == 1
