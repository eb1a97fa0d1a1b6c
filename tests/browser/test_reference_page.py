"""The API reference in a real browser: calls are shown and tried, in the colours of our pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client

LIGHT, DARK = "rgb(251, 250, 248)", "rgb(20, 24, 24)"
NARROW = 390


@pytest.fixture(params=["light", "dark"])
def page(
    browser: Browser, pages_daemon: RunningDaemon, request: pytest.FixtureRequest
) -> Iterator[Page]:
    shown = {"color_scheme": request.param, "viewport": {"width": NARROW, "height": 800}}
    with (
        Client(pages_daemon) as stranger,
        visiting(browser, stranger, quiet=True, **shown) as opened,
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
    paper = page.evaluate(f"({style})(document.documentElement).backgroundColor")
    field = call.locator(".opblock-summary-path")
    ink = field.evaluate(f"element => ({style})(element).color")
    assert paper in {LIGHT, DARK}
    assert _is_light(ink) is not _is_light(paper)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW


def _is_light(colour: str) -> bool:
    red, green, blue = (int(each) for each in colour[4:-1].split(","))
    return red + green + blue > 3 * 128
