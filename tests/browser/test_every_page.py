"""Every page that is declared: quiet, small, usable on a phone, by keyboard and without scripts.

A new page is among them without being named here. With SCREENSHOTS=FOLDER in the environment each
is drawn into that folder, wide and narrow, light and dark.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Final

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Request, expect
from playwright.sync_api import Page as Shown

from mailsacd.web.page import Page
from tests.browser.accessibility import THEMES
from tests.browser.conftest import Axe
from tests.browser.declared_pages import declared_pages, path_of
from tests.browser.person import REMOTE_PICTURE, Person, nobody, somebody
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import BROWSER, TIMEOUT_S, Client

MAX_BYTES: Final = 50_000
WIDTHS: Final = (1200, 390, 320)
HEIGHT: Final = 800
NO_PAGES: Final = {
    "open",  # only leads to another page
    "html",  # somebody's mail, in a frame
    "picture",
}
FOR_NOBODY: Final = {"sign-in", "sign-up", "forgotten", "reset", "docs"}  # or for all the same
BLOCKED: Final = f"Loading the image '{REMOTE_PICTURE}' violates"  # a mail's, as it should be
PAGES: Final = [page for page in declared_pages() if page.id not in NO_PAGES]
OPEN: Final = [page for page in PAGES if not page.for_accounts]
SCREENSHOTS: Final = os.environ.get("SCREENSHOTS", "")
FIRST_TO_REACH: Final = """document.querySelector("a[href], button, input:not([type=hidden]),"
    + " select, textarea, summary, [tabindex='0']").className"""

LINK: Final = re.compile(r'<a\b[^>]*\bhref="(/[^"#]*)')

Visit = tuple[Page, str]
VISITS: Final[list[Visit]] = [
    *((page, "nobody") for page in OPEN),
    *((page, "somebody") for page in PAGES if page.id not in FOR_NOBODY),
]


@pytest.fixture(scope="module")
def people(pages_daemon: RunningDaemon) -> Iterator[dict[str, Person]]:
    with nobody(pages_daemon) as stranger, somebody(pages_daemon) as operator:
        yield {"nobody": stranger, "somebody": operator}


Fetch = Callable[[Visit], requests.Response]


@pytest.fixture
def fetch(people: dict[str, Person]) -> Fetch:
    """Gets a page as who has no scripts, whatever it is answered with."""

    def get(visit: Visit) -> requests.Response:
        page, who = visit
        return _got(people[who].client, path_of(page, people[who].values))

    return get


def _got(client: Client, path: str) -> requests.Response:
    headers = {"Accept": BROWSER}
    return client.session.get(
        client.base + path, headers=headers, allow_redirects=False, timeout=TIMEOUT_S
    )


@dataclass
class Screen:
    """A page of somebody's browser; what it ``said`` and what it asked for ``elsewhere``."""

    page: Shown
    base: str
    said: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def told(self, message: ConsoleMessage) -> None:
        """Take down what stands in the console."""
        is_hint = str(message.type) == "verbose"  # as that a form of passwords has no name
        if not is_hint and not message.text.startswith(BLOCKED):
            self.said.append(f"{message.text} on {self.page.url}")

    def asked(self, request: Request) -> None:
        """Take down what is asked of somebody else."""
        own = (f"{self.base}/", "data:", "about:", "blob:", REMOTE_PICTURE)
        if not request.url.startswith(own):
            self.elsewhere.append(f"{request.url} on {self.page.url}")


@pytest.fixture(scope="module")
def screens(browser: Browser, people: dict[str, Person]) -> Iterator[dict[str, Screen]]:
    """One for each of the people."""
    screens = {}
    with ExitStack() as stack:
        for who, person in people.items():
            page = stack.enter_context(visiting(browser, person.client))
            screens[who] = screen = Screen(page, person.client.base)
            page.on("console", screen.told)
            page.on("request", screen.asked)
        yield screens


@pytest.fixture
def open_page(
    screens: dict[str, Screen], people: dict[str, Person]
) -> Iterator[Callable[[Visit], Shown]]:
    """Opens a page; fails in the end if it said something, or loaded something from elsewhere."""

    def show(visit: Visit) -> Shown:
        page, who = visit
        shown = screens[who].page
        shown.emulate_media(color_scheme="light")
        shown.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
        shown.goto(path_of(page, people[who].values))
        return shown

    yield show
    for screen in screens.values():
        said, screen.said = screen.said, []
        elsewhere, screen.elsewhere = screen.elsewhere, []
        assert said == []
        assert elsewhere == []


def named(visit: Visit) -> str:
    return f"{visit[0].id}-{visit[1]}"


@pytest.mark.parametrize("visit", VISITS, ids=named)
def test_it_is_whole_without_scripts(visit: Visit, fetch: Fetch) -> None:
    answer = fetch(visit)
    assert answer.status_code == 200, answer.headers.get("location", answer.text[:500])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert len(answer.content) <= MAX_BYTES
    assert len(re.findall(r"<h1[ >]", answer.text)) == 1
    assert '<a class="skip" href="#main">' in answer.text
    assert not re.search(r"<[^>]* (style|on[a-z]+)=", answer.text)


@pytest.mark.parametrize(
    "visit", [(page, "nobody") for page in PAGES if page.for_accounts], ids=named
)
def test_who_has_not_signed_in_is_sent_to_do_so(visit: Visit, people: dict[str, Person]) -> None:
    path = path_of(visit[0], people["somebody"].values)
    answer = people["nobody"].client.get(path, 303)
    assert answer.headers["location"].startswith("/sign-in?next=/")


def test_each_has_a_title_of_its_own(fetch: Fetch) -> None:
    titles: dict[str, str] = {}
    for page in PAGES:
        visit = (page, "somebody" if page.for_accounts else "nobody")
        found = re.search(r"<title>(.*?)</title>", fetch(visit).text, re.DOTALL)
        assert found, page.id
        title = unescape(found[1])
        assert title.endswith(" | mailsacd")
        assert title not in titles, f"{page.id} and {titles[title]} are both {title!r}"
        titles[title] = page.id


def test_every_link_leads_somewhere(people: dict[str, Person], fetch: Fetch) -> None:
    found: dict[tuple[str, str], str] = {}  # who and where to, and where from
    for page, who in VISITS:
        for link in LINK.findall(fetch((page, who)).text):
            found.setdefault((who, unescape(link)), page.id)
    broken = {}
    for (who, link), page_id in found.items():
        status = _got(people[who].client, link).status_code
        if status >= 400:
            broken[link] = f"{status}, for {who} on {page_id}"
    assert broken == {}


@pytest.mark.parametrize("visit", VISITS, ids=named)
def test_it_fits_and_is_usable_in_both_themes(
    visit: Visit, open_page: Callable[[Visit], Shown], axe: Axe
) -> None:
    shown = open_page(visit)
    if visit[0].id == "docs":
        expect(shown.locator("#swagger-ui .opblock").first).to_be_visible()
    for width in WIDTHS:
        shown.set_viewport_size({"width": width, "height": HEIGHT})
        across = shown.evaluate("document.documentElement.scrollWidth")
        assert across <= width, f"{across} pixels at a width of {width}"
        _draw(shown, f"{named(visit)}.{width}")
    assert shown.evaluate(FIRST_TO_REACH) == "skip"
    shown.locator(".skip").press("Enter")
    expect(shown.locator("#main")).to_be_focused()
    # Swagger UI is not ours to mend
    shown.evaluate("document.getElementById('swagger-ui')?.remove()")
    axe(shown)


def _draw(shown: Shown, name: str) -> None:
    if SCREENSHOTS:
        for theme in THEMES:
            shown.emulate_media(color_scheme=theme, reduced_motion="reduce")
            shown.screenshot(path=Path(SCREENSHOTS) / f"{name}.{theme}.png", full_page=True)
