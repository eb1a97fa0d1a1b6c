"""Who listens or waits for mail: after it was sent by TLS, before, at another worker, at a stop."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from smtplib import SMTP

import requests

from tests.end_to_end.daemon import MakeDaemon, RunningDaemon
from tests.patience import PATIENCE_S, block_until

LISTENED = 3
ROUNDS = 12
INBOX = "test@waiting.example"


def _send_by_tls(daemon: RunningDaemon, subject: str, to: str = INBOX) -> None:
    trusted = ssl.create_default_context(cafile=str(daemon.data_dir / "tls.crt"))
    with SMTP("localhost", daemon.ready.ports["smtp"]) as client:
        client.starttls(context=trusted)
        client.sendmail("a@b.example", [to], f"Subject: {subject}\r\n\r\nhello\r\n")


def _waited(daemon: RunningDaemon, query: str, inbox: str = INBOX) -> requests.Response:
    url = f"http://127.0.0.1:{daemon.ready.ports['http']}/api/addresses/{inbox}/wait?{query}"
    return requests.get(url, timeout=PATIENCE_S)


def _first_event(daemon: RunningDaemon, inbox: str) -> str:
    """What a listener is told first who comes now."""
    url = f"http://127.0.0.1:{daemon.ready.ports['http']}/api/addresses/{inbox}/events"
    with requests.get(url, stream=True, timeout=PATIENCE_S) as events:
        lines = (bytes(line) for line in events.iter_lines())
        return next(line for line in lines if line.startswith(b"data: {")).decode()


def test_nothing_is_missed_by_who_comes_once_it_is_sent_or_before(make_daemon: MakeDaemon) -> None:
    # A busy machine may take longer than the usual 25 ms to connect a listener
    settings = ("server.workers=2", "smtp.starttls=offer", "websocket.hold_ms=500")
    daemon = make_daemon(*(part for one in settings for part in ("--set", one))).start()
    for number in range(LISTENED):
        inbox = f"listened{number}@waiting.example"
        _send_by_tls(daemon, "listened", inbox)
        assert '"subject":"listened"' in _first_event(daemon, inbox)
    for number in range(ROUNDS):
        _send_by_tls(daemon, f"number {number}.")
        found = _waited(daemon, f"timeout=10&subjectIncludes=number {number}.").json()
        assert [message["rtls"] for message in found] == [True], number
    with ThreadPoolExecutor(ROUNDS) as threads:  # which the kernel deals out to both workers
        waits = [
            threads.submit(_waited, daemon, "timeout=60", f"box{n}@waiting.example")
            for n in range(ROUNDS - 1)
        ]
        for number in range(ROUNDS - 1):
            _send_by_tls(daemon, "later", f"box{number}@waiting.example")
        assert [wait.result().status_code for wait in waits] == [200] * (ROUNDS - 1)
        at_the_stop = threads.submit(_waited, daemon, "timeout=60", "nobody@waiting.example")
        block_until(lambda: b"\nmailsacd_waits 1.0\n" in _metrics(daemon))
        daemon.stop()
        assert at_the_stop.result().status_code == 503


def _metrics(daemon: RunningDaemon) -> bytes:
    url = f"http://127.0.0.1:{daemon.ready.ports['http']}/metrics"
    return requests.get(url, timeout=PATIENCE_S).content
