"""The page `/websocket-test` in a real browser, with a real daemon.

Chromium has to be installed: `make test` sees to it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from mailsacd.web.assets import path_of
from tests.end_to_end.command import told
from tests.end_to_end.daemon import RunningDaemon, running_daemon

ADDRESS = "me@page.example"
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
MAIL = f"From: Eve <eve@evil.example>\r\nSubject: {NASTY}\r\n\r\n{NASTY}\r\n"


@pytest.fixture(scope="module")
def daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    with running_daemon(migrated_data) as running:
        yield running


@pytest.fixture
def page(browser: Browser, daemon: RunningDaemon) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    faults: list[str] = []
    elsewhere: list[str] = []
    base = f"//127.0.0.1:{daemon.ready.ports['http']}/"

    def requested(request: Request) -> None:
        if base not in request.url:
            elsewhere.append(request.url)

    opened.on("console", lambda told: faults.append(told.text))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", requested)
    opened.goto(f"http:{base}websocket-test")
    yield opened
    context.close()
    assert faults == []
    assert elsewhere == []


@pytest.fixture(scope="module")
def key(daemon: RunningDaemon) -> str:
    told(daemon.data_dir, "address", "add", "admin", ADDRESS)
    told(daemon.data_dir, "address", "set", "admin", ADDRESS, "--enablews")
    return told(daemon.data_dir, "key", "add", "admin", "--name", "page")


def _connect(page: Page, key: str, addresses: str) -> None:
    page.fill("#key", key)
    page.fill("#addresses", addresses)
    page.click("#connect")


def test_a_message_is_shown_as_text(page: Page, daemon: RunningDaemon, key: str) -> None:
    _connect(page, key, ADDRESS)
    expect(page.locator("#status")).to_have_text(f"listening to {ADDRESS}")
    expect(page.locator("#heartbeat")).not_to_have_text("never")
    daemon.send(ADDRESS, MAIL)
    expect(page.locator("#count")).to_have_text("1")
    shown = page.locator("#frames li").first
    expect(shown.locator("summary")).to_contain_text(NASTY)
    shown.locator("summary").click()
    expect(shown.locator("pre")).to_contain_text('"inbox": "me@page.example"')
    assert page.locator("#frames img, #frames script").count() == 0
    assert page.title() == "WebSocket test | mailsacd"


def test_what_came_while_disconnected_comes_after_connecting_again(
    page: Page, daemon: RunningDaemon, key: str
) -> None:
    _connect(page, key, ADDRESS)
    expect(page.locator("#status")).to_have_text(f"listening to {ADDRESS}")
    page.click("#disconnect")
    expect(page.locator("#status")).to_contain_text("closed (1000")
    daemon.send(ADDRESS, "Subject: missed\r\n\r\n")
    page.click("#connect")
    expect(page.locator("#count")).to_have_text("1")
    expect(page.locator("#frames summary").first).to_contain_text("missed")


def test_a_refusal_is_shown_and_not_tried_again(page: Page, key: str) -> None:
    _connect(page, key, "nobody@public.example")
    expect(page.locator("#status")).to_contain_text("refused (403): nobody@public.example")
    expect(page.locator("#connect")).to_be_enabled()
    expect(page.locator("#disconnect")).to_be_disabled()


def test_the_page_may_load_nothing_from_elsewhere(daemon: RunningDaemon) -> None:
    for path in ("/websocket-test", path_of("websocket-test.js")):
        status, headers, body = daemon.request(path)
        assert status == 200
        if path == "/websocket-test":
            assert headers["content-security-policy"].startswith(
                "default-src 'none'; script-src 'self'"
            )
        assert b"onclick" not in body
        assert b"innerHTML" not in body
