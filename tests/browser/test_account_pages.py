"""The pages of an account in a real browser: who can use them, and what of them is live."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import Axe
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client

DOMAIN = "account-pages.example"
RENEWED_AFTER_MS = 5_000


@pytest.fixture(scope="module")
def account(pages_daemon: RunningDaemon) -> Iterator[Client]:
    """Somebody who owns a little of everything."""
    with Client(pages_daemon) as client:
        client.sign_up()
        for name in ("orders", "all"):
            client.reserve(f"{name}@{DOMAIN}")
        here = f"/addresses/orders@{DOMAIN}"
        client.get(here)
        fields = {"info": "Of the shop", "webhook": "https://hooks.nowhere.example/"}
        client.post(f"{here}/settings", {**fields, "forward": f"all@{DOMAIN}"})
        client.post(f"{here}/test", {})
        client.get("/keys")
        client.post("/keys", {"name": "CI"}, 200)
        client.post("/domains", {"domain": DOMAIN})
        yield client


@pytest.fixture
def page(browser: Browser, account: Client) -> Iterator[Page]:
    """A page of the browser in which that somebody has signed in."""
    with visiting(browser, account) as opened:
        opened.clock.install()
        yield opened


def later(page: Page) -> None:
    """Let the page think that the time has come to look again."""
    page.clock.fast_forward(RENEWED_AFTER_MS)


def test_a_new_key_is_copied_by_a_button(page: Page, axe: Axe) -> None:
    page.goto("/keys")
    page.get_by_label("Name").fill("of the browser")
    page.get_by_role("button", name="Make the key").click()
    copy = page.get_by_role("button", name="Copy the key")
    axe(page)
    copy.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove the key of the browser").click()
    expect(page.get_by_role("status")).to_contain_text("good for nothing")


def test_releasing_asks_first(page: Page, account: Client) -> None:
    account.reserve(f"gone@{DOMAIN}")
    page.goto(f"/addresses/gone@{DOMAIN}")
    page.get_by_text("Give this address up").click()
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Release the address").click()
    expect(page.get_by_role("heading", name=f"gone@{DOMAIN}")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Release the address").click()
    expect(page.get_by_role("status")).to_contain_text(re.compile("is released"))


def test_deliveries_come_up_by_themselves(page: Page, account: Client) -> None:
    here = f"/addresses/all@{DOMAIN}"
    account.get(here)
    account.post(f"{here}/settings", {"webhook": "https://hooks.nowhere.example/all"})
    page.goto(here)
    rows = page.locator("#deliveries").get_by_text("https://hooks.nowhere.example/all")
    expect(rows).to_have_count(0)
    account.daemon.send(f"all@{DOMAIN}", "Subject: x\r\n\r\nx\r\n")
    later(page)
    expect(rows).to_have_count(1)


def test_all_mail_is_read_and_marked_by_keyboard_as_it_comes(page: Page, account: Client) -> None:
    account.daemon.send(f"all@{DOMAIN}", "Subject: the first\r\n\r\nx\r\n")
    page.goto("/messages?query=the+")
    rows = page.locator(".mails > .mail")
    expect(rows).to_have_count(1)
    account.daemon.send(f"all@{DOMAIN}", "Subject: the second\r\n\r\nx\r\n")
    later(page)
    expect(rows).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(rows.nth(1).get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("s")
    expect(page.get_by_role("status")).to_contain_text("1 message starred")
    assert "query=the" in page.url
    page.keyboard.press("f")
    expect(page.get_by_label("Search mail")).to_be_focused()


def test_a_message_is_written_with_a_file_and_seen_to_arrive(page: Page, account: Client) -> None:
    page.goto("/compose")
    page.get_by_label("From", exact=True).fill(f"orders@{DOMAIN}")
    page.get_by_label("To", exact=True).fill(f"all@{DOMAIN}")
    page.get_by_label("Subject").fill("By hand")
    page.get_by_label("Text").fill("Hello")
    file = FilePayload(name="a.txt", mimeType="text/plain", buffer=b"the file")
    page.get_by_label("Attachments").set_input_files(file)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", name="By hand")).to_be_visible()
    later(page)
    expect(page.locator("#recipients")).to_contain_text("Delivered")
    page.goto("/messages?query=by+hand")
    page.get_by_role("link", name="By hand").click()
    page.get_by_role("link", name="Reply").click()
    expect(page.get_by_label("Subject")).to_have_value("Re: By hand")
    expect(page.get_by_label("To", exact=True)).to_have_value(f"orders@{DOMAIN}")
    expect(page.get_by_label("Text")).to_have_value(re.compile("> Hello"))
