"""What was published of mail viewers like this one, each tried here: what needs a browser.

Remote content that comes in by a way round (Roundcube: CVE-2024-37383, 2025-68461, 2026-114729) is
among the pieces of tests/browser/hostile.py.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.canary import Canary, listening_canary
from tests.browser.visitor import visiting
from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import letter, new_address

MEGABYTE = 1 << 20
MARK = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
TRY_SCRIPT = """async url => {
    const script = document.createElement("script");
    const policy = globalThis.trustedTypes;
    try { script.src = url; } catch (refused) { return `refused: ${refused.name}`; }
    return policy ? "let in" : "no Trusted Types";
}"""
WITHIN_REACH = """() => {
    try { return document.querySelector("iframe").contentDocument === null; }
    catch (refused) { return true; }
}"""


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with listening_canary() as listening:
        yield listening


@pytest.fixture(scope="module")
def client(pages_daemon: RunningDaemon) -> Iterator[Client]:
    with Client(pages_daemon) as made:
        made.sign_up()
        yield made


@pytest.fixture
def inbox(client: Client) -> str:
    return client.reserve(new_address())


@pytest.fixture
def page(browser: Browser, client: Client) -> Iterator[Page]:
    with visiting(browser, client) as opened:
        yield opened


def newest(client: Client, inbox: str) -> str:
    """The path of the page of the newest message."""
    listed = client.get(f"/api/addresses/{inbox}/messages?limit=1", accept="*/*").json()
    return f"/inbox/{inbox}/{listed[0]['_id']}"


def test_what_a_mail_says_of_itself_runs_nowhere(
    page: Page, client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    """Stored XSS by subject, names, file names, labels, header fields and text."""
    mail = letter(MARK, MARK)
    mail.replace_header("From", f'"{MARK[:30]}" <a@b.example>')
    mail["X-Mark"] = MARK
    mail.add_attachment(b"x", maintype="image", subtype="png", filename=MARK)
    pages_daemon.send(inbox, mail.as_string())
    path = newest(client, inbox)
    client.get(path)
    client.post(path, {"action": "label", "label": MARK})
    page.goto(f"/inbox/{inbox}")
    for view in ("text", "source", "headers", "attachments", "links"):
        page.goto(f"{path}?view={view}")
        assert page.title() != "owned"
        assert page.locator("main img[src=x], main script").count() == 0
    expect(page.get_by_role("heading", level=1)).to_have_text(MARK)


def test_mailpit_1_19_3_no_script_comes_in_beside_ours(
    page: Page, client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    """Even with HTML of somebody's on the page no attachment would run: its URL is refused by
    Trusted Types, its type by nosniff."""
    mail = letter("script", html="<p>x")
    mail.add_attachment(b"document.title='owned'", maintype="text", subtype="javascript")
    pages_daemon.send(inbox, mail.as_string())
    path = newest(client, inbox)
    listed = client.get(
        path.replace("/inbox/", "/api/addresses/", 1).replace(f"{inbox}/", f"{inbox}/messages/")
        + "/attachments",
        accept="*/*",
    ).json()
    page.goto(path)
    url = f"/api/addresses/{path.replace('/inbox/', '').replace('/', '/messages/')}/attachments/"
    assert page.evaluate(TRY_SCRIPT, url + listed[0]["checksum"]) == "refused: TypeError"
    assert page.evaluate(WITHIN_REACH)
    assert page.title() != "owned"


def test_an_attachment_is_saved_and_not_shown(
    page: Page, client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    """PMail, Cloud Mail: HTML and SVG of others were opened on the viewer's origin."""
    mail = letter("pages")
    for subtype in ("html", "xml"):
        mail.add_attachment(
            MARK.encode(), maintype="text", subtype=subtype, filename=f"a.{subtype}"
        )
    mail.add_attachment(b"<svg/>", maintype="image", subtype="svg+xml", filename="a.svg")
    pages_daemon.send(inbox, mail.as_string())
    page.goto(f"{newest(client, inbox)}?view=attachments")
    links = page.get_by_role("link", name="Download")
    expect(links).to_have_count(3)
    for number in range(3):
        with page.expect_download() as saved:
            links.nth(number).click()
        assert saved.value.suggested_filename in {"a.html", "a.xml", "a.svg"}
    assert page.title() != "owned"


def test_no_other_site_frames_our_pages(
    browser: Browser, client: Client, canary: Canary, inbox: str
) -> None:
    """Clickjacking: a page of ours is not to be had in a frame."""
    framed = "".join(
        f"<iframe src='{client.base}{path}'></iframe>" for path in ("/", f"/inbox/{inbox}")
    )
    canary.pages["/framing"] = framed
    with visiting(browser, client) as page:
        page.goto(f"{canary.url}/framing")
        page.wait_for_timeout(300)
        assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"] * 2


def test_another_site_neither_listens_nor_reads_as_somebody(
    browser: Browser, client: Client, canary: Canary, pages_daemon: RunningDaemon, inbox: str
) -> None:
    """CVE-2026-22689: a page of anybody's listened to all mail by WebSocket."""
    pages_daemon.send(inbox, letter("secret").as_string())
    canary.pages["/listening"] = "<!doctype html><title>x</title>"
    reading = """async ([http, ws]) => {
        const closed = await new Promise((done) => {
            const socket = new WebSocket(ws);
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        });
        const answer = await fetch(http, {credentials: "include"}).catch(() => null);
        return [closed, answer && answer.status];
    }"""
    with visiting(browser, client) as page:
        page.goto(f"http://team.example:{canary.port}/listening")  # a page of this machine's may
        urls = [
            f"{client.base}/api/addresses/{inbox}/messages",
            f"{client.base.replace('http', 'ws')}/incoming-messages?addresses={inbox}",
        ]
        socket, status = page.evaluate(reading, urls)
    assert socket == "refused"
    assert status in {None, 401}


@pytest.mark.parametrize(
    "content",
    ["<p>" + "&" * MEGABYTE, "<table>" + "<tr><td>x<td>y" * 60_000, "<div>" * 60_000 + "x"],
    ids=["ampersands", "table", "depth"],
)
def test_vast_mail_leaves_the_page_usable(
    page: Page, client: Client, pages_daemon: RunningDaemon, inbox: str, content: str
) -> None:
    mail = f"Subject: vast\r\nContent-Type: text/html\r\n\r\n{content}\r\n"
    pages_daemon.send(inbox, mail)
    page.goto(newest(client, inbox), wait_until="domcontentloaded")
    expect(page.get_by_role("heading", level=1)).to_have_text("vast")
    page.get_by_role("link", name="Text").click()
    expect(page.locator(".tabs [aria-current]")).to_have_text("Text")
