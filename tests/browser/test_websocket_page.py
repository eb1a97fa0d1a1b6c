"""The page `/websocket-test` in a real browser, with a real daemon."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from mailsacd.web.assets import path_of
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client

ADDRESS = "me@page.example"
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
MAIL = f"From: Eve <eve@evil.example>\r\nSubject: {NASTY}\r\n\r\n{NASTY}\r\n"


@pytest.fixture
def page(browser: Browser, pages_daemon: RunningDaemon) -> Iterator[Page]:
    elsewhere: list[str] = []
    with (
        Client(pages_daemon) as stranger,
        visiting(browser, stranger, quiet=True) as opened,
    ):

        def requested(request: Request) -> None:
            if not request.url.startswith(f"{stranger.base}/"):
                elsewhere.append(request.url)

        opened.on("request", requested)
        opened.goto("/websocket-test")
        yield opened
    assert elsewhere == []


@pytest.fixture(scope="module")
def key(pages_daemon: RunningDaemon) -> str:
    with Client(pages_daemon) as client:
        client.sign_up()
        client.call("PUT", f"/addresses/{client.reserve(ADDRESS)}", enablews=True)
        return str(client.call("POST", "/credentials/keys", name="page")["key"])


def _connect(page: Page, key: str, addresses: str) -> None:
    page.fill("#key", key)
    page.fill("#addresses", addresses)
    page.click("#connect")


def test_a_message_is_shown_as_text(page: Page, pages_daemon: RunningDaemon, key: str) -> None:
    _connect(page, key, ADDRESS)
    expect(page.locator("#status")).to_have_text(f"listening to {ADDRESS}")
    expect(page.locator("#heartbeat")).not_to_have_text("never")
    pages_daemon.send(ADDRESS, MAIL)
    expect(page.locator("#count")).to_have_text("1")
    shown = page.locator("#frames li").first
    expect(shown.locator("summary")).to_contain_text(NASTY)
    shown.locator("summary").click()
    expect(shown.locator("pre")).to_contain_text('"inbox": "me@page.example"')
    assert page.locator("#frames img, #frames script").count() == 0
    assert page.title() == "WebSocket test | mailsacd"


def test_what_came_while_disconnected_comes_after_connecting_again(
    page: Page, pages_daemon: RunningDaemon, key: str
) -> None:
    _connect(page, key, ADDRESS)
    expect(page.locator("#status")).to_have_text(f"listening to {ADDRESS}")
    page.click("#disconnect")
    expect(page.locator("#status")).to_contain_text("closed (1000")
    pages_daemon.send(ADDRESS, "Subject: missed\r\n\r\n")
    page.click("#connect")
    expect(page.locator("#count")).to_have_text("1")
    expect(page.locator("#frames summary").first).to_contain_text("missed")


def test_a_refusal_is_shown_and_not_tried_again(page: Page, key: str) -> None:
    _connect(page, key, "nobody@public.example")
    expect(page.locator("#status")).to_contain_text("refused (403): nobody@public.example")
    expect(page.locator("#connect")).to_be_enabled()
    expect(page.locator("#disconnect")).to_be_disabled()


def test_the_page_may_load_nothing_from_elsewhere(pages_daemon: RunningDaemon) -> None:
    for path in ("/websocket-test", path_of("websocket-test.js")):
        status, headers, body = pages_daemon.request(path)
        assert status == 200
        if path == "/websocket-test":
            assert headers["content-security-policy"].startswith(
                "default-src 'none'; script-src 'self'"
            )
        assert b"onclick" not in body
        assert b"innerHTML" not in body
