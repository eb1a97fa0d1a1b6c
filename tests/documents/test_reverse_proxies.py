"""Behind proxies that are set up as the document shows: pages, calls, WebSockets, event streams."""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.clients.program import WITHOUT_DNS, key_of
from tests.documents.blocks import blocks
from tests.documents.console import localised
from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon, running_daemon
from tests.end_to_end.reverse_proxy import running_caddy, running_nginx

INBOX = "me@example.com"
EVIL = {
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Proto": "https",
}
PAGE = "docs/reverse-proxies.md"
NGINX = ("nginx", running_nginx)
CADDY = ("caddyfile", running_caddy)
# Which block of a language it is, the name of the site, and the path that the server is below
WHOLE = (0, "mail.example.com", "")
BELOW = (1, "team.example", "/mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the daemon is found behind a proxy."""

    name: str
    port: int
    prefix: str

    def get(
        self,
        path: str,
        *,
        stream: bool = False,
        allow_redirects: bool = True,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """Ask as who knows the address of the name does."""
        return requests.get(
            f"http://127.0.0.1:{self.port}{self.prefix}{path}",
            headers={"Host": f"{self.name}:{self.port}", **(headers or {})},
            stream=stream,
            allow_redirects=allow_redirects,
            timeout=30,
        )

    def listen(self, path: str, origin: str) -> ClientConnection:
        """Open a WebSocket as a page of ``origin`` does."""
        return connect(
            f"ws://{self.name}:{self.port}{self.prefix}{path}",
            origin=Origin(origin),
            sock=socket.create_connection(("127.0.0.1", self.port)),
        )


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    networks = ("--set", "http.proxy_networks=127.0.0.1")
    with running_daemon(migrated_data, *WITHOUT_DNS, *networks) as running:
        told(running.data_dir, "address", "add", "admin", INBOX)
        told(running.data_dir, "address", "set", "admin", INBOX, "--enablews")
        yield running


@pytest.fixture(
    scope="module",
    params=[(NGINX, WHOLE), (NGINX, BELOW), (CADDY, WHOLE), (CADDY, BELOW)],
    ids=["nginx", "nginx below a path", "Caddy", "Caddy below a path"],
)
def site(
    request: pytest.FixtureRequest, daemon: RunningDaemon, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    (language, running), (place, name, prefix) = request.param
    shown = [b.text for b in blocks() if b.page == PAGE and b.language == language]
    text = localised(shown[place], daemon)
    assert name in text
    with running(tmp_path_factory.mktemp(language), text) as port:
        yield Site(name=name, port=port, prefix=prefix)


def test_pages_and_calls(daemon: RunningDaemon, site: Site) -> None:
    page = site.get("/docs")
    assert page.ok
    for path in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
        assert path.startswith(f"{site.prefix}/")
        assert site.get(path.removeprefix(site.prefix)).ok
    subject = f"by {site.port}"
    daemon.send(INBOX, f"Subject: {subject}\r\n\r\nhello\r\n")
    messages = f"/api/addresses/{INBOX}/messages?limit=1&_mailsacKey={key_of(daemon)}"
    assert [message["subject"] for message in site.get(messages).json()] == [subject]


def test_what_is_encoded_stays_so(daemon: RunningDaemon, site: Site) -> None:
    address = f"a/b+{site.port}@public.example"
    daemon.send(address, "Subject: encoded\r\n\r\n")
    found = site.get("/api/addresses/a%2Fb@public.example/messages?limit=1").json()
    assert [message["originalInbox"] for message in found] == [address]


def test_a_path_without_its_slash(site: Site) -> None:
    if site.prefix:
        answer = site.get("", allow_redirects=False)
        assert answer.status_code in {301, 302}
        assert answer.headers["Location"].endswith(f"{site.prefix}/")


def test_what_strangers_write_goes_nowhere(site: Site) -> None:
    for path in (
        "/",
        "/docs",
        "/openapi.json",
        "/docs/swagger-ui.css",
        "/websocket-test",
        "/nothing",
    ):
        answer = site.get(path, headers={**EVIL, "Accept": "text/html"})
        assert "evil" not in answer.text + str(answer.headers)
        links = re.findall(r'(?:src|href|action)="(?!http)([^"#]+)"', answer.text)
        assert [link for link in links if not link.startswith(f"{site.prefix}/")] == []
        for cookie in answer.raw.headers.getlist("Set-Cookie"):
            assert f"; Path={site.prefix or '/'};" in cookie
    assert site.get("/openapi.json", headers=EVIL).json()["servers"] == [
        {"url": site.prefix or "/"}
    ]


def test_a_websocket_of_our_own_page(daemon: RunningDaemon, site: Site) -> None:
    path = f"/incoming-messages?key={key_of(daemon)}&addresses={INBOX}"
    with site.listen(path, f"http://{site.name}:{site.port}") as listener:
        assert json.loads(listener.recv())["msg"] == "Listening"
        subject = f"pushed by {site.port}"
        daemon.send(INBOX, f"Subject: {subject}\r\n\r\n")
        while (frame := json.loads(listener.recv())).get("subject") != subject:
            assert frame["status"] == 200


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "http://{name}:9999"])
def test_a_websocket_of_another_site_is_refused(
    daemon: RunningDaemon, site: Site, origin: str
) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        site.listen(f"/incoming-messages?key={key_of(daemon)}", origin.replace("{name}", site.name))


def test_events_come_as_they_happen(daemon: RunningDaemon, site: Site) -> None:
    path = "/api/addresses/anybody@public.example/events"
    with site.get(path, stream=True) as answer:
        lines = answer.iter_lines(chunk_size=1)
        assert next(line for line in lines if line == b": listening")
        daemon.send("anybody@public.example", "Subject: pushed\r\n\r\n")
        data = next(line for line in lines if line.startswith(b"data: "))
        assert json.loads(data.removeprefix(b"data: "))["subject"] == "pushed"
