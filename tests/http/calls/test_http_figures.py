"""Statistics, activity, validation, denylist and usage, by HTTP and SMTP of a whole daemon."""

import hashlib
import json
import smtplib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.names import dns

from mailsacd.assembly.daemon import Daemon
from mailsacd.configuration import load_settings
from mailsacd.core.account import new_key
from mailsacd.core.ready import read_ready
from mailsacd.http.calls.validations import MAX_EMAILS
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.receiving.denylist_entry import allow, deny
from mailsacd.store.accounts import add_account
from mailsacd.store.keys import add_key
from mailsacd.store.pool import Database
from tests.http.client import Answer, ask
from tests.http.declared import Specification
from tests.outbound.name_server import NameServer

reactor: Any = the_reactor

CONTENT = b"<script>alert(1)</script>"
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
COMMON = "/api/mailstats/common-attachments"


@dataclass
class House:
    database: Database
    names: NameServer
    ports: dict[str, int]
    specification: Specification
    keys: dict[str, str] = field(default_factory=dict)

    async def ask(self, target: str, method: str = "GET", who: str = "", **more: Any) -> Answer:
        headers = {"Mailsac-Key": self.keys[who]} if who else {}
        if "json" in more:
            headers["Content-Type"] = "application/json"
            more["body"] = json.dumps(more.pop("json")).encode()
        answer = await ask(
            reactor, self.ports["http"], target, method=method, headers=headers, **more
        )
        self.specification.check(method, target, answer)
        return answer

    async def json(self, target: str, method: str = "GET", who: str = "", **more: Any) -> Any:
        answer = await self.ask(target, method, who, **more)
        assert answer.status == 200, answer
        return answer.json()

    async def denied(self, count: int) -> None:
        """Wait until the daemon knows of so many entries."""
        deadline = reactor.seconds() + 20
        while len(await self.json("/api/mailstats/blacklist")) != count:
            assert reactor.seconds() < deadline
            await deferLater(reactor, 0.01)

    async def send(self, *to: str, sender: str = "bob@x.example", attached: bool = False) -> None:
        """By SMTP; raises smtplib's errors."""
        message = EmailMessage()
        message["From"] = sender
        message["Subject"] = "hi"
        message.set_content("hello")
        if attached:
            message.add_attachment(CONTENT, "text", "html", filename="a.html")

        def session() -> None:
            with smtplib.SMTP("127.0.0.1", self.ports["smtp"], timeout=20) as client:
                client.sendmail(sender, list(to), message.as_bytes())

        await deferToThread(session)


@pytest_twisted.async_yield_fixture
async def house(database: Database, database_dsn: str) -> AsyncIterator[House]:
    names = NameServer(reactor)
    with tempfile.TemporaryDirectory(prefix="mailsacd-test-") as directory:
        options = [f"database.dsn={database_dsn}", f"server.data_dir={directory}"]
        options += [
            "smtp.port=0",
            "capture.port=0",
            "submission.port=0",
            "pop3.port=0",
            "http.port=0",
            "database.connections=2",
        ]
        options += [f"dns.servers=['127.0.0.1:{names.port}']", "dns.timeout_s=0.3"]
        daemon = Daemon(load_settings(None, {}, options), reactor, owns_process=False)
        keys = {}
        for name in ("ann", "carl"):
            assert await add_account(database, name, f"{name}@owner.example", "default", None)
            keys[name] = new_key()
            assert await add_key(database, f"id-{name}", name, "test", hash_of(keys[name]))
        await daemon.start()
        try:
            ready = read_ready(Path(directory))
            assert ready is not None
            document = (await ask(reactor, ready.ports["http"], "/openapi.json")).json()
            yield House(database, names, ready.ports, Specification(document), keys)
        finally:
            await daemon.stop()
            await names.stop()


@pytest_twisted.ensureDeferred
async def test_public_mail_is_counted_and_private_mail_is_not(house: House) -> None:
    await house.json("/api/addresses/mine@p.example", "POST", "ann")
    await house.send("mine@p.example", attached=True)
    await house.send("a@one.example", "b@two.example", attached=True)
    await house.send("a@one.example", sender="carol@y.example")
    top = "/api/mailstats/top-"
    assert await house.json(f"{top}addresses") == [
        {"_id": "a@one.example", "n": 2},
        {"_id": "b@two.example", "n": 1},
    ]
    assert await house.json(f"{top}senders") == [
        {"_id": "bob@x.example", "n": 2},
        {"_id": "carol@y.example", "n": 1},
    ]
    assert await house.json(f"{top}domains?limit=1") == [{"_id": "one.example", "n": 2}]
    assert await house.json(f"{top}domains?limit=1&skip=1") == [{"_id": "two.example", "n": 1}]
    assert await house.json(f"{top}addresses?endDate=2001-01-01") == []
    assert await house.json(f"{top}addresses?startDate=2001-01-01&endDate=9999-12-31") != []
    assert await house.json(COMMON) == [{"_id": MD5, "n": 2}]
    assert await house.json(f"{COMMON}/{MD5}/count") == {"n": 2}
    listed = await house.json(f"{COMMON}/{MD5}", who="carl")
    assert {message["inbox"] for message in listed} == {"a@one.example", "b@two.example"}


@pytest_twisted.ensureDeferred
async def test_a_common_attachment_is_saved_and_never_shown(house: House) -> None:
    assert (await house.ask(f"{COMMON}/{MD5}/download")).status == 404
    assert await house.json(f"{COMMON}/nonsense/count") == {"n": 0}
    assert await house.json(f"{COMMON}/nonsense") == []
    await house.send("a@one.example", attached=True)
    answer = await house.ask(f"{COMMON}/{MD5}/download")
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["content-disposition"] == 'attachment; filename="a.html"'
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    message_id = (await house.json("/api/addresses/a@one.example/messages"))[0]["_id"]
    star = f"/api/addresses/a@one.example/messages/{message_id}/star"
    await house.json(star, "PUT", "ann")
    assert (await house.ask(f"{COMMON}/{MD5}/download", who="ann")).status == 404
    assert await house.json(COMMON) == []


@pytest_twisted.ensureDeferred
async def test_activity_tells_an_account_what_came_for_it(house: House) -> None:
    assert (await house.ask("/api/activity")).status == 401
    await house.json("/api/addresses/mine@p.example", "POST", "ann")
    await house.send("mine@p.example")
    [event] = await house.json("/api/activity", who="ann")
    [message] = await house.json("/api/addresses/mine@p.example/messages", who="ann")
    assert (event["kind"], event["code"], event["times"]) == ("received", 250, 1)
    assert (event["subject"], event["detail"]) == ("mine@p.example", message["_id"])
    assert await house.json("/api/activity", who="carl") == []
    assert await house.json(f"/api/activity?until={event['time']}", who="ann") == []
    assert len(await house.json(f"/api/activity?since={event['time']}&limit=1", who="ann")) == 1
    assert await house.json(f"/api/activity?kind={event['kind']}", who="ann") == [event]
    assert await house.json("/api/activity?kind=sent", who="ann") == []


@pytest_twisted.ensureDeferred
async def test_a_validation_is_there_twice(house: House) -> None:
    names = house.names.answers
    names.add("shop.example", dns.Record_MX(5, "mx.yopmail.com"), dns.Record_A("8.8.8.8"))
    answer = await house.json("/api/validations/addresses/Bob%40shop.example")
    assert answer.pop("0") == answer
    assert answer == {
        "email": "Bob@shop.example",
        "validFormat": True,
        "isValidFormat": True,
        "local": "bob",
        "domain": "shop.example",
        "isDisposable": True,
        "disposableDomains": ["yopmail.com"],
        "aliases": ["shop.example", "mx.yopmail.com", "8.8.8.8", "yopmail.com"],
    }
    emails = ["a@shop.example", "no address"]
    both = await house.json("/api/validations/addresses/", "POST", json={"emails": emails})
    assert [v["validFormat"] for v in both] == [True, False]
    assert [v["email"] for v in both] == emails
    form = await house.json("/api/validations/addresses", "POST", body=b"emails=x&emails=a%40b.c")
    assert [v["email"] for v in form] == ["x", "a@b.c"]


BAD_BODIES: tuple[tuple[Any, list[str]], ...] = (
    ({}, ["emails"]),
    ({"emails": "a@b.example"}, ["emails"]),
    ({"emails": None}, ["emails"]),
    ({"emails": []}, ["emails"]),
    ({"emails": ["a@b.example"] * (MAX_EMAILS + 1)}, ["emails"]),
    ({"emails": ["a@b.example", 7]}, ["emails[1]"]),
    ({"emails": ["a" * 1001]}, ["emails[0]"]),
    ({"emails": ["a\u0000@b.example"]}, ["emails"]),
    ({"emails": ["a@b.example"], "email": 1}, ["email"]),
    ({"email": "a@b.example"}, ["email", "emails"]),
)


@pytest.mark.parametrize(("body", "fields"), BAD_BODIES)
@pytest_twisted.ensureDeferred
async def test_each_fault_of_a_body_is_named(house: House, body: Any, fields: list[str]) -> None:
    answer = await house.ask("/api/validations/addresses", "POST", json=body)
    assert answer.status == 400
    assert sorted(f["field"] for f in answer.json()["faults"]) == sorted(fields)


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("/api/mailstats/top-addresses?limit=1001", ["limit"]),
        ("/api/mailstats/top-senders?limit=-1&skip=x", ["limit", "skip"]),
        ("/api/mailstats/top-domains?startDate=soon&endDate=2020-13-01", ["startDate", "endDate"]),
        ("/api/mailstats/top-domains?startDate=2020-02-01&endDate=2020-01-01", ["startDate"]),
        (f"{COMMON}?limit=%00", ["limit"]),
        (f"{COMMON}/{MD5}?skip=1e3", ["skip"]),
        (f"{COMMON}/%ff/count", ["md5"]),
        ("/api/mailstats/blacklist/bob@spam.example", ["domainOrIP"]),
        ("/api/mailstats/blacklist/300.1.1.1", ["domainOrIP"]),
        ("/api/mailstats/blacklist/a%00b", ["domainOrIP"]),
        ("/api/activity?since=x&until=y&limit=z", ["since", "until", "limit"]),
        ("/api/validations/addresses/%ff@x.example", ["email"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_each_fault_of_a_query_is_named(house: House, target: str, fields: list[str]) -> None:
    answer = await house.ask(target, who="ann")
    assert answer.status == 400
    assert sorted(f["field"] for f in answer.json()["faults"]) == sorted(fields)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/mailstats/top-addresses"),
        ("GET", COMMON),
        ("GET", f"{COMMON}/{MD5}/count"),
        ("GET", "/api/mailstats/blacklist"),
        ("GET", "/api/activity"),
        ("GET", "/api/validations/addresses/a@b.example"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_key_is_refused_everywhere(house: House, method: str, target: str) -> None:
    house.keys["mallory"] = "k_" + "x" * 32
    assert (await house.ask(target, method, "mallory")).status == 401


@pytest_twisted.ensureDeferred
async def test_a_denied_sender_hears_554_until_taken_back(house: House) -> None:
    assert await house.json("/api/mailstats/blacklist") == []
    await deny(house.database, "spam.example")
    await house.denied(1)
    for text, told in (("deep.SPAM.example", True), ("example", False), ("192.0.2.1", False)):
        assert await house.json(f"/api/mailstats/blacklist/{text}") == {"blacklisted": told}
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        await house.send("a@one.example", sender="x@spam.example")
    assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (554, b"5.7.1")
    await house.send("a@one.example")
    await deny(house.database, "127.0.0.0/8")
    await house.denied(2)
    with pytest.raises(smtplib.SMTPConnectError):
        await house.send("a@one.example")
    await allow(house.database, "127.0.0.0/8")
    await house.denied(1)
    await house.send("a@one.example")
    [(times,)] = await house.database.fetch(
        "select coalesce(sum(times), 0) from activity where account is not null"
    )
    assert times == 0


@pytest_twisted.ensureDeferred
async def test_over_the_limit_a_key_is_throttled(house: House) -> None:
    await house.database.run(
        "update account set overrides = '{\"ops_per_month\": 2}' where name = 'ann'"
    )
    for status in (200, 200, 429, 429):
        answer = await house.ask("/api/addresses", who="ann")
        assert answer.status == status
    assert 0 < int(answer.headers["retry-after"]) <= 31 * 86_400 + 1
    assert (await house.ask("/api/addresses", who="carl")).status == 200
    assert (await house.ask("/api/addresses/a@b.example/messages")).status == 200


@pytest_twisted.ensureDeferred
async def test_what_an_account_used_is_told_by_month_and_key_and_its_mail_by_domain(
    house: House,
) -> None:
    await house.database.run("update account set created = '2020-01-01'")
    await house.json("/api/addresses/in@mine.example", "POST", "ann")
    await house.send("in@mine.example", "in@public.example")
    for counted in range(2, 5):  # also what is not written down yet
        assert (await house.json("/api/me", who="ann"))["moAPICount"] == counted + 1
    deadline = reactor.seconds() + 20
    while not await house.json("/api/usage/inbound/daily", who="ann"):
        assert reactor.seconds() < deadline
        await deferLater(reactor, 0.1)
    [day] = await house.json("/api/usage/inbound/daily?days=2&domain=MINE.example", who="ann")
    [month] = await house.json("/api/usage/inbound/monthly?months=1", who="ann")
    assert {**day, "since": month["since"]} == month
    assert (day["domain"], day["messages"], day["bytes"] > 100) == ("mine.example", 1, True)
    assert await house.json("/api/usage/inbound/daily?domain=other.example", who="ann") == []
    assert await house.json("/api/usage/inbound/daily", who="carl") == []
    usage = await house.json("/api/usage", who="ann")
    [told] = usage["months"]
    assert told["month"] == usage["month"] == month["since"][:7]
    assert told["operations"] == usage["operations"] > 4
    assert told["kinds"]["inbound"] == 1
    assert [key["operations"] for key in told["keys"]] == [told["kinds"]["api"]]
    assert usage["usageWarning"] is None
    for bad in ("months=0", "months=14", "months=x"):
        assert (await house.ask(f"/api/usage?{bad}", who="ann")).status == 400
    assert (await house.ask("/api/usage/inbound/daily?domain=a..b", who="ann")).status == 400
