"""The operator's commands on accounts and keys, beside a running daemon and without one."""

import stat
import time

import pytest

from tests.end_to_end.command import run, told, told_json
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon


def me(daemon: RunningDaemon, key: str) -> int:
    """The status of a call with that key."""
    return daemon.request(f"/api/me?_mailsacKey={key}")[0]


def test_a_fresh_daemon_has_a_key_to_begin_with(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(fresh=True).start()
    file = daemon.data_dir / "admin.key"
    key = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert daemon.json(f"/api/me?_mailsacKey={key}")["_id"] == "admin"
    assert key not in daemon.log.read_text(), "it is shown at a terminal alone"
    daemon.stop()
    daemon.start()
    assert me(daemon, key) == 200
    assert key not in daemon.log.read_text()


def test_accounts_and_keys_beside_a_running_daemon(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    data = daemon.data_dir
    made = told_json(data, "account", "add", "Ann", "--email", "ann@example.net")
    assert (made["name"], made["email"], made["plan"]) == ("ann", "ann@example.net", "default")
    key = told_json(data, "key", "add", "ann", "--name", "ci")["key"]
    other = told(data, "key", "add", "ann")
    assert me(daemon, key) == me(daemon, other) == 200
    listed = told_json(data, "key", "list", "ann")
    assert listed[0]["name"] == "ci"
    assert key not in told(data, "key", "list", "ann")
    told(data, "key", "remove", "ann", "ci")
    assert (me(daemon, key), me(daemon, other)) == (401, 200), "at once"
    changed = told_json(data, "account", "set", "ann", "--limit", "domains=3", "--suspend")
    assert changed["limits"]["domains"] == 3
    assert changed["suspended"]
    assert me(daemon, other) == 401
    told(data, "account", "set", "ann", "--resume", "--limit", "domains=")
    assert me(daemon, other) == 200
    assert told_json(data, "account", "set", "ann", "--operator")["operator"]
    assert "operator" in told(data, "account", "list").splitlines()[2]
    assert not told_json(data, "account", "set", "ann", "--no-operator")["operator"]
    assert told_json(data, "account", "set", "Ann", "--no-totp") == {"name": "ann"}
    link = told_json(data, "account", "reset-link", "ann")["link"]
    assert link.startswith(f"http://127.0.0.1:{daemon.ready.ports['http']}/")
    public = ("--set", "http.public_url=https://team.example/mail/")
    below = told_json(data, "account", "reset-link", "ann", *public)["link"]
    assert below.startswith("https://team.example/mail/reset-password?token=")
    told(data, "account", "remove", "ann")
    assert me(daemon, other) == 401
    assert [found["name"] for found in told_json(data, "account", "list")] == ["admin"]
    log = daemon.log.read_text()
    for secret in (key, other, link.partition("=")[2]):
        assert secret not in log


def test_accounts_and_keys_without_a_daemon(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(fresh=True)
    told(daemon.data_dir, "account", "add", "ann", "--email", "ann@example.net")
    key = told(daemon.data_dir, "key", "add", "ann")
    assert not (daemon.data_dir / "postgres" / "postmaster.pid").exists(), "it stops again"
    daemon.start()
    assert daemon.json(f"/api/me?_mailsacKey={key}")["_id"] == "ann"
    assert me(daemon, (daemon.data_dir / "admin.key").read_text().strip()) == 200
    daemon.stop()
    table = told(daemon.data_dir, "account", "list").splitlines()
    assert [line.split()[0] for line in table] == ["NAME", "admin", "ann"]


def test_an_account_of_a_name_that_was_taken_back_begins_with_nothing(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon().start()
    data = daemon.data_dir
    told(data, "account", "add", "ann", "--email", "ann@example.net")
    key = told(data, "key", "add", "ann")
    told(data, "address", "add", "ann", "a@ann.example")
    for _ in range(5):
        daemon.send("a@ann.example", "Subject: hello\r\n\r\n")
        assert me(daemon, key) == 200
    told(data, "account", "remove", "ann")
    daemon.send("a@ann.example", "Subject: to nobody\r\n\r\n")
    told(data, "account", "add", "ann", "--email", "another@example.net")
    key = told(data, "key", "add", "ann")
    time.sleep(4)  # what is in memory is written down every 2 and 3 seconds
    assert daemon.json(f"/api/activity?_mailsacKey={key}") == []
    used = daemon.json(f"/api/me?_mailsacKey={key}")["moAPICount"]
    stats = daemon.json(f"/api/me/stats?_mailsacKey={key}")
    assert (used, stats["storedMessages"], stats["addresses"]) == (2, 0, [])  # its own two calls


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("account", "add", "ann"), 2, "--email"),
        (("account", "add", "a b", "--email", "nobody"), 1, "name has to be"),
        (("account", "add", "admin", "--email", "a@example.net"), 1, "already"),
        (
            ("account", "add", "ann", "--email", "a@example.net", "--plan", "x"),
            1,
            "none of default",
        ),
        (("account", "set", "eve"), 1, "no account eve"),
        (("account", "set", "admin", "--limit", "domain=1"), 1, "domain is none of"),
        (("account", "set", "admin", "--limit", "domains"), 2, "LIMIT=NUMBER"),
        (("account", "set", "eve", "--no-totp"), 1, "Nobody signs in as eve"),
        (("account", "remove", "eve"), 1, "no account eve"),
        (("account", "reset-link", "eve"), 1, "Nobody signs in as eve"),
        (("key", "add", "eve"), 1, "no account eve"),
        (("key", "add", "admin", "--name", "admin"), 1, "already"),
        (("key", "remove", "admin", "x"), 1, "no such API key"),
    ],
)
def test_what_is_wrong_is_told_without_a_traceback(
    shared_daemon: RunningDaemon, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done = run(shared_daemon.data_dir, *arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
