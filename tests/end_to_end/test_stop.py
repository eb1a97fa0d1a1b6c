"""A stop ends in bounded time, whatever is under way."""

import os
import signal
import smtplib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailsacd.mime.trace import MAX_RECEIVED_FIELDS
from mailsacd.work.process import STOP_WITHIN_S
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.patience import block_until

LARGE = "x" * 70 + "\r\n"


def test_a_large_message_that_loops_as_the_last_work_holds_up_no_stop(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon().start()
    looping = "Received: by somewhere\r\n" * (MAX_RECEIVED_FIELDS + 1) + "\r\n" + LARGE * 10_000
    with pytest.raises(smtplib.SMTPDataError, match=r"5\.4\.6"):
        daemon.send("ann@example.com", looping)
    began = time.monotonic()
    daemon.stop(signal.SIGTERM)
    assert time.monotonic() - began < STOP_WITHIN_S / 2


@pytest.mark.parametrize("workers", [1, 2])
def test_a_database_that_stands_still_and_clients_that_do_hold_up_no_stop(
    make_daemon: MakeDaemon, workers: int
) -> None:
    daemon = make_daemon("--set", f"server.workers={workers}").start()
    daemon.send("ann@example.com", "Subject: one\r\n\r\n")
    waiting, sending = daemon.smtp(), daemon.smtp()
    for client in (waiting, sending):
        client.ehlo()
        client.mail("ann@example.net")
        client.rcpt("ann@example.com")
        assert client.docmd("DATA")[0] == 354
    asking = socket.create_connection(("127.0.0.1", daemon.ready.ports["http"]))
    with _standing_still(daemon):
        waiting.send(LARGE * 10_000 + ".\r\n")
        asking.sendall(b"GET /api/addresses/ann@example.com/messages HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        began = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(STOP_WITHIN_S + 10)
        assert time.monotonic() - began < STOP_WITHIN_S + 2
    block_until(lambda: not (daemon.data_dir / "postgres" / "postmaster.pid").exists())
    for connection in (waiting, sending, asking):
        connection.close()


@contextmanager
def _standing_still(daemon: RunningDaemon) -> Iterator[None]:
    """Every process of the database is stopped meanwhile, and lost to nobody."""
    processes = _with_children(daemon.postgres_pid())
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)


def _with_children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]
