"""Starting, stopping, being killed: nothing that was acknowledged is lost."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from mailsacd.core.ready import read_ready
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.end_to_end.load import end, missing, more_acknowledged, under_load
from tests.patience import block_until

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_daemon_that_is_killed_under_load_keeps_what_it_acknowledged(
    make_daemon: MakeDaemon, with_signal: signal.Signals
) -> None:
    daemon = make_daemon().start()
    senders = under_load(daemon)
    daemon.stop(with_signal)
    for sender in senders:
        sender.join(30)
    daemon.start()
    assert missing(daemon, senders) == []


def test_a_database_that_is_killed_under_load_comes_back_and_nothing_is_lost(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon().start()
    senders = under_load(daemon)
    os.kill(daemon.postgres_pid(), signal.SIGKILL)
    more_acknowledged(senders)
    end(senders)
    assert set().union(*(s.refusals for s in senders)) <= {451}
    assert missing(daemon, senders) == []


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


def test_a_second_control_c_is_no_defect_and_the_message_under_way_is_stored(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon().start()
    idle, client = daemon.smtp(), daemon.smtp()
    client.ehlo()
    client.mail("ann@example.net")
    client.rcpt("bob@example.com")
    client.docmd("DATA")
    daemon.process.send_signal(signal.SIGINT)
    assert idle.getreply()[0] == 421
    daemon.process.send_signal(signal.SIGINT)
    block_until(lambda: "mailsacd is stopping" in daemon.log.read_text())
    client.send("Subject: half way\r\n\r\n.\r\n")
    assert client.getreply()[0] == 250
    assert daemon.process.wait(30) == -signal.SIGINT
    assert "Traceback" not in daemon.log.read_text()
    idle.close()
    client.close()


def test_a_second_daemon_on_the_same_data_shares_and_outlives_the_first(
    make_daemon: MakeDaemon,
) -> None:
    first = make_daemon().start()
    second = make_daemon().start()
    first.send("one@example.com", "Subject: one\r\n\r\n")
    assert len(second.json("/api/addresses/one@example.com/messages")) == 1
    third = make_daemon().start()
    third.stop()
    assert read_ready(first.data_dir) == second.ready
    first.stop()
    assert read_ready(first.data_dir) == second.ready
    block_until(lambda: second.request("/readyz")[0] == 200)
    assert len(second.json("/api/addresses/one@example.com/messages")) == 1


def test_the_certificate_is_read_again_at_sighup(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("--set", "smtp.starttls=offer").start()
    for name in ("tls.crt", "tls.key"):
        (daemon.data_dir / name).unlink()
    other = make_daemon(name="other").start()
    for name in ("tls.crt", "tls.key"):
        shutil.copy(other.data_dir / name, daemon.data_dir / name)
    daemon.process.send_signal(signal.SIGHUP)
    expected = ssl.PEM_cert_to_DER_cert((other.data_dir / "tls.crt").read_text())
    block_until(lambda: _certificate(daemon) == expected)


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
    while_waiting, _, at_the_end = daemon.log.read_text().partition("mailsacd cannot start")
    assert while_waiting.count("mail at /nowhere") == 1  # and not at each try
    assert "/nowhere" in at_the_end
    assert "s3cret" not in while_waiting + at_the_end


def test_an_unknown_setting_is_told_in_one_line(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("--set", "smtp.prot=1")
    daemon.spawn()
    assert daemon.process.wait(60) == 1
    expected = "--set smtp.prot: no setting 'smtp.prot'; did you mean 'smtp.port'?"
    assert daemon.log.read_text() == f"mailsacd cannot start: {expected}\n"


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
