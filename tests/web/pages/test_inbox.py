"""The page of an inbox, and what its form does."""

import re
from html import unescape

import pytest

from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import new_address

HTML_IN_IT = "<script>alert(1)</script>\"'&"


@pytest.fixture
def public() -> str:
    return new_address()


def mail(subject: str, text: str = "How are you", sender: str = "Ann <ann@example.net>") -> str:
    return f"From: {sender}\r\nSubject: {subject}\r\n\r\n{text}\r\n"


def ids_of(page: str) -> list[str]:
    return re.findall(r'name="id" value="([^"]+)"', page)


def test_mail_is_listed_newest_first(
    client: Client, pages_daemon: RunningDaemon, public: str
) -> None:
    for number in range(3):
        pages_daemon.send(public, mail(f"number {number}"))
    page = client.get(f"/inbox/{public}")
    assert re.findall(r"<span>(number \d)</span>", page.text) == [f"number {n}" for n in (2, 1, 0)]
    for shown in ("<b>Ann</b>", "<i>How are you</i>", "Public", "3 messages", "Unread:"):
        assert shown in page.text
    assert "Reserve" not in page.text
    assert "Star" not in page.text
    assert "Empty" not in page.text


def test_what_strangers_write_is_text(
    client: Client, pages_daemon: RunningDaemon, public: str
) -> None:
    pages_daemon.send(public, mail(HTML_IN_IT, HTML_IN_IT, f'"{HTML_IN_IT[:25]}" <a@b.example>'))
    page = client.get(f"/inbox/{public}").text
    assert "<script>alert" not in page
    assert unescape(page).count(HTML_IN_IT) == 3  # subject, its checkbox, and the snippet


def test_an_empty_inbox_tells_how_to_send_to_it(
    client: Client, pages_daemon: RunningDaemon
) -> None:
    page = unescape(client.get("/inbox/o'neil$x@inbox.example").text)
    smtp = f"127.0.0.1:{pages_daemon.ready.ports['smtp']}"
    assert f"""curl smtp://{smtp} --mail-from me@example.net --mail-rcpt 'o'"'"'neil$x@""" in page
    assert f"swaks --server {smtp} --from me@example.net --to 'o'" in page


def test_pages_of_fifty(client: Client, pages_daemon: RunningDaemon, inbox: str) -> None:
    with pages_daemon.smtp() as smtp:
        for number in range(52):
            smtp.sendmail("a@b.example", [inbox], mail(f"number {number}").encode())
    first = client.get(f"/inbox/{inbox}").text
    assert (len(ids_of(first)), "50 of 52" in first) == (50, True)
    assert f'href="/inbox/{inbox}?skip=50" rel="next"' in first
    assert 'rel="prev"' not in first
    last = client.get(f"/inbox/{inbox}?skip=50").text
    assert re.findall(r"<span>(number \d+)</span>", last) == ["number 1", "number 0"]
    assert f'href="/inbox/{inbox}" rel="prev"' in last
    assert "There are no older messages" in client.get(f"/inbox/{inbox}?skip=100").text
    client.get(f"/inbox/{inbox}?skip=x", 400)


def test_who_reads_it_is_who_may(client: Client, pages_daemon: RunningDaemon, inbox: str) -> None:
    assert "Private, yours" in client.get(f"/inbox/{inbox}").text
    with Client(pages_daemon) as stranger:
        assert "Sign in" in stranger.get(f"/inbox/{inbox}", 401).text
        stranger.sign_up()
        assert "another account" in stranger.get(f"/inbox/{inbox}", 403).text
        stranger.post(f"/inbox/{inbox}", {"action": "empty"}, 401)
        stranger.post(f"/inbox/{inbox}", {"action": "read", "id": "x"}, 403)


def test_several_are_marked_at_once(
    client: Client, pages_daemon: RunningDaemon, inbox: str
) -> None:
    for number in range(3):
        pages_daemon.send(inbox, mail(f"number {number}"))
    here = f"/inbox/{inbox}"
    ids = ids_of(client.get(here).text)
    steps: tuple[tuple[dict[str, str], str], ...] = (
        ({"action": "read"}, "2 messages marked as read"),
        ({"action": "star"}, "2 messages starred"),
        ({"action": "star"}, "2 messages starred"),
        ({"action": "label", "label": "<b>bills"}, "2 messages labelled &lt;b&gt;bills"),
        ({"action": "move", "folder": "spam"}, "2 messages moved to spam"),
    )
    for fields, seen in steps:
        client.post(here, {"id": ids[:2], "back": here, **fields})
        page = client.get(here).text
        assert seen in page
    assert page.count("Unread:") == 1
    assert page.count("star on") == 2
    assert page.count("&lt;b&gt;bills</span>") == 2
    assert page.count("Spam</span>") == 2
    client.post(here, {"action": "move", "folder": "nowhere", "id": ids[0]}, 400)
    client.post(here, {"action": "label", "label": "x" * 101, "id": ids[0]}, 400)
    client.post(here, {"action": "nothing", "id": ids[0]}, 400)
    others: tuple[tuple[dict[str, str | list[str]], str], ...] = (
        ({"action": "label", "label": " "}, "Type a label first"),
        ({"action": "read"}, "No message was selected"),
        ({"action": "delete", "id": ["nobody's", ids[2]]}, "1 message deleted"),
        ({"do": f"unstar {ids[1]}", "id": ids[0]}, "1 message no longer starred"),
        ({"action": "empty"}, "The inbox has been emptied"),
    )
    for also, seen in others:
        client.post(here, also)
        page = client.get(here).text
        assert seen in page
    assert ids_of(page) == ids[:1]


def test_anybody_deletes_from_a_public_inbox_and_nobody_stars(
    client: Client, pages_daemon: RunningDaemon, public: str
) -> None:
    pages_daemon.send(public, mail("hello"))
    (id_,) = ids_of(client.get(f"/inbox/{public}").text)
    client.post(f"/inbox/{public}", {"do": f"star {id_}"}, 401)
    client.post(f"/inbox/{public}", {"action": "empty"}, 401)
    client.post(f"/inbox/{public}", {"do": f"delete {id_}", "form_token": "0" * 64}, 403)
    client.post(f"/inbox/{public}", {"do": f"delete {id_}"})
    assert "No messages yet" in client.get(f"/inbox/{public}").text


def test_an_address_is_reserved_on_its_page(client: Client, public: str) -> None:
    client.sign_up()
    assert "Reserve" in client.get(f"/inbox/{public}").text
    client.post(f"/inbox/{public}", {"action": "reserve"})
    page = client.get(f"/inbox/{public}").text
    assert "Private, yours" in page
    assert f'href="/addresses/{public}"' in page
    assert re.search(r"<code>inbox-[0-9a-f]{40}@inbox.example</code>", page)


def test_the_alternate_of_a_public_inbox_is_shown_when_asked_for(
    client: Client, public: str
) -> None:
    assert "<code>inbox-" not in client.get(f"/inbox/{public}").text
    page = client.get(f"/inbox/{public}?alternate=1").text
    (alternate,) = re.findall(r"<code>(inbox-[^<]+)</code>", page)
    page = client.get(f"/inbox/{alternate}").text
    assert "goes to the inbox that it stands for" in page
    assert "Public" not in page
    assert "swaks" not in page


def test_an_inbox_is_searched(client: Client, pages_daemon: RunningDaemon, public: str) -> None:
    for number in range(3):
        pages_daemon.send(public, mail(f"number {number}", f"token{number % 2} of it"))
    page = client.get(f"/inbox/{public}?query=body:token0+-subject:2").text
    assert re.findall(r"<span>(number \d)</span>", page) == ["number 0"]
    assert "1 message" in page
    assert "No message has that" in client.get(f"/inbox/{public}?query=token7").text
    wrong = client.get(f"/inbox/{public}?query=from:", 400).text
    assert "The query is wrong at character 6: a text has to follow from:" in wrong
