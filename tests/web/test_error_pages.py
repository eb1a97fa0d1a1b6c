"""Who gets an error as a page, and who gets it as JSON."""

import pytest

from mailsacd.web.error_pages import wants_page
from tests.web.client import BROWSER, Client


@pytest.mark.parametrize(
    ("accept", "page"),
    [(BROWSER, True), ("text/html", True), ("TEXT/HTML;q=0.5", True), ("*/*", False), ("", False),
     ("application/json, text/plain, */*", False), ("application/json,text/html;q=0.9", False),
     ("text/html;q=0", False), ("text/html;level=1;q=0.7,application/json;q=0.3", True),
     ("text/htmlx", False), (";;,,q=1", False)],
)  # fmt: skip
def test_who_wants_a_page(accept: str, page: bool) -> None:
    assert wants_page(accept.encode()) is page


def test_an_error_is_a_page_for_a_browser_and_json_for_a_program(client: Client) -> None:
    client.get("/")  # waits for the templates: until they are there, errors are JSON
    page = client.get("/nothing", 404)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "There is nothing at this URL" in page.text
    told = client.get("/nothing", 404, accept="*/*")
    assert told.headers["content-type"] == "application/json"
    assert told.json()["error"] == "Not Found"
    for path, status in (("nothing", 404), ("addresses/x/messages", 400), ("inbox", 401)):
        assert client.get(f"/api/{path}", status).headers["content-type"] == "application/json"


def test_what_a_stranger_wrote_is_text_on_the_page(client: Client) -> None:
    page = client.get("/inbox?address=%3Cscript%3Ealert(1)%3C%2Fscript%3E@x", 400)
    assert "<script>alert" not in page.text


def test_a_wrong_key_is_explained(client: Client) -> None:
    client.session.headers["Mailsac-Key"] = "k_wrong"
    page = client.get("/", 401)
    assert page.headers["www-authenticate"].startswith("Mailsac-Key")
    assert 'href="/sign-in"' in page.text
