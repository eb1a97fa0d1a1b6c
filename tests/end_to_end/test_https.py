"""The API and WebSockets with TLS from the first byte, on a port of their own."""

import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.end_to_end.daemon import RunningDaemon, running_daemon


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    options = ("--set", "http.tls_port=0", "--set", "server.hostname=localhost")
    with running_daemon(migrated_data, *options) as daemon:
        yield daemon


@pytest.fixture
def trust(daemon: RunningDaemon) -> ssl.SSLContext:
    """Only the certificate that the daemon made for itself."""
    return ssl.create_default_context(cafile=str(daemon.data_dir / "tls.crt"))


def test_the_api_answers(daemon: RunningDaemon, trust: ssl.SSLContext) -> None:
    url = f"https://localhost:{daemon.ready.ports['http_tls']}/api/addresses/a@b.example/messages"
    with urllib.request.urlopen(url, context=trust, timeout=10) as answer:
        assert answer.read() == b"[]"


def test_a_large_answer_comes_whole(daemon: RunningDaemon, trust: ssl.SSLContext) -> None:
    body = "x" * 998 + "\r\n"
    with daemon.smtp() as client:
        client.sendmail("a@b.example", ["large@b.example"], "Subject: s\r\n\r\n" + body * 2000)
    base = f"https://localhost:{daemon.ready.ports['http_tls']}/api"
    found = daemon.json("/api/addresses/large@b.example/messages")[0]
    url = f"{base}/raw/large@b.example/{found['_id']}"
    with urllib.request.urlopen(url, context=trust, timeout=10) as answer:
        assert answer.read().endswith((body * 2000).encode())


def test_a_websocket_listens(daemon: RunningDaemon, trust: ssl.SSLContext) -> None:
    key = (daemon.data_dir / "admin.key").read_text().strip()
    url = f"wss://localhost:{daemon.ready.ports['http_tls']}/incoming-messages?key={key}"
    with connect(url, ssl=trust, origin=None) as listener:
        assert '"msg":"Listening"' in str(listener.recv(timeout=10))
