"""Faults of a domain's mail, set up and told of by the API."""

import smtplib
from collections.abc import AsyncIterator

import pytest_twisted
from twisted.internet.threads import deferToThread

from mailsacd.store.pool import Database
from tests.http.society import HIDDEN_DOMAIN, OTHER, OWNER, SHOWN_DOMAIN, Society, society
from tests.patience import until_async

ensure = pytest_twisted.ensureDeferred
FAULTS = f"/api/domains/{HIDDEN_DOMAIN}/faults"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


def _rcpt(people: Society, recipient: str) -> int:
    with smtplib.SMTP("127.0.0.1", people.ports["smtp"], "c.example", 30) as client:
        client.ehlo()
        client.docmd("MAIL FROM:<a@b.example>")
        return client.docmd(f"RCPT TO:<{recipient}>")[0]


def _login(people: Society, name: str) -> int:
    with smtplib.SMTP("127.0.0.1", people.ports["capture"], "c.example", 30) as client:
        try:
            client.login(name, "x")
        except smtplib.SMTPAuthenticationError as e:
            return e.smtp_code
        return 235


@ensure
async def test_they_are_set_met_told_of_and_removed(people: Society) -> None:
    address = f"rcpt-550-5.1.1@{HIDDEN_DOMAIN}"
    assert await deferToThread(_rcpt, people, address) == 250
    empty = {
        "domain": HIDDEN_DOMAIN,
        "byAddress": False,
        "answers": False,
        "rules": [],
        "count": 0,
        "provoked": [],
    }
    assert await people.json("owner", "GET", FAULTS) == empty
    body = b"""{"byAddress": true, "rules": [{"fault": {"do": "refuse", "code": 451},
        "when": {"recipient": "full@*"}}]}"""
    set_ = await people.json("owner", "PUT", FAULTS, body)
    assert set_["rules"][0]["when"]["recipient"] == "full@*"
    assert await deferToThread(_rcpt, people, address) == 550
    assert await deferToThread(_rcpt, people, f"full@{HIDDEN_DOMAIN}") == 451
    assert await deferToThread(_login, people, f"auth-454@{HIDDEN_DOMAIN}") == 454
    found = await people.json("owner", "GET", FAULTS)
    assert found["count"] == 4  # for smtplib logs in by PLAIN, and then by LOGIN
    told = found["provoked"][3]
    wanted = {"at": "rcpt", "do": "refuse", "fault": "rcpt-550-5.1.1", "peer": "127.0.0.1"}
    assert told | wanted == told
    assert told["answer"] == "550 5.1.1 On purpose, by rcpt-550-5.1.1"
    assert [each["fault"] for each in found["provoked"][1:3]] == ["auth-454", "#0"]
    assert (await people.ask("owner", "DELETE", FAULTS)).status == 204
    assert await people.json("owner", "GET", FAULTS) == empty
    assert await deferToThread(_rcpt, people, address) == 250
    await people.json("owner", "PUT", FAULTS, body)
    await people.json("owner", "DELETE", f"/api/domains/{HIDDEN_DOMAIN}")

    async def are_gone() -> bool:  # the notice of it is on its way
        return await deferToThread(_rcpt, people, address) == 250

    await until_async(are_gone)
    rows, _ = await people.database.run("select detail from audit where action = 'changed'")
    assert ("faults by address: True, by rules: 1",) in rows


@ensure
async def test_who_may_and_what_is_refused(people: Society) -> None:
    body = b'{"byAddress": true}'
    for who, method, expected in (
        ("nobody", "GET", 401), ("nobody", "PUT", 401), ("nobody", "DELETE", 401),
        ("other", "GET", 404), ("other", "PUT", 404), ("other", "DELETE", 404),
        ("team", "GET", 200), ("team", "PUT", 403), ("team", "DELETE", 403),
    ):  # fmt: skip
        answer = await people.ask(who, method, FAULTS, body if method == "PUT" else b"")
        assert answer.status == expected, (who, method, answer)
    for wrong in (b'{"rules": [{}]}', b'{"byAddress": 1}', b'{"rules": [{"fault": {"do": "x"}}]}'):
        assert (await people.ask("owner", "PUT", FAULTS, wrong)).status == 400
    many = b'{"rules": [' + b",".join([b'{"fault": {"do": "drop"}}'] * 21) + b"]}"
    assert (await people.ask("owner", "PUT", FAULTS, many)).status == 400
    await people.json("owner", "POST", "/api/domains/unproved.example")
    unproved = await people.ask("owner", "PUT", "/api/domains/unproved.example/faults", body)
    assert unproved.status == 409
    await people.database.run(
        "insert into address (email, domain, owner) values (%s, %s, %s)",
        (f"theirs@{SHOWN_DOMAIN}", SHOWN_DOMAIN, OTHER),
    )
    await people.database.run(
        """insert into domain (name, owner, verified, verification_txt)
           select 'd' || n || '.example', %s, true, 'x' from generate_series(1, 100) n""",
        (OWNER,),
    )
    await people.database.run(
        """insert into fault_plan (domain, owner, plan)
           select 'd' || n || '.example', %s, '{}' from generate_series(1, 100) n""",
        (OWNER,),
    )
    assert (await people.ask("owner", "PUT", FAULTS, body)).status == 409, "it has 100"
    shown = f"/api/domains/{SHOWN_DOMAIN}/faults"
    assert (await people.ask("owner", "PUT", shown, body)).status == 409
