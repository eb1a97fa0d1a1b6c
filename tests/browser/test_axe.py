"""That axe-core sees what is wrong, and finds nothing with the page of an error.

All that is declared as a page is looked at in test_every_page.
"""

from playwright.sync_api import Browser, Page

from tests.browser.accessibility import violations
from tests.browser.conftest import Axe
from tests.end_to_end.daemon import RunningDaemon


def test_nothing_keeps_people_from_reading_an_error(
    browser: Browser, pages_daemon: RunningDaemon, axe: Axe
) -> None:
    with browser.new_page() as page:
        page.goto(f"http://127.0.0.1:{pages_daemon.ready.ports['http']}/nothing-here")
        axe(page)


def test_axe_sees_what_is_wrong(browser: Browser) -> None:
    with browser.new_page() as page:
        _show(page, "<p style='color:#999;background:#aaa'>Hard to read</p><img src=''>")
        found = {(each["theme"], each["rule"]) for each in violations(page)}
    assert {
        ("light", "color-contrast"),
        ("dark", "color-contrast"),
        ("light", "image-alt"),
    } <= found


def _show(page: Page, body: str) -> None:
    page.set_content(f"<!doctype html><html lang=en><title>x</title><main>{body}</main>")
