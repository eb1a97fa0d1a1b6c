"""What operators see and change by a session, and that nobody else does."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

from mailsacd.core.account import new_token
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.store.accounts import add_account, add_login, elevate
from mailsacd.store.pool import Database
from mailsacd.store.sessions import add_session
from tests.http.client import Answer
from tests.http.society import HIDDEN_DOMAIN, OTHER, OWNER, Society, society

reactor: Any = the_reactor

OPERATOR = "theboss"
SENT = "abc@sender.example"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    nowhere = ("relay.smarthost=127.0.0.1:1", "relay.allowed_networks=127.0.0.0/8")
    settings = ("plans.big.domains=7", *nowhere)
    async with society(database, database_dsn, *settings) as made:
        assert await add_account(database, OPERATOR, "boss@example.net", "default", None)
        await database.run("update account set operator = true where name = %s", (OPERATOR,))
        assert await add_login(database, "bosses", OPERATOR, None, team=True)
        assert await elevate(database, OPERATOR, "bosses", 60)
        for who, login in (
            ("operator", OPERATOR),
            ("operator's team", "bosses"),
            ("owner's session", OWNER),
        ):
            token = new_token()
            expires = datetime.now(UTC) + timedelta(hours=1)
            await add_session(database, hash_of(token), login, expires)
            made.credentials[who] = {"Cookie": f"mailsacd_session={token}"}
        key = await made.json("operator", "POST", "/api/credentials/keys")
        made.credentials["operator's key"] = {"Mailsac-Key": key["key"]}
        await database.run("delete from audit")
        yield made


async def _ask(people: Society, method: str, path: str, body: Any = None) -> Answer:
    content = b"" if body is None else json.dumps(body).encode()
    return await people.ask("operator", method, f"/api/operator/{path}", content)


async def _json(people: Society, method: str, path: str, body: Any = None) -> Any:
    answer = await _ask(people, method, path, body)
    assert answer.status == 200, answer
    return answer.json()


async def _audited(people: Society, account: str) -> list[tuple[str, str, str, str]]:
    rows = await people.database.fetch(
        "select topic || ' ' || action, subject, detail, author || ' ' || name from audit"
        " where account = %s order by id",
        (account,),
    )
    return [(a, b, c, d) for a, b, c, d in rows]


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "accounts", None),
    ("GET", f"accounts/{OWNER}", None),
    ("PUT", f"accounts/{OWNER}", {"suspended": True}),
    ("GET", "domains", None),
    ("GET", "denylist", None),
    ("POST", "denylist", {"entry": "spam.example"}),
    ("DELETE", "denylist?entry=spam.example", None),
    ("GET", "queue", None),
    ("POST", "queue", {"change": "hold", "all": True}),
    ("GET", "queue/0abc", None),
    *(("POST", f"queue/0abc/{change}", {}) for change in ("cancel", "retry", "hold", "release")),
    ("GET", "stats", None),
    ("GET", "throttled", None),
]


@pytest_twisted.ensureDeferred
async def test_everybody_else_is_refused_whatever_there_is(people: Society) -> None:
    listed = {
        (method.upper(), path)
        for path, item in people.specification.document["paths"].items()
        if path.startswith("/api/operator/")
        for method in item
    }
    tried = {(method, "/api/operator/" + path.partition("?")[0]) for method, path, _ in CALLS}
    for value, name in {"0abc": "{outgoingId}", OWNER: "{account}"}.items():
        tried = {(method, path.replace(value, name)) for method, path in tried}
    assert tried == listed
    for method, path, body in CALLS:
        content = b"" if body is None else json.dumps(body).encode()
        for who, status in (
            ("nobody", 401),
            ("wrong key", 401),
            ("owner", 403),
            ("owner's session", 403),
            ("team", 403),
            ("operator's key", 403),
            ("operator's team", 403),
        ):
            answer = await people.ask(who, method, f"/api/operator/{path}", content)
            assert answer.status == status, (who, method, path, answer)
    assert (await people.ask("owner", "GET", "/api/me")).status == 200
    assert await people.database.fetch("select count(*) from denylist") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_who_is_no_operator_any_more_is_refused_at_once(people: Society) -> None:
    assert (await _ask(people, "GET", "accounts")).status == 200
    await people.database.run(
        "update account set operator = false; select pg_notify('mailsacd_accounts', %s)",
        (OPERATOR,),
    )
    for _ in range(100):
        if (await _ask(people, "GET", "accounts")).status == 403:
            break
    else:
        pytest.fail("is an operator still")


@pytest_twisted.ensureDeferred
async def test_accounts_are_found_and_shown(people: Society) -> None:
    everybody = await _json(people, "GET", "accounts")
    assert [a["name"] for a in everybody] == [OTHER, OWNER, OPERATOR]
    assert [a["operator"] for a in everybody] == [False, False, True]
    for query, names in (
        ("query=OWNER", [OTHER, OWNER]),  # the mail addresses are at owner.example
        ("query=boss", [OPERATOR]),
        ("query=%25", []),
        ("limit=1&skip=1", [OWNER]),
    ):
        found = await _json(people, "GET", f"accounts?{query}")
        assert [a["name"] for a in found] == names, query
    await people.deliver(f"x@{HIDDEN_DOMAIN}")
    one = await _json(people, "GET", f"accounts/{OWNER.upper()}")
    assert (one["name"], one["domains"], one["addresses"]) == (OWNER, 2, 2)
    assert (one["storedMessages"], one["storedBytes"] > 0) == (1, True)
    for absent in ("absent", "x" * 64, "%00"):
        assert (await _ask(people, "GET", f"accounts/{absent}")).status == 404


@pytest_twisted.ensureDeferred
async def test_accounts_are_changed_and_both_logs_say_so(people: Society) -> None:
    changed = await _json(
        people, "PUT", f"accounts/{OWNER}", {"plan": "big", "limits": {"domains": 3, "keys": None}}
    )
    assert (changed["plan"], changed["limits"]["domains"]) == ("big", 3)
    assert changed["overrides"] == {"domains": 3}
    await _json(people, "PUT", f"accounts/{OWNER}", {"suspended": True})
    assert (await people.ask("owner", "GET", "/api/me")).status == 401
    await _json(people, "PUT", f"accounts/{OWNER}", {"suspended": False})
    assert (await people.ask("owner", "GET", "/api/me")).status == 200
    await _json(people, "PUT", f"accounts/{OWNER}", {})
    for body in (
        {"plan": "none"},
        {"limits": {"domain": 1}},
        {"limits": {"domains": -1}},
        {"limits": {"domains": "many"}},
        {"operator": True},
        {"email": "no address"},
    ):
        assert (await _ask(people, "PUT", f"accounts/{OWNER}", body)).status == 400, body
    assert (
        await _ask(people, "PUT", f"accounts/{OWNER}", {"email": "boss@example.net"})
    ).status == 409
    assert (await _ask(people, "PUT", f"accounts/{OPERATOR}", {"suspended": True})).status == 409
    assert (await _ask(people, "PUT", "accounts/absent", {"suspended": True})).status == 404
    assert await _audited(people, OWNER) == [
        ("account changed", OWNER, "plan: default -> big, domains: 3", "operator "),
        ("account changed", OWNER, "suspended: False -> True", "operator "),
        ("account changed", OWNER, "suspended: True -> False", "operator "),
    ]
    assert await _audited(people, OPERATOR) == [
        ("operator account-changed", OWNER, "plan, overrides", f"login {OPERATOR}"),
        ("operator account-changed", OWNER, "suspended", f"login {OPERATOR}"),
        ("operator account-changed", OWNER, "suspended", f"login {OPERATOR}"),
    ]


@pytest_twisted.ensureDeferred
async def test_domains_of_all_accounts_are_found(people: Society) -> None:
    await people.json("other", "POST", "/api/domains/waits.example")
    found = await _json(people, "GET", "domains")
    assert [(d["_id"], d["owner"], d["verified"]) for d in found] == [
        (HIDDEN_DOMAIN, OWNER, True),
        ("shown.example", OWNER, True),
        ("waits.example", OTHER, False),
    ]
    for query, names in (("query=WAITS", ["waits.example"]), (f"query={OTHER}", ["waits.example"])):
        assert [d["_id"] for d in await _json(people, "GET", f"domains?{query}")] == names


@pytest_twisted.ensureDeferred
async def test_the_denylist_is_shown_and_changed(people: Society) -> None:
    network = {"entry": "192.0.2.77/24", "reason": "a flood", "for": "7d"}
    assert await _json(people, "POST", "denylist", network) == {"entry": "192.0.2.0/24"}
    await _json(people, "POST", "denylist", {"entry": "Box@Old.example", "recipient": True})
    found = await _json(people, "GET", "denylist")
    assert [(d["entry"], d["recipient"], d["expires"] is None) for d in found] == [
        ("192.0.2.0/24", False, False),
        ("box@old.example", True, True),
    ]
    assert len(await _json(people, "GET", "denylist?query=FLOOD")) == 1
    for body in (
        {},
        {"entry": "no such thing"},
        {"entry": "a.example", "for": "7 years"},
        {"entry": "a.example", "recipient": "x"},
        {"entry": "a.example", "reason": "x" * 501},
    ):
        assert (await _ask(people, "POST", "denylist", body)).status == 400, body
    gone = f"denylist?entry={quote('192.0.2.0/24', safe='')}"
    assert (await _ask(people, "DELETE", f"{gone}&recipient=true")).status == 400
    assert (await _ask(people, "DELETE", gone)).status == 204
    assert (await _ask(people, "DELETE", gone)).status == 404
    assert (await _ask(people, "DELETE", "denylist")).status == 400
    assert (
        await _ask(people, "DELETE", "denylist?entry=box@old.example&recipient=true")
    ).status == 204
    by = f"login {OPERATOR}"
    assert await _audited(people, OPERATOR) == [
        ("operator denied", "192.0.2.0/24", "7d a flood", by),
        ("operator denied", "box@old.example", "recipient", by),
        ("operator allowed", "192.0.2.0/24", "", by),
        ("operator allowed", "box@old.example", "recipient", by),
    ]


@pytest_twisted.ensureDeferred
async def test_the_queue_is_shown_and_changed_whoever_sends(people: Society) -> None:
    await people.json("owner", "POST", f"/api/addresses/{SENT}")
    mail = {"from": SENT, "subject": "hello", "text": "x"}
    ids = []
    for to in ("a@far.example", "b@away.example"):
        body = json.dumps({**mail, "to": to}).encode()
        ids.append((await people.json("owner", "POST", "/api/outgoing-messages", body))["_id"])
    for outgoing_id in ids:  # which may be tried just now, in vain
        for _ in range(200):
            if (await _ask(people, "POST", f"queue/{outgoing_id}/hold", {})).status == 200:
                break
            await deferLater(reactor, 0.05, lambda: None)
    found = await _json(people, "GET", "queue")
    assert [(m["_id"], m["account"]) for m in found] == [(ids[0], OWNER), (ids[1], OWNER)]
    assert {r["state"] for m in found for r in m["recipients"]} == {"held"}
    for query, expected in (
        ("domain=FAR.example", ids[:1]),
        (f"account={OWNER.upper()}", ids),
        (f"account={OTHER}", []),
        ("limit=1", ids[:1]),
    ):
        assert [m["_id"] for m in await _json(people, "GET", f"queue?{query}")] == expected
    assert await _json(people, "GET", f"queue/{ids[0]}") == found[0]
    assert await _json(people, "POST", "queue", {"change": "cancel", "domain": "away.example"}) == {
        "recipients": 1
    }
    assert (await _ask(people, "POST", f"queue/{ids[1]}/cancel", {})).status == 409
    ended = await _json(people, "GET", "queue?ended=true&domain=away.example")
    assert ended[0]["recipients"][0]["state"] == "cancelled"
    one = {"recipient": "a@far.example"}
    cancelled = await _json(people, "POST", f"queue/{ids[0]}/cancel", one)
    assert cancelled["recipients"][0]["state"] == "cancelled"
    assert (await _ask(people, "POST", f"queue/{ids[0]}/hold", {"recipient": "x@y"})).status == 409
    for bad in ({"change": "hold"}, {"change": "burn", "all": True}, {"all": True}):
        assert (await _ask(people, "POST", "queue", bad)).status == 400, bad
    assert (await _ask(people, "GET", "queue/0")).status == 404
    by = f"login {OPERATOR}"
    assert await _audited(people, OPERATOR) == [
        ("operator queue-hold", ids[0], "", by),
        ("operator queue-hold", ids[1], "", by),
        ("operator queue-cancel", "away.example", "", by),
        ("operator queue-cancel", ids[0], "a@far.example", by),
    ]


@pytest_twisted.ensureDeferred
async def test_figures(people: Society) -> None:
    await people.deliver("anybody@public.example")
    stats = await _json(people, "GET", "stats")
    assert (stats["stored"]["messages"], stats["stored"]["accounts"]) == (1, 3)
    assert await _json(people, "GET", "throttled?hours=24") == []
    for hours in ("0", "721", "x"):
        assert (await _ask(people, "GET", f"throttled?hours={hours}")).status == 400
