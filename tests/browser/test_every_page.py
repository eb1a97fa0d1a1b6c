"""Every page that is declared: quiet, small, usable on a phone, by keyboard and without scripts.

A new page is among them without being named here. With SCREENSHOTS=FOLDER in the environment each
is drawn into that folder, wide and narrow, light and dark.
"""

import os
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Final

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, expect
from playwright.sync_api import Page as Shown

from mailsacd.web.page import Page
from tests.browser.accessibility import THEMES
from tests.browser.conftest import Axe
from tests.browser.declared_pages import declared_pages, path_of
from tests.browser.person import REMOTE_PICTURE, Person, nobody, somebody
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import BROWSER

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
def people(pages_daemon: RunningDaemon) -> dict[str, Person]:
    return {"nobody": nobody(pages_daemon), "somebody": somebody(pages_daemon)}


@pytest.fixture
def base(pages_daemon: RunningDaemon) -> str:
    return f"http://127.0.0.1:{pages_daemon.ready.ports['http']}"


Fetch = Callable[[Visit], requests.Response]


@pytest.fixture
def fetch(base: str, people: dict[str, Person]) -> Fetch:
    """Gets a page as who has no scripts."""

    def get(visit: Visit) -> requests.Response:
        page, who = visit
        return requests.get(
            base + path_of(page, people[who].values),
            headers={"Accept": BROWSER},
            cookies=people[who].jar,
            allow_redirects=False,
            timeout=30,
        )

    return get


@pytest.fixture
def open_page(
    browser: Browser, base: str, people: dict[str, Person]
) -> Iterator[Callable[[Visit], Shown]]:
    """Opens a page; fails in the end if it said something, or loaded something from elsewhere."""
    contexts: list[BrowserContext] = []
    said: list[str] = []
    elsewhere: list[str] = []

    def told(message: ConsoleMessage) -> None:
        is_hint = str(message.type) == "verbose"  # as that a form of passwords has no name
        if not is_hint and not message.text.startswith(BLOCKED):
            said.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{base}/", "data:", "about:", "blob:", REMOTE_PICTURE)):
            elsewhere.append(request.url)

    def show(visit: Visit) -> Shown:
        page, who = visit
        context = browser.new_context(viewport={"width": WIDTHS[0], "height": HEIGHT})
        contexts.append(context)
        context.add_cookies(people[who].cookies)  # type: ignore[arg-type]  # a TypedDict of these
        shown = context.new_page()
        shown.on("console", told)
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.on("request", asked)
        shown.goto(base + path_of(page, people[who].values))
        return shown

    yield show
    for context in contexts:
        context.close()
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
def test_who_has_not_signed_in_is_sent_to_do_so(
    visit: Visit, base: str, people: dict[str, Person]
) -> None:
    path = path_of(visit[0], people["somebody"].values)
    answer = requests.get(base + path, allow_redirects=False, timeout=30)
    assert answer.status_code == 303
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


def test_every_link_leads_somewhere(base: str, people: dict[str, Person], fetch: Fetch) -> None:
    found: dict[tuple[str, str], str] = {}  # who and where to, and where from
    for page, who in VISITS:
        for link in LINK.findall(fetch((page, who)).text):
            found.setdefault((who, unescape(link)), page.id)
    broken = {}
    for (who, link), page_id in found.items():
        answer = requests.get(
            base + link,
            headers={"Accept": BROWSER},
            cookies=people[who].jar,
            allow_redirects=False,
            timeout=30,
        )
        if answer.status_code >= 400:
            broken[link] = f"{answer.status_code}, for {who} on {page_id}"
    assert broken == {}


@pytest.mark.parametrize("visit", VISITS, ids=named)
def test_it_fits_and_is_usable_in_both_themes(
    visit: Visit, open_page: Callable[[Visit], Shown], axe: Axe
) -> None:
    shown = open_page(visit)
    shown.wait_for_load_state("networkidle")
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
