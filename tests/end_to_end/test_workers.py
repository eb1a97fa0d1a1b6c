"""Several processes on the same ports: all serve, each may die, all end with their parent."""

import os
import shutil
import signal
import smtplib
import ssl
from contextlib import suppress

import pytest

from mailsacd.core.account import new_key
from mailsacd.core.ready import read_ready
from mailsacd.mail.accounts.guesses import GUESSES
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.end_to_end.load import end, missing, more_acknowledged, under_load
from tests.patience import block_until

TWO = ("--set", "server.workers=2")
MANY_CONNECTIONS = 48  # so that one worker gets all of them once in 10^14 runs


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _answers(client: smtplib.SMTP) -> bool:
    try:
        return client.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def test_all_workers_serve_the_same_ports_and_a_dead_one_is_replaced(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon(*TWO).start()
    first, second = daemon.worker_pids()
    clients = [daemon.smtp() for _ in range(MANY_CONNECTIONS)]
    os.kill(first, signal.SIGKILL)
    block_until(lambda: len(daemon.worker_pids()) == 2 and first not in daemon.worker_pids())
    answers = [_answers(client) for client in clients]
    assert 0 < sum(answers) < MANY_CONNECTIONS
    assert second in daemon.worker_pids()
    for client in clients:
        client.close()
    again = [daemon.smtp() for _ in range(MANY_CONNECTIONS)]
    assert all(_answers(client) for client in again)
    for client in again:
        client.close()
    daemon.stop()


def test_a_worker_that_is_killed_under_load_loses_nothing_and_turns_nobody_away(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon(*TWO).start()
    senders = under_load(daemon, comes_back=True)
    for _ in range(3):
        os.kill(daemon.worker_pids()[0], signal.SIGKILL)
        more_acknowledged(senders)
    end(senders)
    assert sum(sender.turned_away for sender in senders) == 0
    assert missing(daemon, senders) == []
    daemon.stop()


def test_a_stop_under_load_keeps_what_was_acknowledged_and_ends_all(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon(*TWO).start()
    senders = under_load(daemon)
    processes = [*daemon.worker_pids(), daemon.postgres_pid()]
    daemon.stop(signal.SIGTERM)
    assert [pid for pid in processes if _is_alive(pid)] == []
    assert not (daemon.data_dir / "ready.json").exists()
    assert "does not end" not in daemon.log.read_text()
    end(senders)
    daemon.start()
    assert missing(daemon, senders) == []


def test_workers_and_postgresql_end_with_a_parent_that_is_killed(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*TWO).start()
    senders = under_load(daemon)
    processes = [*daemon.worker_pids(), daemon.postgres_pid()]
    daemon.kill()
    block_until(lambda: not any(_is_alive(pid) for pid in processes))
    end(senders)
    daemon.start()
    assert missing(daemon, senders) == []


def test_ready_json_waits_for_the_last_worker(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*TWO)
    daemon.spawn()
    block_until(lambda: len(daemon.worker_pids()) == 2)
    last = daemon.worker_pids()[0]
    os.kill(last, signal.SIGSTOP)
    try:
        block_until(lambda: "HttpSite starting" in daemon.log.read_text())
        assert read_ready(daemon.data_dir) is None
    finally:
        os.kill(last, signal.SIGCONT)  # what is stopped does not end by itself
    block_until(lambda: read_ready(daemon.data_dir) is not None)
    assert daemon.log.read_text().count("HttpSite starting") == 2


def test_a_stop_ends_a_start_that_is_under_way(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*TWO)
    daemon.spawn()
    block_until(lambda: len(daemon.worker_pids()) == 2)
    workers = daemon.worker_pids()
    daemon.stop()
    assert [pid for pid in workers if _is_alive(pid)] == []
    assert read_ready(daemon.data_dir) is None


def test_a_port_of_other_workers_is_not_shared_with_them(make_daemon: MakeDaemon) -> None:
    port = make_daemon(*TWO).start().ready.ports["smtp"]
    other = make_daemon(*TWO, "--set", f"smtp.port={port}", name="other")
    other.spawn()
    assert other.process.wait(60) == 1
    assert f"cannot listen on 127.0.0.1 port {port} (smtp)" in other.log.read_text()


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("smtp.proxy_networks=nowhere", "smtp.proxy_networks:"),  # found out by a worker
        ("database.connections=50", "server.workers: the embedded"),
    ],
)
def test_what_keeps_workers_from_starting_is_told(
    make_daemon: MakeDaemon, setting: str, told: str
) -> None:
    daemon = make_daemon(*TWO, "--set", setting)
    daemon.spawn()
    assert daemon.process.wait(60) == 1
    assert f"mailsacd cannot start: {told}" in daemon.log.read_text()
    assert read_ready(daemon.data_dir) is None


def test_one_peer_s_connections_are_counted_by_all_workers_and_those_of_a_dead_one_given_back(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon(*TWO, "--set", "smtp.max_connections_per_peer=6").start()
    clients = _let_in(daemon)
    assert len(clients) == 6
    first = daemon.worker_pids()[0]
    os.kill(first, signal.SIGKILL)
    block_until(lambda: len(daemon.worker_pids()) == 2 and first not in daemon.worker_pids())
    left = sum(_answers(client) for client in clients)
    again = _let_in(daemon)
    assert left + len(again) == 6
    for client in (*clients, *again):
        client.close()
    daemon.stop()


def _let_in(daemon: RunningDaemon) -> list[smtplib.SMTP]:
    clients = []
    for _ in range(MANY_CONNECTIONS):
        with suppress(smtplib.SMTPConnectError):  # 421
            clients.append(daemon.smtp())
    return clients


def test_guesses_are_counted_by_all_workers_together(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*TWO).start()
    statuses = [
        daemon.request(f"/api/me?_mailsacKey={new_key()}")[0] for _ in range(MANY_CONNECTIONS)
    ]
    assert statuses == [401] * GUESSES + [429] * (MANY_CONNECTIONS - GUESSES)
    daemon.stop()


def test_every_worker_reads_the_certificate_again_at_sighup(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(*TWO, "--set", "smtp.starttls=offer").start()
    other = make_daemon(name="other").start()
    for name in ("tls.crt", "tls.key"):
        shutil.copy(other.data_dir / name, daemon.data_dir / name)
    daemon.process.send_signal(signal.SIGHUP)
    expected = ssl.PEM_cert_to_DER_cert((other.data_dir / "tls.crt").read_text())
    block_until(lambda: _certificates(daemon, MANY_CONNECTIONS) == {expected})


def _certificates(daemon: RunningDaemon, connections: int) -> set[bytes | None]:
    seen = set()
    for _ in range(connections):
        with daemon.smtp() as client:
            client.starttls()
            assert isinstance(client.sock, ssl.SSLSocket)
            seen.add(client.sock.getpeercert(binary_form=True))
    return seen
