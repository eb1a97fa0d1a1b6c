"""The calls about webhooks: each account sees and moves its own."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.store.pool import Database
from tests.http.society import OWNER, PRIVATE, Society, society
from tests.jobs.station import verify
from tests.outbound.receiver import OK, Receiver, status
from tests.patience import PATIENCE_S, until

reactor: Any = the_reactor

DELIVERIES = "/api/webhooks/deliveries"
SECRET = "/api/webhooks/secret"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    allowed = 'webhook.allowed_networks=["127.0.0.0/8"]'
    async with society(database, database_dsn, allowed) as made:
        yield made


@pytest_twisted.async_yield_fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver(reactor)
    yield made
    await made.stop()


async def _set(people: Society, **settings: Any) -> None:
    body = json.dumps(settings).encode()
    await people.json("owner", "PUT", f"/api/addresses/{PRIVATE}", body)


async def _until(people: Society, state: str, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for _ in range(int(PATIENCE_S * 20)):
        found = await people.json("owner", "GET", f"{DELIVERIES}?state={state}")
        if len(found) == count:
            break
    assert len(found) == count, found
    return found


@pytest_twisted.ensureDeferred
async def test_what_was_delivered_is_listed_and_delivered_again(
    people: Society, receiver: Receiver
) -> None:
    await _set(people, webhook=receiver.url(), webhookSlack=receiver.url("/slack"))
    message_id = await people.deliver(PRIVATE)
    await until(lambda: len(receiver.got) == 2)  # the daemon looks every second
    slack, webhook = sorted(await _until(people, "delivered", 2), key=lambda d: str(d["kind"]))
    assert (slack["kind"], webhook["kind"]) == ("slack", "webhook")
    assert webhook == {
        "_id": f"{message_id}-w1",
        "address": PRIVATE,
        "kind": "webhook",
        "url": receiver.url(),
        "inbox": PRIVATE,
        "messageId": message_id,
        "state": "delivered",
        "attempts": 1,
        "code": 200,
        "error": "",
        "created": webhook["created"],
        "nextAttempt": None,
        "finished": webhook["finished"],
        "test": False,
    }
    again = f"{DELIVERIES}/{webhook['_id']}/redeliver"
    assert (await people.json("owner", "POST", again))["state"] == "pending"
    await until(lambda: len(receiver.got) == 3)
    assert receiver.got[2].id == webhook["_id"]
    for who, code in (("nobody", 401), ("wrong key", 401), ("other", 404)):
        assert (await people.ask(who, "POST", again)).status == code
    for unknown in ("x", "a" * 65, "%00"):
        target = f"{DELIVERIES}/{unknown}/redeliver"
        assert (await people.ask("owner", "POST", target)).status == 404
    assert await people.json("other", "GET", DELIVERIES) == []
    assert len(await people.json("team", "GET", DELIVERIES)) == 2


@pytest_twisted.ensureDeferred
async def test_lists_are_narrowed(people: Society, receiver: Receiver) -> None:
    receiver.answer = lambda _: status(500)
    await _set(people, webhook=receiver.url())
    ids = [f"{await people.deliver(PRIVATE)}-w1" for _ in range(3)]
    await until(lambda: len(receiver.got) == 3)
    await _until(people, "pending", 3)
    for query, expected in (
        ("", ids[::-1]),
        ("limit=1&skip=1", [ids[1]]),
        ("limit=0", []),
        (f"address={PRIVATE.upper()}", ids[::-1]),
        ("address=x@y.example", []),
        ("address=&state=", ids[::-1]),
        ("state=failed", []),
        ("state=delivered", []),
    ):
        found = await people.json("owner", "GET", f"{DELIVERIES}?{query}")
        assert [d["_id"] for d in found] == expected, query
    (first, *_) = await people.json("owner", "GET", DELIVERIES)
    assert (first["code"], first["error"]) == (500, "The answer was 500")
    assert first["nextAttempt"] > first["created"]
    for query, field in (("state=x", "state"), ("limit=1001", "limit"), ("address=x", "address")):
        answer = await people.ask("owner", "GET", f"{DELIVERIES}?{query}")
        assert answer.status == 400
        assert [e["field"] for e in answer.json()["faults"]] == [field]


@pytest_twisted.ensureDeferred
async def test_a_delivery_under_way_is_not_to_be_had_twice(
    people: Society, receiver: Receiver
) -> None:
    receiver.answer = lambda _: None
    await _set(people, webhook=receiver.url())
    delivery_id = f"{await people.deliver(PRIVATE)}-w1"
    await until(lambda: len(receiver.got) == 1)
    answer = await people.ask("owner", "POST", f"{DELIVERIES}/{delivery_id}/redeliver")
    assert answer.status == 409
    receiver.connections[0].say(OK)
    receiver.connections[0].close()
    await _until(people, "delivered", 1)


@pytest_twisted.ensureDeferred
async def test_the_secret_is_changed_without_a_gap(people: Society, receiver: Receiver) -> None:
    first = (await people.json("owner", "GET", SECRET))["secret"]
    assert (await people.json("owner", "GET", SECRET))["secret"] == first
    assert (await people.json("team", "GET", SECRET))["secret"] == first
    assert (await people.json("other", "GET", SECRET))["secret"] != first
    for who, code in (("nobody", 401), ("wrong key", 401), ("team", 403)):
        assert (await people.ask(who, "POST", SECRET)).status == code
    second = (await people.json("owner", "POST", SECRET))["secret"]
    assert second != first
    assert (await people.json("owner", "GET", SECRET))["secret"] == second
    await _set(people, webhook=receiver.url())
    await people.deliver(PRIVATE)
    await until(lambda: len(receiver.got) == 1)
    for secret in (first, second):
        verify(receiver.got[0], secret)
    await people.database.run(
        "update webhook_secret set rotated = rotated - interval '25 hours' where account = %s",
        (OWNER,),
    )
    await people.deliver(PRIVATE)
    await until(lambda: len(receiver.got) == 2)
    verify(receiver.got[1], second)
    with pytest.raises(AssertionError):
        verify(receiver.got[1], first)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://user:pw@example.com/", "has a user name or password in it"),
        ("http://2130706433/", "has an IP address in another form"),
        ("http://example.com:22/", "has a port that"),
        ("ftp://example.com/", "is not an http or https URL"),
        ("http://example.com/\r\nX: y", "has a control character"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_bad_url_is_refused_when_it_is_set(people: Society, url: str, problem: str) -> None:
    for field in ("webhook", "webhookSlack"):
        body = json.dumps({field: url}).encode()
        answer = await people.ask("owner", "PUT", f"/api/addresses/{PRIVATE}", body)
        assert answer.status == 400
        (error,) = answer.json()["faults"]
        assert error["field"] == field
        assert error["message"].startswith(problem)
