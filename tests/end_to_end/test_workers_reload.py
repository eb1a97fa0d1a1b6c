"""SIGHUP with several workers: other settings without a connection refused; and hanging workers."""

import os
import signal
from pathlib import Path

from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.end_to_end.load import end, missing, more_acknowledged, under_load
from tests.patience import block_until

TWO = ("--set", "server.workers=2")
MANY_CONNECTIONS = 48  # so that one worker gets all of them once in 10^14 runs

BAD = (
    ("[message]\nmax_bites = 1\n", "no setting 'message.max_bites'"),
    ("[message\n", "mailsacd.toml: Expected"),
    ("[database]\nconnections = 50\n", "server.workers: the embedded"),
    ("[tls]\ncertificate = '/nowhere'\n", "tls.certificate and tls.private_key go together"),
    ("[smtp]\nproxy_networks = ['nowhere']\n", "smtp.proxy_networks:"),  # a worker finds it
)

BUSY = """
import signal
def be_busy(*_):
    while True:
        pass
signal.signal(signal.SIGUSR2, be_busy)
"""


def _started(make_daemon: MakeDaemon, workspace: Path, settings: str) -> tuple[RunningDaemon, Path]:
    file = workspace / "mailsacd.toml"
    file.write_text(settings)
    return make_daemon(*TWO, "--config", str(file)).start(), file


def _reload(daemon: RunningDaemon, until_logged: str) -> None:
    daemon.process.send_signal(signal.SIGHUP)
    block_until(lambda: until_logged in daemon.log.read_text())


def _sizes(daemon: RunningDaemon) -> set[str]:
    """What the workers say that a message may have, in bytes (RFC 1870)."""
    sizes = set()
    for _ in range(MANY_CONNECTIONS):
        with daemon.smtp() as client:
            client.ehlo()
            sizes.add(client.esmtp_features["size"])
    return sizes


def test_new_settings_under_load_turn_nobody_away_and_lose_nothing(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    daemon, file = _started(make_daemon, workspace, "[message]\nmax_bytes = 100000\n")
    before = daemon.worker_pids()
    senders = under_load(daemon, comes_back=True)
    file.write_text("[message]\nmax_bytes = 200000\n")
    _reload(daemon, "all workers have the new settings")
    more_acknowledged(senders)
    end(senders)
    assert sum(sender.turned_away for sender in senders) == 0
    assert missing(daemon, senders) == []
    after = daemon.worker_pids()
    assert len(after) == 2
    assert not set(before) & set(after)
    assert _sizes(daemon) == {"200000"}
    assert "the workers are replaced: message.max_bytes" in daemon.log.read_text()
    os.kill(after[0], signal.SIGKILL)  # the one that comes after it has the new ones, too
    block_until(lambda: len(daemon.worker_pids()) == 2 and after[0] not in daemon.worker_pids())
    assert _sizes(daemon) == {"200000"}
    daemon.stop()


def test_bad_settings_are_told_and_the_old_ones_stay(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    daemon, file = _started(make_daemon, workspace, "[message]\nmax_bytes = 100000\n")
    before = daemon.worker_pids()
    for settings, told in BAD:
        file.write_text(settings)
        _reload(daemon, told)
    assert daemon.log.read_text().count("the settings stay as they were: ") == len(BAD)
    block_until(lambda: daemon.worker_pids() == before)
    assert _sizes(daemon) == {"100000"}
    daemon.stop()


def test_what_needs_a_restart_is_named_and_stays(make_daemon: MakeDaemon, workspace: Path) -> None:
    daemon, file = _started(make_daemon, workspace, "[pop3]\nlock = false\n")
    before = daemon.worker_pids()
    file.write_text("[http]\nhost = '0.0.0.0'\n[database]\nbin_dir = '/opt'\n")
    _reload(daemon, "http.host stays as it was: it is read at the start alone")
    block_until(lambda: "certificate read again" in daemon.log.read_text())
    assert "database.bin_dir stays as it was" in daemon.log.read_text()
    assert daemon.worker_pids() == before
    daemon.stop()


def test_a_worker_that_hangs_is_killed_and_replaced(
    make_daemon: MakeDaemon, workspace: Path
) -> None:
    (workspace / "sitecustomize.py").write_text(BUSY)
    daemon = make_daemon(*TWO)
    daemon.environment["PYTHONPATH"] = str(workspace)
    stopped, busy = daemon.start().worker_pids()
    os.kill(stopped, signal.SIGSTOP)
    os.kill(busy, signal.SIGUSR2)
    block_until(lambda: not {stopped, busy} & set(daemon.worker_pids()))
    block_until(lambda: len(daemon.worker_pids()) == 2)
    assert daemon.log.read_text().count("it hung: nothing was heard of it for 10 s") == 2
    daemon.send("ann@example.com", "Subject: hi\r\n\r\n")
    daemon.stop()
