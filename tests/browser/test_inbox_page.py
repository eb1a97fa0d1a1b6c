"""An inbox and a message in a real browser: as mail arrives, by keyboard, and without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser.conftest import Axe
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import letter, new_address, png

HIDE = """hidden => {
    Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
ROWS = ".mails > .mail"


@pytest.fixture(scope="module")
def client(pages_daemon: RunningDaemon) -> Iterator[Client]:
    """Somebody who has signed in."""
    with Client(pages_daemon) as made:
        made.sign_up()
        yield made


@pytest.fixture
def inbox(client: Client, pages_daemon: RunningDaemon) -> str:
    """An address of theirs, with two messages."""
    address = client.reserve(new_address())
    pages_daemon.send(address, letter("first", "text of first", "<p>page of first").as_string())
    pages_daemon.send(address, letter("second", "Your code is 493201").as_string())
    return address


@pytest.fixture
def page(browser: Browser, client: Client) -> Iterator[Page]:
    with visiting(browser, client) as opened:
        yield opened


def subjects(page: Page) -> list[str]:
    return page.locator(f"{ROWS} > a > span:not(.hidden)").all_inner_texts()


def press(page: Page, key: str) -> None:
    """Type a key once the scripts of the page are there."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def send(daemon: RunningDaemon, inbox: str, subject: str) -> None:
    daemon.send(inbox, letter(subject).as_string())


def listening(page: Page, inbox: str) -> None:
    """Open the inbox, and go on once it listens."""
    with page.expect_response("**/events"):
        page.goto(f"/inbox/{inbox}")


def test_mail_shows_up_as_it_arrives(page: Page, pages_daemon: RunningDaemon, inbox: str) -> None:
    listening(page, inbox)
    page.get_by_label("Select first").check()
    page.get_by_role("link", name="first").focus()
    page.locator("#more summary").click()
    page.fill("#label", "half typed")
    page.get_by_role("link", name="first").focus()
    send(pages_daemon, inbox, "third")
    expect(page.locator(ROWS)).to_have_count(3)
    assert subjects(page) == ["third", "second", "first"]
    expect(page.locator("#live")).to_have_text("New message from Ann: third")
    expect(page.get_by_label("Select first")).to_be_checked()
    expect(page.get_by_role("link", name="first")).to_be_focused()
    expect(page.locator("#label")).to_have_value("half typed")


def test_nobody_listens_where_nobody_looks(
    page: Page, pages_daemon: RunningDaemon, inbox: str
) -> None:
    listening(page, inbox)
    page.evaluate(HIDE, True)
    send(pages_daemon, inbox, "third")
    page.wait_for_timeout(500)
    assert subjects(page) == ["second", "first"]
    page.evaluate(HIDE, False)
    expect(page.locator(ROWS)).to_have_count(3)


def test_an_empty_inbox_fills(browser: Browser, pages_daemon: RunningDaemon) -> None:
    address = new_address()
    with Client(pages_daemon) as stranger, visiting(browser, stranger) as page:
        listening(page, address)
        expect(page.get_by_role("heading", name="No messages yet")).to_be_visible()
        send(pages_daemon, address, "<b>first</b>")
        expect(page.get_by_role("link", name="<b>first</b>")).to_be_visible()


def test_a_list_by_keyboard(page: Page, inbox: str) -> None:
    page.goto(f"/inbox/{inbox}")
    press(page, "j")
    expect(page.get_by_role("link", name="second")).to_be_focused()
    press(page, "ArrowDown")
    expect(page.get_by_role("link", name="first")).to_be_focused()
    press(page, "x")
    expect(page.get_by_label("Select first")).to_be_checked()
    press(page, "k")
    press(page, "s")
    page.wait_for_url(f"**/inbox/{inbox}")
    expect(page.locator(".star.on")).to_have_count(1)
    press(page, "?")
    expect(page.get_by_role("dialog")).to_contain_text("Open the message")
    press(page, "Escape")
    press(page, "j")
    press(page, "j")
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    page.on("dialog", answer)
    press(page, "#")
    expect(page.get_by_text("1 message deleted")).to_be_visible()
    assert asked == ["Delete it?"]
    assert subjects(page) == ["second"]
    press(page, "j")
    press(page, "o")
    expect(page.get_by_role("heading", name="second")).to_be_visible()


def test_a_message_by_keyboard(page: Page, inbox: str) -> None:
    page.goto(f"/inbox/{inbox}")
    page.get_by_role("link", name="second").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("second")
    for key, seen in (("j", "first"), ("k", "second"), ("ArrowRight", "first")):
        press(page, key)
        expect(page.get_by_role("heading", level=1)).to_have_text(seen)
    press(page, "s")
    expect(page.get_by_role("button", name="Starred")).to_be_visible()
    press(page, "u")
    expect(page.get_by_role("heading", level=1)).to_have_text(inbox)


def test_what_is_seen_is_read(page: Page, client: Client, inbox: str) -> None:
    page.goto(f"/inbox/{inbox}")
    expect(page.locator(".unread")).to_have_count(2)
    path = page.get_by_role("link", name="second").get_attribute("href") or ""
    client.get(path)
    client.session.head(client.base + path, timeout=30)
    client.get(f"{path}/html")
    page.reload()
    expect(page.locator(".unread")).to_have_count(2)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("link", name="second").click()
    expect(page.get_by_role("button", name="Mark as unread")).to_be_visible()
    page.goto(f"/inbox/{inbox}")
    expect(page.locator(".unread")).to_have_count(1)
    page.get_by_role("link", name="second").click()
    page.get_by_role("button", name="Mark as unread").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(inbox)
    expect(page.locator(".unread")).to_have_count(2)


def test_a_code_is_copied(browser: Browser, client: Client, inbox: str) -> None:
    rights = ["clipboard-read", "clipboard-write"]
    with visiting(browser, client, permissions=rights) as page:
        page.goto(f"/inbox/{inbox}")
        page.get_by_role("link", name="second").click()
        expect(page.locator(".codes button")).to_be_visible()
        press(page, "y")
        expect(page.locator(".codes button")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == "493201"


def test_all_of_it_without_scripts(browser: Browser, client: Client, inbox: str) -> None:
    with visiting(browser, client, java_script_enabled=False) as page:
        page.goto(f"/inbox/{inbox}")
        page.get_by_role("link", name="first").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_text("page of first")).to_be_visible()
        page.get_by_role("link", name="Text").click()
        expect(page.get_by_text("text of first")).to_be_visible()
        page.get_by_role("button", name="Mark as read").click()
        page.get_by_role("link", name=inbox).click()
        expect(page.locator(".unread")).to_have_count(1)
        page.get_by_label("Select second").check()
        page.locator(".toolbar").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("1 message deleted")).to_be_visible()
        page.get_by_text("Empty").click()
        page.get_by_role("button", name="Delete all").click()
        expect(page.get_by_role("heading", name="No messages yet")).to_be_visible()


def test_everybody_can_use_it(
    page: Page, pages_daemon: RunningDaemon, inbox: str, axe: Axe
) -> None:
    message = letter("third", "Your code is 493201 https://a.example/", "<p>page")
    message.add_attachment(png(4, 4), maintype="image", subtype="png", filename="a.png")
    pages_daemon.send(inbox, message.as_string())
    page.goto(f"/inbox/{inbox}")
    page.locator(".star").first.click()
    axe(page)
    page.locator("#more summary").click()
    axe(page)
    page.goto(f"/inbox/{new_address()}")
    axe(page)
    page.goto(f"/inbox/{inbox}")
    path = page.get_by_role("link", name="third").get_attribute("href")
    for view in ("html", "text", "source", "headers", "attachments", "links", "links&show=1"):
        page.goto(f"{path}?view={view}")
        axe(page)
