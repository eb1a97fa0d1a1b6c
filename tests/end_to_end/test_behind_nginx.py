"""Below a path, behind nginx as people set it up: what they strip, and which host they pass on."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.clients.program import WITHOUT_DNS, key_of
from tests.end_to_end.daemon import RunningDaemon, running_daemon
from tests.end_to_end.reverse_proxy import running_nginx

NAME = "team.example"
PREFIX = "/mail"
PASSWORD = "a long password of theirs"
TIMEOUT_S = 30

# How the daemon learns of the prefix: its settings, and what nginx says
BY_SETTING = ((f"http.public_url=http://{NAME}{PREFIX}/",), "")
BY_HEADER = ((), f"proxy_set_header X-Forwarded-Prefix {PREFIX};")
# What follows the address in proxy_pass: nginx strips the prefix with a slash
PASSED_ON = ""
STRIPPED = "/"
SITE = """
server {{
    listen 80;
    server_name {name};
    location {prefix}/ {{
        proxy_pass http://127.0.0.1:{port}{strip};
        proxy_http_version 1.1;
        proxy_set_header Host {host};
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
        {more}
    }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A daemon as it is found behind nginx, which passes ``host`` on."""

    daemon: RunningDaemon
    port: int
    host: str

    @property
    def origin(self) -> str:
        """Of our own pages."""
        return f"http://{NAME}:{self.port}"

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask as a browser that has found the name at this address, and follow nothing."""
        return requests.get(self._url(path), **self._options(headers))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> requests.Response:
        """Send a form, which is not answered by another page yet."""
        return requests.post(self._url(path), fields, **self._options(headers))

    def listen(self, origin: str) -> ClientConnection:
        """Open a WebSocket from a page of ``origin``."""
        return connect(
            f"ws://{NAME}:{self.port}{PREFIX}/incoming-messages?key={key_of(self.daemon)}",
            origin=Origin(origin),
            sock=socket.create_connection(("127.0.0.1", self.port)),
        )

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _options(self, headers: dict[str, str]) -> dict[str, Any]:
        asked = {"Host": f"{NAME}:{self.port}", "Accept": "text/html", **headers}
        return {"headers": asked, "allow_redirects": False, "timeout": TIMEOUT_S}


@pytest.fixture(scope="module", params=[BY_SETTING, BY_HEADER], ids=["by setting", "by header"])
def told(
    request: pytest.FixtureRequest, migrated_data: Path
) -> Iterator[tuple[RunningDaemon, str]]:
    settings, header = request.param
    chosen = ("http.proxy_networks=127.0.0.0/8", "accounts.sign_up=open", *settings)
    options = [part for each in chosen for part in ("--set", each)]
    with running_daemon(migrated_data, *WITHOUT_DNS, *options) as running:
        yield running, header


@pytest.fixture(
    scope="module",
    params=[(strip, host) for strip in (PASSED_ON, STRIPPED) for host in ("$host", "$http_host")],
    ids=lambda param: f"{'stripped' if param[0] else 'passed on'}, {param[1]}",
)
def place(
    request: pytest.FixtureRequest,
    told: tuple[RunningDaemon, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    daemon, header = told
    strip, host = request.param
    site = SITE.format(
        name=NAME, prefix=PREFIX, port=daemon.ready.ports["http"],
        strip=strip, host=host, more=header,
    )  # fmt: skip
    with running_nginx(tmp_path_factory.mktemp("nginx"), site) as port:
        yield Place(daemon=daemon, port=port, host=host)


@pytest.mark.parametrize("path", ["/", "/docs", "/help", "/websocket-test", "/sign-in", "/nothing"])
def test_what_a_page_leads_to_is_there(place: Place, path: str) -> None:
    page = place.get(PREFIX + path)
    assert page.status_code == (404 if path == "/nothing" else 200)
    links = set(re.findall(r'(?:src|href|action)="(?!http)([^"#]+)', page.text))
    assert links
    for link in links:
        assert link.startswith(f"{PREFIX}/")
    for asset in links & set(re.findall(r'(?:src|<link[^>]*href)="([^"#]+)', page.text)):
        assert place.get(asset).ok


def test_the_specification_says_where_the_calls_are(place: Place) -> None:
    specification = place.get(f"{PREFIX}/openapi.json").json()
    assert specification["servers"] == [{"url": PREFIX}]
    assert place.get(f"{PREFIX}/api/addresses/a@public.example/messages").json() == []


def test_people_sign_up_and_write(place: Place) -> None:
    form = place.get(f"{PREFIX}/sign-up")
    (token,) = set(re.findall(r'name="form_token" value="([^"]*)"', form.text))
    cookies = _cookies(form)
    name = f"ann{place.port}"
    fields = {"name": name, "email": f"{name}@example.net", "password": PASSWORD}
    filled_in = {**fields, "form_token": token}
    sent = place.post(f"{PREFIX}/sign-up", filled_in, Cookie=cookies, Origin=place.origin)
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{PREFIX}/messages")
    session = _cookies(sent)
    assert "mailsacd_session=" in session
    for origin, status in (
        (place.origin, 200),
        (f"https://{NAME}:{place.port}", 403),
        ("http://evil.example", 403),
        # With $host nobody knows from which port of the host the page is
        (f"http://{NAME}:9999", 403 if place.host == "$http_host" else 200),
    ):
        written = place.post(f"{PREFIX}/api/auth/logout", {}, Cookie=session, Origin=origin)
        assert written.status_code == status, origin


def _cookies(answer: requests.Response) -> str:
    """What the browser sends back below the prefix."""
    given = answer.raw.headers.getlist("Set-Cookie")
    assert given
    for cookie in given:
        assert f"; Path={PREFIX};" in cookie
    return "; ".join(cookie.partition(";")[0] for cookie in given)


def test_cookies_of_all_pages_are_for_tls_where_there_is_tls(
    told: tuple[RunningDaemon, str],
) -> None:
    front = f"http://127.0.0.1:{told[0].ready.ports['http']}"
    for scheme in ("http", "https"):
        headers = {"Accept": "text/html", "X-Forwarded-Proto": scheme}
        for path in ("/sign-in", "/nothing"):
            answer = requests.get(front + path, headers=headers, timeout=TIMEOUT_S)
            cookies = answer.raw.headers.getlist("Set-Cookie")
            assert cookies
            assert [("; Secure" in cookie) for cookie in cookies] == [scheme == "https"]


def test_a_page_listens(place: Place) -> None:
    with place.listen(place.origin) as listener:
        assert '"msg":"Listening"' in str(listener.recv())
    with pytest.raises(InvalidStatus, match="403"):
        place.listen("http://evil.example")
    with pytest.raises(InvalidStatus, match="403"):
        place.listen(f"https://{NAME}:{place.port}")
