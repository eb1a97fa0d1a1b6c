"""Backup and restore: what was there is there again, and a bad file does no harm."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg2
import pytest

from tests.end_to_end.command import MAILSACD, TIMEOUT_S, run, told, told_json
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
    for content in (b"no backup", b"", b"PGDMP\x01\x10", b"-- PostgreSQL database dump"):
        file.write_bytes(content)
        refused = run(daemon.data_dir, "restore", "--yes", str(file))
        assert refused.returncode == 1
        assert refused.stderr.startswith("Error: this is no backup that can be restored: ")
        assert refused.stderr.count("\n") == 1
    daemon.start()
    assert _count(daemon) == 1


def test_a_new_directory_gets_what_is_restored_and_nothing_else(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    daemon = make_daemon(fresh=True).start()
    key = (daemon.data_dir / "admin.key").read_text().strip()
    file, new = workspace / "backup", workspace / "new"
    told(daemon.data_dir, "backup", str(file))
    refused = run(new, "restore", "--yes", str(daemon.log))
    assert (refused.returncode, new.exists()) == (1, False)
    told(new, "restore", "--yes", str(file))
    assert not (new / "admin.key").exists()
    daemon.stop()
    other = make_daemon(name="new").start()
    assert other.json(f"/api/me?_mailsacKey={key}")["_id"] == "admin"
    assert not (new / "admin.key").exists()


def test_the_key_of_another_server_goes_when_this_ones_mail_comes(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    other, here = make_daemon(fresh=True, name="other"), make_daemon(fresh=True)
    told(other.data_dir, "migrate")
    told(here.data_dir, "migrate")
    for daemon in (here, other):
        told(daemon.data_dir, "backup", str(daemon.log))
    told(here.data_dir, "restore", "--yes", str(here.log))
    assert (here.data_dir / "admin.key").exists()
    done = run(here.data_dir, "restore", "--yes", str(other.log))
    assert "admin.key is not one of the backup" in done.stderr
    assert not (here.data_dir / "admin.key").exists()


def test_a_backup_goes_to_standard_output_and_to_nothing_but_a_file(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    daemon = make_daemon()
    whole = _bytes_of_a_backup(daemon.data_dir, "-")
    assert whole.returncode == 0
    assert whole.stdout.startswith(b"PGDMP")
    file = workspace / "backup"
    file.write_bytes(whole.stdout)
    told(workspace / "new", "restore", "--yes", str(file))
    refused = _bytes_of_a_backup(daemon.data_dir, "/dev/stdout")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"no regular file" in refused.stderr
    with Path("/dev/full").open("wb") as full:
        failed = _bytes_of_a_backup(daemon.data_dir, "-", stdout=full.fileno())
    assert failed.returncode == 1
    assert failed.stderr.startswith(b"Error: pg_dump failed: ")
    assert failed.stderr.count(b"\n") == 1


def test_a_backup_that_a_signal_ends_says_so_and_leaves_nothing(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    place = workspace / "backups"
    place.mkdir()
    daemon = make_daemon().start()
    dsn = f"host={daemon.data_dir / 'postgres'} port=5432 user=mailsacd dbname=postgres"
    command = [MAILSACD, "backup", str(place / "backup"), "--data-dir", str(daemon.data_dir)]
    before_it_ran = b"\nAborted!\n"
    with contextlib.closing(psycopg2.connect(dsn)) as holding:
        holding.cursor().execute("lock table message")  # it cannot be done before the signal
        for after_s in (0.0, 0.004, 0.008, 0.012, 0.016, 0.02, 0.03, 0.04, 0.3):
            with subprocess.Popen(
                command, stderr=subprocess.PIPE, start_new_session=True
            ) as process:
                while not os.listdir(place):  # it is about to open the data
                    assert process.poll() is None
                time.sleep(after_s)  # connecting, dumping
                os.killpg(process.pid, signal.SIGINT)
                assert process.stderr is not None
                said = process.stderr.read()
                assert process.wait() == 1, said
            assert said in {before_it_ran, b"Error: it was broken off by a signal\n"}
            assert os.listdir(place) == []


@pytest.mark.parametrize("command", ["backup b", "key add admin"])
def test_a_mistyped_directory_makes_no_server(workspace: Path, command: str) -> None:
    mistyped = workspace / "vra"
    refused = run(mistyped, *command.split())
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: there is no mailsacd in {mistyped}: ")
    assert refused.stderr.count("\n") == 1
    assert os.listdir(workspace) == []


def test_a_command_that_may_begin_a_server_makes_one(workspace: Path) -> None:
    told(workspace / "data", "account", "add", "ann", "--email", "ann@example.net")
    assert "admin" in told(workspace / "data", "account", "list")


def _bytes_of_a_backup(
    data_dir: Path, file: str, stdout: int = subprocess.PIPE
) -> "subprocess.CompletedProcess[bytes]":
    command = [MAILSACD, "backup", file, "--data-dir", str(data_dir)]
    return subprocess.run(
        command, check=False, stdout=stdout, stderr=subprocess.PIPE, timeout=TIMEOUT_S
    )


def test_where_there_is_no_citus_nothing_is_distributed(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    assert told_json(daemon.data_dir, "migrate")["distributed"] is False
    refused = run(daemon.data_dir, "migrate", "--distribute")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: the database ")
    assert "has no Citus: install it on every server" in refused.stderr
    assert refused.stderr.count("\n") == 1
