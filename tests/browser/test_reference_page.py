"""The API reference in a real browser: calls are shown and tried, in the colours of our pages."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from mailsacd.web.visit import Theme
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client

PAPERS: Final[tuple[tuple[Theme, str], ...]] = (
    ("light", "rgb(251, 250, 248)"),
    ("dark", "rgb(20, 24, 24)"),
)
NARROW = 390


@pytest.fixture
def page(browser: Browser, pages_daemon: RunningDaemon) -> Iterator[Page]:
    narrow = {"width": NARROW, "height": 800}
    with (
        Client(pages_daemon) as stranger,
        visiting(browser, stranger, quiet=True, viewport=narrow) as opened,
    ):
        opened.goto("/docs")
        yield opened


def test_a_call_is_tried(page: Page) -> None:
    call = page.locator("#operations-Server-getVersion")
    call.click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    status = call.locator(".live-responses-table tbody .response-col_status")
    expect(status).to_contain_text("200")
    style = "element => getComputedStyle(element)"
    field = call.locator(".opblock-summary-path")
    for scheme, expected in PAPERS:
        page.emulate_media(color_scheme=scheme)
        paper = page.evaluate(f"({style})(document.documentElement).backgroundColor")
        ink = field.evaluate(f"element => ({style})(element).color")
        assert paper == expected
        assert _is_light(ink) is not _is_light(paper)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW


def _is_light(colour: str) -> bool:
    red, green, blue = (int(each) for each in colour[4:-1].split(","))
    return red + green + blue > 3 * 128
