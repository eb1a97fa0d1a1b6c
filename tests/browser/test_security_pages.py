"""Security, team and audit log in a real browser: who can use them."""

import secrets
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Axe
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import PASSWORD, Client


@pytest.fixture
def page(browser: Browser, pages_daemon: RunningDaemon) -> Iterator[Page]:
    """A page of a browser in which somebody has signed in."""
    with Client(pages_daemon) as client:
        client.sign_up()
        with visiting(browser, client) as opened:
            yield opened


def test_a_user_manages_the_account_for_a_while(page: Page, axe: Axe) -> None:
    name = f"member-{secrets.token_hex(4)}"
    page.goto("/account/team")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Add the user").click()
    page.get_by_label(f"for which {name} manages").fill("5")
    axe(page)
    page.get_by_role("button", name="Let manage").click()
    expect(page.get_by_text("Manages the account", exact=True)).to_be_visible()
    axe(page)
    page.goto("/audit?topic=team")
    expect(page.get_by_role("cell", name="User elevated")).to_be_visible()
    axe(page)


def test_a_second_factor_is_set_up(page: Page, axe: Axe) -> None:
    page.goto("/account/security")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    picture = page.get_by_role("img", name="QR code with the key")
    assert picture.evaluate("picture => picture.naturalWidth") > 100  # the policy lets it be drawn
    axe(page)
    secret = page.locator("[data-copy]").get_attribute("data-copy") or ""
    page.get_by_label("Code that the device shows").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    with page.expect_response("**/theme"):
        page.get_by_label("Colours").select_option("Dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    with page.expect_response("**/theme"):
        page.get_by_label("Colours").select_option("Light")
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download them").click()
    assert download.value.suggested_filename == "mailsacd-recovery-codes.txt"
    assert len(download.value.path().read_text("ascii").split()) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_text("Make new recovery codes").click()
    axe(page)
