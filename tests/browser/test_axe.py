"""Pages before one reads anything, looked at by axe-core; and that it sees what is wrong."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import violations
from tests.browser.conftest import Axe
from tests.end_to_end.daemon import RunningDaemon

PATHS = ("/", "/sign-in", "/sign-up", "/websocket-test", "/nothing-here")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_keeps_people_from_using(
    path: str, browser: Browser, pages_daemon: RunningDaemon, axe: Axe
) -> None:
    with browser.new_page() as page:
        page.goto(f"http://127.0.0.1:{pages_daemon.ready.ports['http']}{path}")
        axe(page)


def test_axe_sees_what_is_wrong(browser: Browser) -> None:
    with browser.new_page() as page:
        _show(page, "<p style='color:#999;background:#aaa'>Hard to read</p><img src=''>")
        found = {(each["theme"], each["rule"]) for each in violations(page)}
    assert {("light", "color-contrast"), ("dark", "image-alt")} <= found


def _show(page: Page, body: str) -> None:
    page.set_content(f"<!doctype html><html lang=en><title>x</title><main>{body}</main>")
