"""The start, and the way to an inbox."""

import re

from mailsacd.web.assets import path_of
from tests.web.client import PASSWORD, Client


def test_the_start_offers_an_address_that_nobody_has_used(client: Client) -> None:
    first = client.get("/")
    found = re.findall(r'href="/inbox/([a-z]{12}[0-9]{2}@[^"]+)"', first.text)
    assert len(found) == 1
    assert found[0] not in client.get("/").text
    assert len(first.content) < 50_000


def test_an_address_leads_to_its_inbox(client: Client) -> None:
    for given, inbox in (
        ("Jeff%2Bx@Example.com", "jeff@example.com"),
        ("%20jeff%20", "jeff@"),
        ("j%C3%A4ff@example.com", "j%C3%A4ff@example.com"),
        ("a%2Fb@example.com", "a%2Fb@example.com"),
    ):
        to = client.get(f"/inbox?address={given}", 303).headers["location"]
        assert to.startswith(f"/inbox/{inbox}")
    assert client.get("/inbox", 303).headers["location"] == "/"
    assert "address" in client.get("/inbox?address=a@b@c@", 400).text


def test_colours_are_remembered(client: Client) -> None:
    page = client.get("/sign-in")
    assert "data-theme" not in page.text
    assert 'name="stay" value="true"' in page.text
    dark = {"theme": "dark", "stay": "true"}
    back = client.post("/theme", dark, Referer=f"{client.base}/sign-in")
    assert back.headers["location"] == "/sign-in"
    assert '<html lang="en" data-theme="dark">' in client.get("/sign-in").text
    client.post("/theme", {"theme": "<b>"}, 400)
    system = {"theme": "", "stay": "true"}
    elsewhere = client.post("/theme", system, Referer="http://evil.example//evil.example/")
    assert elsewhere.headers["location"] == "/"
    assert "data-theme" not in client.get("/sign-in").text


def test_colours_do_not_lead_back_to_where_only_a_form_leads(client: Client) -> None:
    client.sign_up()
    client.get("/account/security")
    only_sent = "/account/security/second-factor"
    for sent in (
        client.post(only_sent, {"password": PASSWORD}, 200),
        client.post(only_sent, {"password": PASSWORD, "form_token": "expired"}, 403),
    ):
        assert 'name="stay"' not in sent.text
    client.get("/")
    to = client.post("/theme", {"theme": "dark"}, Referer=f"{client.base}{only_sent}")
    assert to.headers["location"] == "/"


def test_a_form_of_another_site_is_refused(client: Client) -> None:
    client.get("/")
    client.post("/theme", {"theme": "dark", "form_token": "0" * 64}, 403)
    client.post("/theme", {"theme": "dark"}, 403, **{"Sec-Fetch-Site": "cross-site"})
    client.post("/theme", {"theme": "dark"}, 403, Origin="http://evil.example")
    client.session.cookies.clear()
    client.post("/theme", {"theme": "dark"}, 403)


def test_what_pages_load_is_kept_for_good(client: Client) -> None:
    style = client.get(path_of("style.css"))
    assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/web/older/style.css").headers["cache-control"] == "no-cache"
    for path in ("/web/x/nothing.css", "/web/x/..%2Fvisit.py", "/web/x/__init__.py"):
        client.get(path, 404)
    page = client.get("/")
    assert path_of("style.css") in page.text
    assert page.headers["cache-control"] == "no-store"


def test_what_robots_and_browsers_ask_for_unasked(client: Client) -> None:
    robots = client.get("/robots.txt")
    assert robots.headers["content-type"] == "text/plain; charset=utf-8"
    assert robots.text == "User-agent: *\nDisallow: /\n"
    icon = client.get("/favicon.ico")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.content == client.get(path_of("icon.svg")).content
