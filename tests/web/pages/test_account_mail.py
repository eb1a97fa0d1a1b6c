"""All mail of an account on one page: folders, labels, search, and what is done with several."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

import pytest

from mailsacd.web.pages.account_mail import PER_PAGE
from tests.web.client import TIMEOUT_S, Client


@dataclass
class Owner:
    """Somebody with two addresses."""

    client: Client
    one: str
    two: str

    def send(self, to: str, subject: str, sender: str = "Ann <ann@elsewhere.example>") -> None:
        """Have a message arrive."""
        content = f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nThe first words\r\n"
        self.client.daemon.send(to, content)

    def subjects(self, path: str = "/messages") -> list[str]:
        """Those of the messages on a page, in order."""
        return re.findall(r"</b> <span>([^<]*)</span>", self.client.get(path).text)

    def names(self) -> dict[str, str]:
        """What the messages are called in the form, by their subjects."""
        page = self.client.get("/messages").text
        rows = page.split('<li class="mail')[1:]
        return {
            re.findall(r"</b> <span>([^<]*)</span>", row)[0]: re.findall(
                r'name="id" value="([^"]*)"', row
            )[0]
            for row in rows
        }

    def do(self, *names: str, **fields: Any) -> str:
        """Do it with the messages so called; what the page says then."""
        self.client.post("/messages", {"id": list(names), **fields})
        page = self.client.get("/messages").text
        return page.partition('role="status">')[2].partition("<")[0]


@pytest.fixture
def owner(client: Client) -> Owner:
    domain = f"{secrets.token_hex(6)}.example"
    client.sign_up()
    for name in ("one", "two"):
        client.get("/addresses")
        client.post("/addresses", {"address": f"{name}@{domain}"})
    return Owner(client, f"one@{domain}", f"two@{domain}")


def test_an_account_is_needed(client: Client) -> None:
    assert client.get("/messages", 303).headers["location"] == "/sign-in?next=/messages"


def test_mail_of_all_addresses_is_there_newest_first(owner: Owner) -> None:
    assert "No mail yet" in owner.client.get("/messages").text
    owner.send(owner.one, "first & foremost")
    owner.send(owner.two, "second")
    assert owner.subjects() == ["second", "first &amp; foremost"]
    page = owner.client.get("/messages").text
    assert f'<span class="tag where">{owner.two}</span>' in page
    assert "The first words" in page
    assert f'href="/inbox/{owner.one}/' in page


def test_folders_labels_and_stars_are_lists(owner: Owner) -> None:
    for subject in ("a", "b", "c"):
        owner.send(owner.one if subject == "a" else owner.two, subject)
    names = owner.names()
    assert owner.do(names["a"], names["b"], action="move", folder="trash").startswith("2 messages")
    assert owner.do(names["b"], names["c"], action="label", label="of May").startswith("2 mess")
    assert owner.do(names["c"], action="star") == "1 message starred"
    assert owner.subjects("/messages?folder=trash") == ["b", "a"]
    assert owner.subjects("/messages?folder=inbox") == ["c"]
    assert owner.subjects("/messages?label=of+May") == ["c", "b"]
    assert owner.subjects("/messages?label=of+May&folder=trash") == ["b"]
    assert owner.subjects("/messages?starred=1") == ["c"]
    owner.client.get("/messages?folder=attic", 400)
    assert owner.do(do=f"delete {names['a']}") == "1 message deleted"
    assert owner.subjects() == ["c", "b"]
    assert owner.do(names["b"], action="read") == "1 message marked as read"
    assert owner.subjects("/messages?unread=1") == ["c"]
    assert owner.do(names["a"], action="read") == "No message was selected"
    assert owner.do(names["b"], action="unlabel", label="of May").endswith("labelled of May")


def test_search_narrows(owner: Owner) -> None:
    owner.send(owner.one, "red apple", "Ann <ann@a.example>")
    owner.send(owner.two, "red pear", "Eve <eve@b.example>")
    assert owner.subjects("/messages?query=RED") == ["red pear", "red apple"]
    assert owner.subjects("/messages?query=red&from=eve") == ["red pear"]
    assert owner.subjects(f"/messages?to={owner.one}") == ["red apple"]
    assert owner.subjects("/messages?subject=apple&from=eve") == []
    page = owner.client.get("/messages?query=%3E%3Cscript%3E").text
    assert "<script>" not in page.partition("<main")[2]
    assert "No message has that" in page


def test_the_search_field_takes_the_language(owner: Owner) -> None:
    owner.send(owner.one, "red apple")
    owner.send(owner.two, "red pear", "Eve <eve@b.example>")
    assert owner.subjects("/messages?query=red+-from:eve") == ["red apple"]
    assert owner.subjects('/messages?query="first+words"+to:' + owner.two) == ["red pear"]
    assert owner.subjects("/messages?query=apple+OR+pear&from=eve") == ["red pear"]
    page = owner.client.get("/messages?query=re:+%3Cb%3E", 400).text
    assert "The query is wrong at character 1: there is no re:" in page
    assert 'value="re: &lt;b&gt;"' in page


def test_a_search_is_saved_as_a_tag_and_forgotten(owner: Owner) -> None:
    owner.send(owner.one, "red apple")
    owner.client.get("/messages?query=red")
    fields = {"query": "subject:red", "name": "Reds", "action": "save"}
    to = owner.client.post("/messages/searches", fields).headers["location"]
    assert to == "/messages?query=tag%3Areds"
    assert owner.subjects(to) == ["red apple"]
    assert "Forget this search" in owner.client.get(to).text
    assert 'query=tag%3Areds">tag:reds</a>' in owner.client.get("/messages").text
    owner.client.post("/messages/searches", {**fields, "name": "two words"})
    assert "It is not saved: name has to be 1 to 50" in owner.client.get("/messages").text
    owner.client.post("/messages/searches", {"name": "reds", "action": "forget"})
    assert "The search is forgotten" in owner.client.get("/messages").text
    owner.client.get(to, 400)


def test_long_lists_have_pages_that_forms_come_back_to(owner: Owner) -> None:
    for place in range(PER_PAGE + 2):
        owner.send(owner.one, f"number {place}")
    page = owner.client.get("/messages")
    assert len(page.content) < 51_200
    assert f'href="/messages?skip={PER_PAGE}"' in page.text
    second = f"/messages?skip={PER_PAGE}"
    assert owner.subjects(second) == ["number 1", "number 0"]
    assert f'name="back" value="{second}"' in owner.client.get(second).text
    name = next(iter(owner.names().values()))
    to = owner.client.post("/messages", {"id": name, "action": "read", "back": second})
    assert to.headers["location"] == second
    assert len(owner.subjects("/messages?query=number")) == PER_PAGE
    assert owner.subjects(f"/messages?query=number&skip={PER_PAGE}") == ["number 1", "number 0"]


def test_nobody_does_anything_with_others_mail(owner: Owner) -> None:
    owner.send(owner.one, "mine")
    name = owner.names()["mine"]
    with Client(owner.client.daemon) as other:
        other.sign_up()
        other.get("/messages")
        assert "No mail yet" in other.get("/messages").text
        other.get("/")
        other.post("/messages", {"id": name, "action": "delete"}, 403)
    assert owner.subjects() == ["mine"]
    answer = owner.client.session.post(
        f"{owner.client.base}/messages", {"id": name, "action": "delete"}, timeout=TIMEOUT_S
    )
    assert answer.status_code == 403


def test_what_is_no_message_is_passed_over(owner: Owner) -> None:
    owner.client.get("/")
    owner.client.post("/messages", {"id": f"{owner.one}/unknown", "action": "read"})
    owner.client.post("/messages", {"id": "nonsense", "action": "read"}, 400)
    owner.client.post("/messages", {"id": f"{owner.one}/x", "action": "paint"}, 400)
