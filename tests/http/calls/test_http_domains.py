"""The calls about domains over real sockets, with name servers of their own."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.names import dns

from mailsacd.store.pool import Database
from tests.http.society import CATCH_ALL, HIDDEN_DOMAIN, OWNER, SHOWN_DOMAIN, Society, society
from tests.outbound.name_server import Network

reactor: Any = the_reactor

TARGET = "/api/domains/example.com"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str, network: Network) -> AsyncIterator[Society]:
    port = network.usual.port
    settings = [
        f'dns.servers=["127.0.0.1:{port}"]',
        f"dns.authority_port={port}",
        'dns.allowed_networks=["127.0.0.0/8"]',
        "dns.timeout_s=0.2",
        "domains.hosting=host.example",
        "domains.mail_hosts=mx.host.example",
    ]
    async with society(database, database_dsn, *settings) as made:
        yield made


@pytest_twisted.ensureDeferred
async def test_a_domain_is_added_verified_set_up_and_removed(
    people: Society, network: Network
) -> None:
    added = await people.json("owner", "POST", "/api/domains/Example.com")
    proof = added["verificationTxt"]
    assert {name: added[name] for name in ("_id", "owner", "hosted", "isPrivate")} == {
        "_id": "example.com",
        "owner": OWNER,
        "hosted": False,
        "isPrivate": True,
    }
    assert (added["verified"], added["lastVerificationErrors"]) == (False, None)
    assert {"purpose": "TXT", "type": "TXT", "name": "example.com", "value": proof,
            "published": False} in added["records"]  # fmt: skip

    failed = await people.json("owner", "PUT", f"{TARGET}/verify")
    assert not failed["verified"]
    assert proof in failed["lastVerificationErrors"]

    network.own.answers.add("example.com", dns.Record_TXT(proof.encode()))
    verified = await people.json("owner", "PUT", f"{TARGET}/verify")
    assert (verified["verified"], verified["verifiedMx"]) == (True, False)
    assert "MX record" in verified["lastVerificationErrors"]

    changed = await people.json("owner", "PUT", f"{TARGET}/privacy/false")
    assert not changed["isPrivate"]
    body = b'{"enablews": true, "isDefault": true, "catchAll": true}'
    changed = await people.json("owner", "PUT", TARGET, body)
    assert (changed["enablews"], changed["isDefault"]) == (True, True)
    found = await people.json("owner", "GET", TARGET)
    assert found["domain"] == changed
    assert found["totalMessages"] == 0
    assert found["catchAllAddress"]["_id"] == "*@example.com"
    assert found["catchAllAddress"]["catchAll"] == "example.com"
    await people.json("owner", "PUT", TARGET, b"catchAll=false")
    found = await people.json("owner", "GET", TARGET)
    assert found["catchAllAddress"]["catchAll"] is None

    removed = await people.json("owner", "DELETE", TARGET)
    assert removed["_id"] == "example.com"
    assert (await people.ask("owner", "GET", TARGET)).status == 404


@pytest_twisted.ensureDeferred
async def test_a_list_has_the_default_domain_first(people: Society) -> None:
    await people.json("owner", "PUT", f"/api/domains/{SHOWN_DOMAIN}", b'{"isDefault": true}')
    listed = await people.json("owner", "GET", "/api/domains")
    assert [domain["_id"] for domain in listed] == [SHOWN_DOMAIN, HIDDEN_DOMAIN]
    assert await people.json("other", "GET", "/api/domains") == []


@pytest_twisted.ensureDeferred
async def test_a_subdomain_of_the_operators_is_verified_at_once(people: Society) -> None:
    added = await people.json("owner", "POST", "/api/domains/team.host.example")
    assert (added["hosted"], added["verified"], added["verifiedMx"]) == (True, True, True)
    assert (await people.ask("other", "POST", "/api/domains/team.host.example")).status == 409


@pytest.mark.parametrize(
    ("who", "method", "target", "body", "status"),
    [
        ("nobody", "GET", "/api/domains", b"", 401),
        ("nobody", "POST", TARGET, b"", 401),
        ("team", "POST", TARGET, b"", 403),
        ("team", "GET", f"/api/domains/{SHOWN_DOMAIN}", b"", 200),
        ("team", "DELETE", f"/api/domains/{SHOWN_DOMAIN}", b"", 403),
        ("owner", "POST", f"/api/domains/{SHOWN_DOMAIN}", b"", 409),
        ("owner", "POST", "/api/domains/localhost", b"", 400),
        ("owner", "POST", "/api/domains/a%20b", b"", 400),
        ("owner", "POST", "/api/domains/a@b.example", b"", 400),
        ("owner", "GET", "/api/domains/..", b"", 400),
        ("owner", "GET", TARGET, b"", 404),
        ("other", "GET", f"/api/domains/{SHOWN_DOMAIN}", b"", 404),
        ("other", "DELETE", f"/api/domains/{SHOWN_DOMAIN}", b"", 404),
        ("other", "PUT", f"/api/domains/{SHOWN_DOMAIN}", b"{}", 404),
        ("other", "PUT", f"/api/domains/{SHOWN_DOMAIN}/verify", b"", 404),
        ("other", "PUT", f"/api/domains/{SHOWN_DOMAIN}/privacy/true", b"", 404),
        ("owner", "PUT", f"/api/domains/{SHOWN_DOMAIN}/privacy/maybe", b"", 400),
        ("owner", "PUT", f"/api/domains/{SHOWN_DOMAIN}", b'{"enablews": "maybe"}', 400),
        ("owner", "PUT", f"/api/domains/{SHOWN_DOMAIN}", b'{"isPrivate": true}', 200),
        ("owner", "PUT", f"/api/domains/{SHOWN_DOMAIN}", b'{"isPrivate": null}', 400),
        ("owner", "PUT", f"/api/domains/{SHOWN_DOMAIN}", b'{"isPrivat": true}', 400),
        ("owner", "PUT", f"/api/domains/{SHOWN_DOMAIN}", b"{}", 200),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_gets_what(
    people: Society, who: str, method: str, target: str, body: bytes, status: int
) -> None:
    answer = await people.ask(who, method, target, body)
    assert answer.status == status
    if who == "other":
        assert OWNER.encode() not in answer.body


@pytest_twisted.ensureDeferred
async def test_a_domain_may_be_sent_back_as_get_gave_it(people: Society) -> None:
    target = f"/api/domains/{SHOWN_DOMAIN}"
    whole = await people.json("owner", "GET", target)
    listed = [
        d
        for d in await people.json("owner", "GET", "/api/domains")
        if d["_id"] == whole["domain"]["_id"]
    ]
    for given in (whole, whole["domain"], *listed):
        changed = await people.json("owner", "PUT", target, json.dumps(given).encode())
        assert changed == {**whole["domain"], "updated": changed["updated"]}
    assert (await people.json("owner", "PUT", target, b'{"enabledws": true}'))["enablews"]
    hidden = json.dumps({**whole["domain"], "isPrivate": True}).encode()
    assert (await people.json("owner", "PUT", target, hidden))["isPrivate"]


@pytest_twisted.ensureDeferred
async def test_a_bad_domain_is_named(people: Society) -> None:
    answer = await people.ask("owner", "POST", "/api/domains/a..b")
    assert [fault["field"] for fault in answer.json()["faults"]] == ["domain"]


@pytest_twisted.ensureDeferred
async def test_the_catch_all_of_another_domain_is_not_told(people: Society) -> None:
    found = await people.json("owner", "GET", f"/api/domains/{HIDDEN_DOMAIN}")
    assert found["catchAllAddress"]["_id"] == CATCH_ALL
    found = await people.json("owner", "GET", f"/api/domains/{SHOWN_DOMAIN}")
    assert found["catchAllAddress"] is None
