"""Mail that wants to be noticed is opened in every view, and nobody notices."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page

from tests.browser.canary import Canary, listening_canary
from tests.browser.conftest import launched
from tests.browser.hostile import CLICKED, OTHERS, PAGES, PICTURES, made, shown
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import letter, new_address

SETTLES_MS = 40
NOTICED_MS = 500
NOTICED_WITHIN_S = 10.0
ALL = PICTURES.keys() | OTHERS.keys()
OPENED = [name for name in PAGES if name != "clicked"]
# That these are silent proves nothing: this browser does not do them, or only now and then
SILENT_ANYWAY = {
    "link-dns-prefetch", "link-preconnect", "link-manifest", "link-prerender", "speculation",
    "meta-policy", "svg-use", "mask", "filter", "track", "svg-animate", "link-prefetch",
    "in-noscript", "link-icon",
}  # fmt: skip


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with listening_canary() as canary:
        yield canary


@dataclass(frozen=True)
class Opened:
    """An inbox of somebody's who has signed in; ``paths`` are those of its messages by name."""

    client: Client
    inbox: str
    paths: dict[str, str]


@pytest.fixture(scope="module")
def mail(pages_daemon: RunningDaemon, canary: Canary) -> Iterator[Opened]:
    with Client(pages_daemon) as client:
        client.sign_up()
        inbox = client.reserve(new_address())
        with pages_daemon.smtp() as smtp:
            for name in PAGES:
                text = " ".join(f"{canary.url}/{each}" for each in PAGES[name])
                content = letter(name, text, made(name, canary.url)).as_bytes()
                smtp.sendmail("eve@evil.example", [inbox], content)
        listed = ids_by_subject(client, inbox)
        yield Opened(client, inbox, {name: f"/inbox/{inbox}/{id_}" for name, id_ in listed.items()})


def ids_by_subject(client: Client, inbox: str) -> dict[str, str]:
    """The ids of the messages of an inbox, by their subjects."""
    messages = client.get(f"/api/addresses/{inbox}/messages?limit=1000", accept="*/*").json()
    return {each["subject"]: each["_id"] for each in messages}


@pytest.fixture
def page(browser: Browser, mail: Opened, canary: Canary) -> Iterator[Page]:
    with visiting(browser, mail.client) as opened:
        canary.forget()
        yield opened


def assert_whole(name: str, text: str) -> None:
    """No piece has taken another of this page away."""
    assert [each for each in PAGES[name] if shown(each) not in text] == []


def framed(page: Page) -> FrameLocator:
    """The mail that a page shows."""
    return page.frame_locator("iframe")


def test_these_are_noticed_where_nothing_holds_them_back(browser: Browser, canary: Canary) -> None:
    canary.forget()
    canary.pages = {f"/page-of-{name}": made(name, canary.url) for name in OPENED}
    frames = "".join(f"<iframe width=20 height=20 src='{path}'></iframe>" for path in canary.pages)
    canary.pages["/all"] = f"<!doctype html>{frames}"
    with browser.new_page() as page:
        page.goto(f"{canary.url}/all")
        deadline = time.monotonic() + NOTICED_WITHIN_S
        while ALL - canary.names - SILENT_ANYWAY and time.monotonic() < deadline:
            page.wait_for_timeout(SETTLES_MS)
    assert sorted(ALL - canary.names - SILENT_ANYWAY) == []


def test_nothing_is_loaded_before_somebody_asks(page: Page, mail: Opened, canary: Canary) -> None:
    for name in OPENED:
        page.goto(f"{mail.paths[name]}?view=html")
        assert_whole(name, framed(page).locator("body").inner_text())
        page.wait_for_timeout(SETTLES_MS)
        assert page.url.endswith(f"{mail.paths[name]}?view=html")
        assert (canary.heard, canary.connections) == ([], 0), name
    page.wait_for_timeout(NOTICED_MS)
    assert (canary.heard, canary.connections) == ([], 0)


def test_other_views_load_nothing(page: Page, mail: Opened, canary: Canary) -> None:
    for view in ("text", "source", "headers", "attachments", "links"):
        for name in ("pictures", "others", "meta-refresh"):
            page.goto(f"{mail.paths[name]}?view={view}")
        page.wait_for_timeout(SETTLES_MS)
        assert (canary.heard, canary.connections) == ([], 0), view
    page.goto(f"/inbox/{mail.inbox}")
    page.wait_for_timeout(NOTICED_MS)
    assert (canary.heard, canary.connections) == ([], 0)


def test_the_frame_by_itself_loads_nothing(page: Page, mail: Opened, canary: Canary) -> None:
    for name in OPENED:
        page.goto(f"{mail.paths[name]}/html")
        assert_whole(name, page.locator("body").inner_text())
        page.wait_for_timeout(SETTLES_MS)
        assert (canary.heard, canary.connections) == ([], 0), name
    page.wait_for_timeout(NOTICED_MS)
    assert (canary.heard, canary.connections) == ([], 0)


def test_pictures_alone_are_loaded_once_somebody_asks(
    page: Page, mail: Opened, canary: Canary
) -> None:
    for name in OPENED:
        page.goto(f"{mail.paths[name]}?view=html&show=1")
        assert_whole(name, framed(page).locator("body").inner_text())
        page.wait_for_timeout(SETTLES_MS)
        assert page.url.endswith("show=1")
    page.wait_for_timeout(NOTICED_MS)
    assert {"img", "img-srcset", "background", "svg-image"} <= canary.names
    assert canary.names <= PICTURES.keys()
    for each in canary.told:
        assert "referer" not in each
        assert "cookie" not in each


def test_a_click_leads_nowhere_before_somebody_asks(
    page: Page, mail: Opened, canary: Canary
) -> None:
    url = f"{mail.paths['clicked']}?view=html"
    page.goto(url)
    assert_whole("clicked", framed(page).locator("body").inner_text())
    for name in CLICKED:
        for modifier in ((), ("Control",), ("Shift",)):
            go = framed(page).locator(f".{name} .go")
            if name == "area":
                go.dispatch_event("click")
            else:
                go.click(modifiers=modifier, force=True)
            page.wait_for_timeout(SETTLES_MS)
            assert page.url.endswith(url), name
            assert page.context.pages == [page], name
            assert canary.heard == [], name
            if not go.count():  # the frame shows that it was refused
                page.goto(url)
    page.wait_for_timeout(NOTICED_MS)
    assert page.context.pages == [page]
    assert canary.heard == []


def test_a_link_opens_a_tab_that_knows_nothing(page: Page, mail: Opened, canary: Canary) -> None:
    page.goto(f"{mail.paths['clicked']}?view=html&show=1")
    for name in ("link", "link-blank", "link-named"):
        with page.context.expect_page() as opened:
            framed(page).locator(f".{name} .go").click()
        opened.value.wait_for_load_state()
        assert opened.value.evaluate("window.opener") is None
        assert opened.value.evaluate("document.referrer") == ""
        opened.value.close()
    assert canary.names - {"favicon.ico"} == {"link", "link-blank", "link-named"}
    assert not any("mailsacd" in each.get("cookie", "") for each in canary.told)


def test_nothing_takes_our_page_away(page: Page, mail: Opened, canary: Canary) -> None:
    url = f"{mail.paths['clicked']}?view=html&show=1"
    for name in ("link-top", "link-parent", "form", "form-top", "link-script"):
        page.goto(url)
        framed(page).locator(f".{name} .go").click()
        page.wait_for_timeout(SETTLES_MS)
        assert page.url.endswith(url), name
        assert canary.heard == [], name
    page.wait_for_timeout(NOTICED_MS)
    assert canary.heard == []


def test_no_name_is_looked_up(
    browser: Browser, pages_daemon: RunningDaemon, mail: Opened, workspace: Path
) -> None:
    """A look-up of a name tells its owner as much as a request."""
    pages_daemon.send(mail.inbox, letter("names", "x", _names("canary.example")).as_string())
    path = f"/inbox/{mail.inbox}/{ids_by_subject(mail.client, mail.inbox)['names']}"
    log = workspace / "net.log"
    with (
        launched(browser.browser_type, f"--log-net-log={log}") as logged,
        visiting(logged, mail.client) as page,
        logged.new_page() as control,
    ):
        page.goto(path)
        _show(control, _names("control.example"))
        control.wait_for_timeout(NOTICED_MS)
    text = log.read_text()
    assert "img.control.example" in text
    assert "canary.example" not in text


def _names(domain: str) -> str:
    links = "".join(
        f"<link rel={rel} href='http://{rel}.{domain}'>" for rel in ("dns-prefetch", "preconnect")
    )
    return (
        f"<meta http-equiv=x-dns-prefetch-control content=on>{links}"
        f"<a href='http://anchor.{domain}'>x</a><img src='http://img.{domain}'>"
    )


def _show(page: Page, source: str) -> None:
    """As a page of nobody's, with nothing that holds it back."""
    page.route(
        "http://mail.example/", lambda route: route.fulfill(body=source, content_type="text/html")
    )
    page.goto("http://mail.example/")
