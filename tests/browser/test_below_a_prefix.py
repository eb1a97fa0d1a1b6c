"""A real browser before nginx, which leads a path of a host here, on a port of its own.

The host is none that browsers trust: they tell their pages' origin, and nginx passes on the host
without its port.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, Request, expect

from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon, running_daemon
from tests.end_to_end.reverse_proxy import running_nginx

ADDRESS = "me@page.example"
PASSWORD = "a long password of hers"
IGNORED = "Cross-Origin-Opener-Policy header has been ignored"  # without TLS, as it should be
SITE = """
server {{
    listen 80;
    server_name team.example;
    location /mail/ {{
        proxy_pass http://127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
    }}
}}
"""


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    settings = (
        "http.public_url=http://team.example/mail",
        "http.proxy_networks=127.0.0.1",
        "accounts.sign_up=open",
    )
    options = [part for each in settings for part in ("--set", each)]
    with running_daemon(migrated_data, *options) as running:
        yield running


@pytest.fixture(scope="module")
def base(daemon: RunningDaemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = SITE.format(port=daemon.ready.ports["http"])
    with running_nginx(tmp_path_factory.mktemp("nginx"), site) as port:
        yield f"http://team.example:{port}/mail"


@pytest.fixture
def page(browser: Browser, base: str) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    faults: list[str] = []
    elsewhere: list[str] = []

    def requested(request: Request) -> None:
        if not request.url.startswith((f"{base}/", "data:")):
            elsewhere.append(request.url)

    opened.on("console", lambda told: None if IGNORED in told.text else faults.append(told.text))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", requested)
    opened.on("websocket", lambda socket: _is_below(socket.url, base, elsewhere))
    yield opened
    context.close()
    assert faults == []
    assert elsewhere == []


def _is_below(url: str, base: str, elsewhere: list[str]) -> None:
    if not url.startswith(f"{base.replace('http:', 'ws:', 1)}/"):
        elsewhere.append(url)


def test_the_documentation_loads_and_calls(page: Page, base: str) -> None:
    page.goto(f"{base}/docs")
    call = page.locator("#operations-Server-getVersion")
    call.click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    expect(call.locator(".request-url pre")).to_have_text(f"{base}/version")
    status = call.locator(".live-responses-table tbody .response-col_status")
    expect(status).to_contain_text("200")


def test_the_websocket_page_listens(page: Page, base: str, daemon: RunningDaemon) -> None:
    key = told(daemon.data_dir, "key", "add", "admin", "--name", "page")
    address = f"http://127.0.0.1:{daemon.ready.ports['http']}/api/addresses/{ADDRESS}"
    headers = {"Mailsac-Key": key}
    assert requests.post(address, headers=headers, timeout=30).ok
    assert requests.put(address, headers=headers, json={"enablews": True}, timeout=30).ok
    page.goto(f"{base}/websocket-test")
    page.fill("#key", key)
    page.fill("#addresses", ADDRESS)
    page.click("#connect")
    expect(page.locator("#status")).to_have_text(f"listening to {ADDRESS}")


def test_people_sign_in_and_out(page: Page, base: str, daemon: RunningDaemon) -> None:
    """Forms are sent without Sec-Fetch-Site from here, with Origin alone."""
    front = f"http://127.0.0.1:{daemon.ready.ports['http']}"
    person = {"name": "ann", "email": "ann@example.net", "password": PASSWORD}
    assert requests.post(f"{front}/api/auth/sign-up", json=person, timeout=30).ok
    page.goto(f"{base}/sign-in?next=/websocket-test")
    page.fill("#name", "ann")
    page.fill("#password", PASSWORD)
    with page.expect_request(lambda request: request.method == "POST") as sending:
        page.get_by_role("button", name="Sign in").click()
    sent = sending.value.all_headers()
    assert "sec-fetch-site" not in sent
    assert f"{sent['origin']}/mail" == base
    page.wait_for_url(f"{base}/websocket-test")
    page.locator(".menu summary", has_text="ann").click()
    assert {cookie["path"] for cookie in page.context.cookies()} == {"/mail"}
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
