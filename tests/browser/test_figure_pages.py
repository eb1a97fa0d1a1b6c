"""Dashboard, usage and activity in a real browser: by keyboard, and with their tables open."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mailsacd.web.pages.activity import PER_PAGE
from tests.browser.conftest import Axe
from tests.browser.person import Person, somebody
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon


@pytest.fixture(scope="module")
def person(pages_daemon: RunningDaemon) -> Iterator[Person]:
    with somebody(pages_daemon) as made:
        yield made


@pytest.fixture
def page(browser: Browser, person: Person) -> Iterator[Page]:
    with visiting(browser, person.client) as opened:
        yield opened


def test_activity_is_paged_by_keys(page: Page, person: Person, pages_daemon: RunningDaemon) -> None:
    with pages_daemon.smtp() as smtp:
        for _ in range(PER_PAGE):
            smtp.sendmail("a@b.example", person.values["email"], b"Subject: many\r\n\r\n")
    page.goto("/activity")
    expect(page.locator(".events li")).to_have_count(PER_PAGE)
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Newer")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="Older")).to_be_visible()
    page.get_by_label("Kind").select_option("Signed in")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".events li")).to_have_count(1)


def test_what_a_plot_shows_is_a_table_too(page: Page, axe: Axe) -> None:
    page.goto("/usage")
    plot = page.get_by_role("img", name="Operations by month")
    expect(plot).to_be_visible()
    expect(plot.locator("g")).to_have_count(12)
    for each in page.get_by_text("The same as a table").all():
        each.click()
    expect(page.get_by_role("columnheader", name="Calls with an API key")).to_be_visible()
    axe(page)
