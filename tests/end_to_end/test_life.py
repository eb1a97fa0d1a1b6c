"""Starting, stopping, being killed: nothing that was acknowledged is lost."""

import os
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.daemon import RunningDaemon

MakeDaemon = Callable[..., RunningDaemon]
ROOT = Path(__file__).parents[2]


class _Sender(threading.Thread):
    """Sends numbered messages, each to its own address, until told to stop or cut off."""

    def __init__(self, daemon: RunningDaemon, name: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self.refusals: set[int] = set()
        self.ended = False
        self._daemon = daemon
        self._name = name

    def run(self) -> None:
        number = 0
        try:
            with self._daemon.smtp() as client:
                while not self.ended:
                    number += 1
                    to = f"{self._name}-{number}@example.com"
                    try:
                        client.sendmail(
                            "a@example.net", [to], f"Subject: {number}\r\n\r\n".encode()
                        )
                        self.acknowledged.append(to)
                    except smtplib.SMTPDataError as e:
                        self.refusals.add(e.smtp_code)
        except (OSError, smtplib.SMTPException):
            pass


def _under_load(daemon: RunningDaemon, sessions: int = 4) -> list[_Sender]:
    senders = [_Sender(daemon, f"load{n}") for n in range(sessions)]
    for sender in senders:
        sender.start()
    _until(lambda: all(len(s.acknowledged) >= 20 for s in senders))
    return senders


def _until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def _missing(daemon: RunningDaemon, senders: list[_Sender]) -> list[str]:
    return [
        to
        for sender in senders
        for to in sender.acknowledged
        if daemon.json(f"/api/addresses/{to}/message-count")["count"] != 1
    ]


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_daemon_that_is_killed_under_load_keeps_what_it_acknowledged(
    make_daemon: MakeDaemon, with_signal: signal.Signals
) -> None:
    daemon = make_daemon().start()
    senders = _under_load(daemon)
    daemon.stop(with_signal)
    for sender in senders:
        sender.join(30)
    daemon.start()
    assert _missing(daemon, senders) == []


def test_a_database_that_is_killed_under_load_comes_back_and_nothing_is_lost(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon().start()
    senders = _under_load(daemon)
    os.kill(daemon.postgres_pid(), signal.SIGKILL)
    before = [len(s.acknowledged) for s in senders]
    _until(lambda: all(len(s.acknowledged) >= n + 20 for s, n in zip(senders, before, strict=True)))
    for sender in senders:
        sender.ended = True
        sender.join(30)
        assert sender.refusals <= {451}
    assert _missing(daemon, senders) == []


def test_a_stop_removes_ready_json_and_the_database(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    postgres = daemon.postgres_pid()
    idle = daemon.smtp()
    daemon.stop(signal.SIGINT)
    assert not (daemon.data_dir / "ready.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(postgres, 0)
    assert idle.getreply()[0] == 421
    idle.close()


def test_a_second_daemon_on_the_same_data_shares_and_outlives_the_first(
    make_daemon: MakeDaemon,
) -> None:
    first = make_daemon().start()
    second = make_daemon().start()
    first.send("one@example.com", "Subject: one\r\n\r\n")
    assert len(second.json("/api/addresses/one@example.com/messages")) == 1
    first.stop()
    _until(lambda: second.request("/readyz")[0] == 200)
    assert len(second.json("/api/addresses/one@example.com/messages")) == 1


def test_the_certificate_is_read_again_at_sighup(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    for name in ("tls.crt", "tls.key"):
        (daemon.data_dir / name).unlink()
    other = make_daemon(name="other").start()
    for name in ("tls.crt", "tls.key"):
        shutil.copy(other.data_dir / name, daemon.data_dir / name)
    daemon.process.send_signal(signal.SIGHUP)
    expected = ssl.PEM_cert_to_DER_cert((other.data_dir / "tls.crt").read_text())
    _until(lambda: _certificate(daemon) == expected)


def _certificate(daemon: RunningDaemon) -> bytes | None:
    with daemon.smtp() as client:
        client.starttls()
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.getpeercert(binary_form=True)


def test_a_port_in_use_is_named(make_daemon: MakeDaemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon = make_daemon("--set", f"smtp.port={port}")
        daemon.spawn()
        assert daemon.process.wait(60) == 1
    assert f"cannot listen on 127.0.0.1 port {port} (smtp)" in daemon.log.read_text()
    assert not (daemon.data_dir / "ready.json").exists()


def test_data_of_another_postgresql_is_refused_and_left_alone(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon().start()
    daemon.stop()
    version = daemon.data_dir / "postgres" / "PG_VERSION"
    version.write_text("11\n")
    daemon.spawn()
    assert daemon.process.wait(60) == 1
    assert "PostgreSQL 11" in daemon.log.read_text()
    assert version.read_text() == "11\n"


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("--set", "database.dsn=host=/nowhere dbname=mail password=s3cret")
    daemon.spawn()
    assert daemon.process.wait(90) == 1
    told = daemon.log.read_text()
    assert "/nowhere" in told
    assert "s3cret" not in told


def test_an_unknown_setting_is_an_error_of_usage(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("--set", "smtp.prot=1")
    daemon.spawn()
    assert daemon.process.wait(60) == 1
    assert "did you mean 'smtp.port'?" in daemon.log.read_text()


def test_wait_prints_the_ports_and_config_the_settings(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    command = [str(Path(sys.executable).parent / "mailsacd")]
    options = ["--data-dir", str(daemon.data_dir)]
    too_early = subprocess.run([*command, "wait", "--timeout", "0.1", *options], check=False)
    assert too_early.returncode == 1
    daemon.start()
    waited = subprocess.run(
        [*command, "wait", *options], check=True, capture_output=True, text=True
    )
    assert f"smtp={daemon.ready.ports['smtp']}" in waited.stdout
    shown = subprocess.run(
        [*command, "config", *options, "--set", "database.dsn=password=s3cret"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "s3cret" not in shown.stdout
    assert re.search(r'database.dsn = "\(hidden\)" +# --set database.dsn\n', shown.stdout)
    assert str(daemon.data_dir) in shown.stdout
