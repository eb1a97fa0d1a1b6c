"""The page that tells what is wrong with a message, and the form that has its links opened."""

from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import letter, new_address

LINK = "http://127.0.0.1/offer"
HTML = f"<p>Hello <a href='{LINK}'>there</a> <a href='http://127.0.0.1/unsubscribe'>Leave</a>"


def path_of(client: Client, inbox: str) -> str:
    """Of the page about the newest message."""
    (message,) = client.call("GET", f"/addresses/{inbox}/messages?limit=1")
    return f"/inbox/{inbox}/{message['_id']}/checks"


def test_what_is_wrong_is_shown_with_its_reasons(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    pages_daemon.send(inbox, letter("<b>Hello", "as text", HTML).as_string())
    path = path_of(client, inbox)
    assert f'href="{path}">Checks</a>' in client.get(path.removesuffix("/checks")).text
    page = client.get(path).text
    for title in ("Header and parts", "Leaving the list", "Size", "Accessibility", "Pictures"):
        assert f">{title}</h2>" in page
    assert "there is no List-Unsubscribe" in page
    assert "&lt;b&gt;Hello" in page
    assert "50 of 100" in page
    assert LINK not in page


def test_links_are_opened_by_a_form_alone(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    pages_daemon.send(inbox, letter("Hello", "as text", HTML).as_string())
    path = path_of(client, inbox)
    client.get(path)
    page = client.post(path, {}, 200).text
    assert "It leads to what is not on the public Internet" in page
    assert LINK in page
    assert "1 link of 2 opened" in page
    assert "Not opened, since it looks as if it left a list" in page
    assert "2 links of 2 opened" in client.post(path, {"follow": "all"}, 200).text


def test_nobody_without_an_account_has_links_opened(
    client: Client, pages_daemon: RunningDaemon
) -> None:
    inbox = new_address()
    pages_daemon.send(inbox, letter("Hello", "as text", HTML).as_string())
    path = path_of(client, inbox)
    page = client.get(path).text
    assert "Open the links" not in page
    assert f'/sign-in?next={path.replace("/", "%2F").replace("@", "%40")}"' in page
    assert client.post(path, {}, 303).headers["location"].startswith("/sign-in")
