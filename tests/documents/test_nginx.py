"""Behind nginx, set up as the documentation shows: pages, calls, WebSockets and event streams."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.clients.program import WITHOUT_DNS, key_of
from tests.documents.blocks import blocks
from tests.documents.console import localised
from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon, running_daemon

INBOX = "me@example.com"
NAME = "mail.example.com"
PATIENCE_S = 30
# What surrounds a site on Debian, with everything below its own directory
AROUND = """
daemon off; pid nginx.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {site}
}}
"""


def _shown(language: str) -> str:
    (found,) = (
        block.text
        for block in blocks()
        if block.page == "docs/websocket.md" and block.language == language
    )
    return found


@pytest.fixture(scope="module")
def daemon(
    migrated_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDaemon]:
    settings = tmp_path_factory.mktemp("settings") / "mailsacd.toml"
    settings.write_text(_shown("toml"))
    with running_daemon(migrated_data, *WITHOUT_DNS, "--config", str(settings)) as running:
        told(running.data_dir, "address", "add", "admin", INBOX)
        told(running.data_dir, "address", "set", "admin", INBOX, "--enablews")
        yield running


@pytest.fixture(scope="module")
def port(daemon: RunningDaemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx before the daemon."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program, "install nginx: `make test` sees to it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = localised(_shown("nginx"), daemon).replace("listen 80;", f"listen 127.0.0.1:{port};")
    home = tmp_path_factory.mktemp("nginx")
    home.chmod(0o755)
    (home / "nginx.conf").write_text(AROUND.format(site=site))
    command = [program, "-p", str(home), "-c", "nginx.conf", "-e", "stderr"]
    with subprocess.Popen(command) as nginx:
        try:
            _wait_for(port, nginx)
            yield port
        finally:
            nginx.terminate()


def _wait_for(port: int, nginx: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while nginx.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx does not run")


def _get(port: int, path: str, **options: object) -> requests.Response:
    url = f"http://127.0.0.1:{port}{path}"
    return requests.get(url, headers={"Host": f"{NAME}:{port}"}, timeout=30, **options)  # type: ignore[arg-type]  # stream


def test_pages_and_calls(daemon: RunningDaemon, port: int) -> None:
    assert "WebSocket test" in _get(port, "/websocket-test").text
    assert _get(port, "/docs").ok
    key = key_of(daemon)
    daemon.send(INBOX, "Subject: hi\r\n\r\nhello\r\n")
    found = _get(port, f"/api/addresses/{INBOX}/messages?_mailsacKey={key}").json()
    assert [message["subject"] for message in found] == ["hi"]


@pytest.mark.parametrize("host", [NAME, "localhost"])
def test_a_websocket_of_our_own_page(daemon: RunningDaemon, port: int, host: str) -> None:
    """nginx passes on the host without its port, which a browser tells in `Origin`."""
    path = f"/incoming-messages?key={key_of(daemon)}&addresses={INBOX}"
    with connect(
        f"ws://{host}:{port}{path}",
        origin=Origin(f"http://{host}:{port}"),
        sock=socket.create_connection(("127.0.0.1", port)),
    ) as listener:
        assert json.loads(listener.recv())["msg"] == "Listening"
        daemon.send(INBOX, f"Subject: by {host}\r\n\r\n")
        while (frame := json.loads(listener.recv())).get("subject") != f"by {host}":
            assert frame["status"] == 200


def test_a_websocket_of_another_site_is_refused(daemon: RunningDaemon, port: int) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(
            f"ws://{NAME}:{port}/incoming-messages?key={key_of(daemon)}",
            origin=Origin("http://elsewhere.example"),
            sock=socket.create_connection(("127.0.0.1", port)),
        )


def test_events_come_as_they_happen(daemon: RunningDaemon, port: int) -> None:
    path = "/api/addresses/anybody@public.example/events"
    with _get(port, path, stream=True) as answer:
        lines = answer.iter_lines(chunk_size=1)
        assert next(line for line in lines if line == b": listening")
        daemon.send("anybody@public.example", "Subject: pushed\r\n\r\n")
        data = next(line for line in lines if line.startswith(b"data: "))
        assert json.loads(data.removeprefix(b"data: "))["subject"] == "pushed"
