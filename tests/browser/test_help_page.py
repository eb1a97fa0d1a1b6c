"""The help page in a real browser: a key goes into the samples, and nowhere else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Axe
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client

KEY = "k_0123456789abcdefghij"


@pytest.fixture
def page(browser: Browser, pages_daemon: RunningDaemon) -> Iterator[Page]:
    rights = ["clipboard-read", "clipboard-write"]
    with (
        Client(pages_daemon) as stranger,
        visiting(browser, stranger, quiet=True, permissions=rights) as opened,
    ):
        opened.goto("/help")
        yield opened


def test_a_key_is_put_into_the_samples_and_sent_nowhere(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    icon = (
        page.locator("link[rel=icon]").get_attribute("href") or ""
    )  # browsers get it when they like
    page.get_by_label("API key in the samples").fill(KEY)
    expect(page.locator("#sample-curl")).to_contain_text(f"KEY='{KEY}'")
    expect(page.locator("#sample-websocket")).to_contain_text(f"key={KEY}&")
    page.get_by_text("Java", exact=True).click()
    expect(page.locator("#sample-java")).to_contain_text(f'KEY = "{KEY}"')
    page.get_by_role("button", name="Copy the sample for Java").click()
    expect(page.get_by_role("button", name="Copy the sample for Java")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f'KEY = "{KEY}"' in copied
    assert "<span" not in copied
    page.get_by_label("API key in the samples").fill("")
    expect(page.locator("#sample-curl")).to_contain_text("KEY=''")
    expect(page.locator("#sample-websocket")).to_contain_text("key=KEY&")
    assert [url for url in asked if not url.endswith(icon)] == []


def test_what_is_no_key_is_not_put_into_a_program(page: Page) -> None:
    page.get_by_label("API key in the samples").fill("'; rm -rf ~; '")
    expect(page.locator("#sample-curl")).to_contain_text("KEY=''")


def test_a_program_is_as_wide_as_the_page(page: Page) -> None:
    shown = page.locator("#sample-curl").bounding_box()
    around = page.locator("#main h1").bounding_box()
    assert shown
    assert around
    assert shown["width"] > around["width"] * 0.95


def test_nothing_keeps_people_from_using_it(page: Page, axe: Axe) -> None:
    for each in page.locator("details.program").all():
        each.evaluate("details => { details.open = true; }")
    axe(page)
