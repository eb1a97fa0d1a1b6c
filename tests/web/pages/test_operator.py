"""Operators look after accounts, the denylist and the queue on pages that nobody else sees."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.command import run
from tests.end_to_end.daemon import RunningDaemon, running_daemon
from tests.patience import block_until
from tests.web.client import TIMEOUT_S, Client

PATHS = (
    "/operator",
    "/operator?hours=24",
    "/operator/accounts",
    "/operator/accounts/admin",
    "/operator/domains",
    "/operator/denylist",
    "/operator/queue",
    "/operator/storage",
)
FORMS = (
    "/operator/accounts/admin",
    "/operator/denylist",
    "/operator/denylist/remove",
    "/operator/queue",
    "/operator/queue/abc/cancel",
)


@pytest.fixture(scope="module")
def operator(pages_daemon: RunningDaemon) -> Iterator[Client]:
    """An operator who has signed in."""
    with Client(pages_daemon) as client:
        _become_operator(client)
        yield client


def _become_operator(client: Client) -> str:
    name = client.sign_up()
    made = run(client.daemon.data_dir, "account", "set", name, "--operator")
    assert made.returncode == 0, made.stderr
    client.get("/")
    return name


@pytest.mark.parametrize("path", PATHS)
def test_pages_are_for_operators_alone(client: Client, operator: Client, path: str) -> None:
    assert client.get(path, 303).headers["location"].startswith("/sign-in?next=/operator")
    client.sign_up()
    page = client.get(path, 403).text
    assert 'href="/operator"' not in page
    assert 'href="/operator"' in operator.get(path).text


@pytest.mark.parametrize("path", FORMS)
def test_forms_are_for_operators_alone(client: Client, path: str) -> None:
    client.sign_up()
    client.get("/")
    fields = {"entry": "x.example", "suspended": "true", "change": "cancel", "account": "admin"}
    client.post(path, fields, 403)
    client.post(path, {**fields, "form_token": "0" * 64}, 403)


def test_an_account_is_found_changed_suspended_and_resumed(
    client: Client, operator: Client
) -> None:
    name = client.sign_up()
    page = operator.get(f"/operator/accounts?find={name.upper()[3:]}").text
    here = f"/operator/accounts/{name}"
    assert page.count(f'href="{here}"') == 1
    assert "No account has that" in operator.get("/operator/accounts?find=nobody-at-all").text
    page = operator.get(here).text
    assert "Messages</th>" in page
    operator.post(here, {"plan": "default", "email": f"new-{name}@elsewhere.example"})
    assert f"new-{name}@elsewhere.example" in operator.get(here).text
    page = operator.post(here, {"plan": "none", "email": "x@y.example"}, 400).text
    assert 'id="plan-told">is none of' in page
    page = operator.post(here, {"plan": "default", "email": "<no"}, 400).text
    assert 'id="email-told">is no mail address' in page
    assert 'value="&lt;no"' in page
    page = operator.post(here, {"suspended": "perhaps"}, 400).text
    assert 'role="alert">suspended ' in page
    operator.post(here, {"suspended": "true"})
    assert "The account is suspended" in operator.get(here).text
    assert client.session.get(f"{client.base}/api/me", timeout=TIMEOUT_S).status_code != 200
    operator.post(here, {"suspended": "false"})
    assert ">In use</span>" in operator.get(here).text
    assert client.session.get(f"{client.base}/api/me", timeout=TIMEOUT_S).status_code == 200
    operator.get("/operator/accounts/nobody-at-all", 404)


def test_an_operator_does_not_suspend_himself(operator: Client) -> None:
    own = operator.session.get(f"{operator.base}/api/me", timeout=TIMEOUT_S).json()["_id"]
    page = operator.post(f"/operator/accounts/{own}", {"suspended": "true"}, 400).text
    assert "This is your own account" in page


def test_domains_of_all_are_listed(client: Client, operator: Client) -> None:
    name, domain = client.sign_up(), f"{secrets.token_hex(6)}.example"
    client.get("/domains")
    client.post("/domains", {"domain": domain})
    page = operator.get(f"/operator/domains?find={name}").text
    assert domain in page
    assert "Not verified" in page


def test_mail_is_refused_and_taken_again(operator: Client) -> None:
    entry = f"{secrets.token_hex(6)}.example"
    operator.get("/operator/denylist")
    fields = {"entry": entry.upper(), "recipient": ["false", "true"], "for": "7d", "reason": "<b>"}
    operator.post("/operator/denylist", fields)
    page = operator.get(f"/operator/denylist?find={entry}").text
    assert "Mail to it" in page
    assert "&lt;b&gt;" in page
    operator.post("/operator/denylist/remove", {"entry": entry, "recipient": "false"}, 404)
    operator.post("/operator/denylist/remove", {"entry": entry, "recipient": "true"})
    page = operator.get(f"/operator/denylist?find={entry}").text
    assert f"Mail to {entry} is taken again" in page
    page = operator.post("/operator/denylist", {"entry": "a b", "for": ""}, 400).text
    assert 'id="entry-told">is neither' in page
    page = operator.post("/operator/denylist", {"entry": entry, "for": "soon"}, 400).text
    assert 'id="for-told">has to be a time' in page


def test_what_waits_is_held_released_and_cancelled(migrated_data: Path) -> None:
    nowhere = ("relay.smarthost=127.0.0.1:1", "relay.allowed_networks=127.0.0.0/8")
    options = (part for each in ("accounts.sign_up=open", *nowhere) for part in ("--set", each))
    with running_daemon(migrated_data, *options) as daemon, Client(daemon) as operator:
        name, domain = _become_operator(operator), f"{secrets.token_hex(6)}.example"
        here = f"/operator/queue?account={name}"
        _send(operator, f"somebody@{domain}")
        one = re.search(r'href="(/operator/queue/[0-9a-z]+)"', operator.get(here).text)
        assert one
        block_until(lambda: "1 attempt," in operator.get(one[1]).text)
        assert "Connection refused" in operator.get(one[1]).text
        page = operator.get(here).text
        assert "To &lt;all&gt;" in page
        assert f"somebody@{domain}" in page
        hold, cancel = (_action(page, change) for change in ("hold", "cancel"))
        operator.post(hold, {"back": here})
        page = operator.get(here).text
        assert "held until it is released" in page
        assert ">Held</span>" in page
        fields = {"change": "hold", "account": name, "domain": domain, "back": here}
        operator.post("/operator/queue", fields)
        assert "0 recipients: held" in operator.get(here).text
        operator.post(cancel, {"back": here})
        assert "Nothing of this is on its way" in operator.get(here).text
        assert ">Cancelled</span>" in operator.get(f"{here}&ended=true").text
        page = operator.post(cancel, {}, 400).text
        assert 'role="alert"' in page
        page = operator.post("/operator/queue", {"change": "cancel"}, 400).text
        assert "Name an account" in page
        for which in ({"account": "nobody-at-all"}, {"account": name, "domain": "a b"}):
            page = operator.post("/operator/queue", {"change": "burn", **which}, 400).text
            assert "Nothing of this is on its way" in page
        operator.get("/operator/queue?domain=a%20b", 400)


def _send(client: Client, to: str) -> None:
    address = client.reserve(f"me@{secrets.token_hex(6)}.example")
    body = {"from": address, "to": to, "subject": "To <all>", "text": "x"}
    client.call("POST", "/outgoing-messages", **body)


def _action(page: str, change: str) -> str:
    found = re.search(rf'action="(/operator/queue/[^"]+/{change})"', page)
    assert found, page
    return found[1]


def test_storage_is_told_as_it_is_counted(operator: Client) -> None:
    before = _messages(operator)
    operator.daemon.send(f"a@{secrets.token_hex(6)}.example", "Subject: x\r\n\r\nx\r\n")
    assert _messages(operator) == before + 1


def _messages(operator: Client) -> int:
    found = re.search(r"<dt>Messages</dt><dd>([\d,]+),", operator.get("/operator/storage").text)
    assert found
    return int(found[1].replace(",", ""))
