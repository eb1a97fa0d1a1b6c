"""`mailsacd doctor` and `mailsacd status`, beside a daemon and without one."""

from tests.end_to_end.command import run, told_json
from tests.end_to_end.daemon import MakeDaemon

QUIET = ("--reach", "")


def test_a_server_is_examined_while_it_runs_and_when_it_does_not(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    daemon.send("bob@example.com", "Subject: hi\r\n\r\nhi\r\n")
    healthy = run(daemon.data_dir, "doctor", *QUIET)
    assert healthy.returncode == 0, healthy.stdout
    assert "smtp: 127.0.0.1 port" in healthy.stdout
    assert "FAULT" not in healthy.stdout
    status = told_json(daemon.data_dir, "status")
    assert status["running"] is True
    assert status["ports"] == daemon.ready.ports
    assert status["stored"]["messages"] == 1
    daemon.stop()
    stopped = run(daemon.data_dir, "status")
    assert stopped.returncode == 3
    assert stopped.stdout.startswith("running")
    examined = run(daemon.data_dir, "doctor", *QUIET)
    assert "it does not run" in examined.stdout
    nowhere = run(daemon.data_dir / "mistyped", "doctor", *QUIET)
    assert nowhere.returncode == 1
    assert "there is no mailsacd in" in nowhere.stdout
    assert not (daemon.data_dir / "mistyped").exists()
