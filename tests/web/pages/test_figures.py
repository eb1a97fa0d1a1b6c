"""Dashboard, usage and activity of an account."""

import re
import secrets
import time
from html import unescape
from typing import Any

import pytest
import requests

from tests.end_to_end.command import told
from tests.patience import PATIENCE_S
from tests.web.client import Client


@pytest.fixture
def key(client: Client) -> str:
    """Of an account that ``client`` has signed in to."""
    client.sign_up()
    made = client.session.post(f"{client.base}/api/credentials/keys", json={"name": "<of tests>"})
    return str(made.json()["key"])


def call(client: Client, key: str, method: str, path: str, **json: Any) -> requests.Response:
    """A call with the key, and without the session."""
    return requests.request(
        method, f"{client.base}/api{path}", headers={"Mailsac-Key": key}, json=json, timeout=30
    )


def words(page: requests.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


def test_an_empty_account_has_all_three(client: Client) -> None:
    client.sign_up()
    assert "None is reserved" in client.get("/dashboard").text
    assert "None in the last thirty days." in client.get("/usage").text
    assert "Signed in" in client.get("/activity").text
    assert "Nothing of this kind" in client.get("/activity?kind=sent").text


@pytest.mark.parametrize("path", ["/dashboard", "/usage", "/activity?kind=sent"])
def test_they_are_for_accounts(client: Client, path: str) -> None:
    to = client.get(path, 303).headers["location"]
    assert to.startswith("/sign-in?next=/")


def test_the_dashboard_has_the_numbers_and_the_inboxes(client: Client, key: str) -> None:
    mine, public = f"{secrets.token_hex(4)}@mine.example", f"{secrets.token_hex(4)}@public.example"
    assert call(client, key, "POST", f"/addresses/{mine}").ok
    for address in (mine, mine, public):
        client.daemon.send(address, "Subject: hello\r\n\r\nhello\r\n")
    (found,) = call(client, key, "GET", f"/addresses/{public}/messages").json()
    assert call(client, key, "PUT", f"/addresses/{public}/messages/{found['_id']}/star").ok
    assert call(client, key, "PUT", "/me", recents=["some@where.example"]).ok
    page = client.get("/dashboard")
    assert "Messages kept 3 of 100,000" in words(page)
    assert "Private addresses 1 of 1,000" in words(page)
    assert "Starred in others' inboxes" in words(page)
    for address in (mine, public, "some@where.example"):
        assert f'href="/inbox/{address}"' in page.text
    assert page.text.count('<span class="tag ">Received</span>') == 2
    assert len(page.content) < 50_000


def test_usage_tells_kinds_keys_and_domains(client: Client, key: str) -> None:
    domain = f"{secrets.token_hex(4)}.example"
    for name in ("a", "b"):
        call(client, key, "POST", f"/addresses/{name}@{domain}")
    client.daemon.send(f"a@{domain}", "Subject: hello\r\n\r\nhello\r\n")
    end = time.monotonic() + PATIENCE_S  # what was counted is written down every few seconds
    page = client.get("/usage")
    while not ("<of tests> 2" in words(page) and domain in page.text) and time.monotonic() < end:
        time.sleep(0.1)
        page = client.get("/usage")
    assert "<of tests> 2" in words(page)
    assert "&lt;of tests&gt;" in page.text
    assert re.search(rf"Domain Messages Size {re.escape(domain)} 1 \d+ B", words(page))
    assert 'class="series-0"' in page.text
    assert re.search(r"<title[^>]*>Operations by month</title>", page.text)
    assert "style=" not in page.text
    assert len(page.content) < 50_000


def test_who_has_used_most_of_it_is_warned(client: Client) -> None:
    name = client.sign_up()
    key = client.session.post(f"{client.base}/api/credentials/keys", json={}).json()["key"]
    told(client.daemon.data_dir, "account", "set", name, "--limit", "ops_per_month=5")
    for _ in range(4):
        call(client, key, "GET", "/me")
    assert "80 % of this month's operations are used" in words(client.get("/dashboard"))
    call(client, key, "GET", "/me")
    assert "calls with a key are refused until the month ends" in words(client.get("/dashboard"))
    told(client.daemon.data_dir, "account", "set", name, "--limit", "message_limit=0")
    assert "All of the 0 messages" not in words(client.get("/dashboard"))


def test_activity_is_paged_and_filtered(client: Client, key: str) -> None:
    mine = f"{secrets.token_hex(4)}@mine.example"
    call(client, key, "POST", f"/addresses/{mine}")
    for number in range(53):
        client.daemon.send(mine, f"Subject: {number}\r\n\r\n")
    page = client.get("/activity?kind=received")
    assert page.text.count("<li><time") == 50
    assert '<option value="received" selected>' in page.text
    assert 'href="/activity?skip=50&amp;kind=received"' in page.text
    rest = client.get("/activity?kind=received&skip=50")
    assert rest.text.count("<li><time") == 3
    assert 'href="/activity?kind=received"' in rest.text
    newest = call(client, key, "GET", f"/addresses/{mine}/messages?limit=1").json()[0]["_id"]
    assert f'href="/inbox/{mine}/{newest}"' in page.text
    client.get("/activity?skip=x", 400)
