"""A test of a webhook: posted once, signed as everything is, of a message stored nowhere."""

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.store.pool import Database
from tests.http.calls.test_http_webhooks import DELIVERIES, SECRET, receiver
from tests.http.society import HIDDEN_DOMAIN, PRIVATE, PUBLIC, Society, society
from tests.jobs.station import verify
from tests.outbound.receiver import Receiver, status
from tests.patience import PATIENCE_S, until

__all__ = ["receiver"]

reactor: Any = the_reactor
TEST = f"/api/addresses/{PRIVATE}/webhook-test"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    allowed = 'webhook.allowed_networks=["127.0.0.0/8"]'
    async with society(database, database_dsn, allowed) as made:
        yield made


async def _set(people: Society, **settings: Any) -> None:
    body = json.dumps(settings).encode()
    await people.json("owner", "PUT", f"/api/addresses/{PRIVATE}", body)


def _answer(code: int, _: object) -> bytes:
    return status(code)


async def _ended(people: Society) -> list[dict[str, Any]]:
    """All deliveries, by kind, when each has ended."""
    for _ in range(int(PATIENCE_S * 20)):
        found = await people.json("owner", "GET", DELIVERIES)
        if all(each["finished"] for each in found):
            break
    return sorted(found, key=lambda each: str(each["kind"]))


@pytest_twisted.ensureDeferred
async def test_each_hook_is_posted_to_once_and_nothing_is_stored(
    people: Society, receiver: Receiver
) -> None:
    await _set(people, webhook=receiver.url(), webhookSlack=receiver.url("/slack"))
    made = await people.json("team", "POST", TEST)
    assert [(d["kind"], d["state"], d["test"]) for d in made] == [
        ("webhook", "pending", True),
        ("slack", "pending", True),
    ]
    await until(lambda: len(receiver.got) == 2)
    slack, webhook = await _ended(people)
    assert (slack["state"], webhook["state"]) == ("delivered", "delivered")
    told, got = sorted(receiver.got, key=lambda g: "webhook-id" in g.headers)
    assert got.id == webhook["_id"]
    assert b"test of your webhook" in told.body
    assert b"/api/body/" not in told.body
    secret = (await people.json("owner", "GET", SECRET))["secret"]
    assert verify(got, secret)
    form = json.loads(got.body)
    assert (form["_id"], form["inbox"], form["subject"]) == (
        webhook["messageId"],
        PRIVATE,
        "A test of your webhook",
    )
    assert "No message was stored" in form["text"]
    assert form["encryptedInbox"].startswith("inbox-")
    stored = await people.deliver(PRIVATE)  # a real one has the same fields
    await until(lambda: len(receiver.got) == 4)
    (real,) = (g for g in receiver.got if g.headers.get("webhook-id") == f"{stored}-w1")
    assert json.loads(real.body).keys() == form.keys()
    count = await people.json("owner", "GET", f"/api/addresses/{PRIVATE}/message-count")
    assert count["count"] == 1


@pytest_twisted.ensureDeferred
async def test_what_the_receiver_refuses_is_told_and_not_tried_again(
    people: Society, receiver: Receiver
) -> None:
    for code in (500, 410):
        receiver.answer = partial(_answer, code)
        await _set(people, webhook=receiver.url())
        (made,) = await people.json("owner", "POST", TEST)
        for _ in range(int(PATIENCE_S * 20)):
            found = await people.json("owner", "GET", DELIVERIES)
            (told,) = (each for each in found if each["_id"] == made["_id"])
            if told["finished"]:
                break
        assert (told["state"], told["code"], told["attempts"]) == ("failed", code, 1)
        assert told["error"] == f"The answer was {code}"
        address = await people.json("owner", "GET", f"/api/addresses/{PRIVATE}")
        assert address["webhook"] == receiver.url()  # 410 is for what was not asked for
    assert len(receiver.got) == 2


@pytest_twisted.ensureDeferred
async def test_who_may_test_what_and_how_often(people: Society, receiver: Receiver) -> None:
    assert (await people.ask("owner", "POST", TEST)).status == 409
    await _set(people, webhook=receiver.url())
    for who, where, code in (
        ("nobody", PRIVATE, 401),
        ("wrong key", PRIVATE, 401),
        ("other", PRIVATE, 401),
        ("owner", PUBLIC, 404),
        ("owner", f"implicit@{HIDDEN_DOMAIN}", 404),
        ("owner", "none", 400),
    ):
        target = f"/api/addresses/{where}/webhook-test"
        assert (await people.ask(who, "POST", target)).status == code, (who, where)
    codes = [(await people.ask("owner", "POST", TEST)).status for _ in range(22)]
    assert set(codes[:20]) == {200}
    assert codes[-1] == 429


@pytest_twisted.ensureDeferred
async def test_a_test_may_be_asked_for_once_more(people: Society, receiver: Receiver) -> None:
    await _set(people, webhook=receiver.url())
    (made,) = await people.json("owner", "POST", TEST)
    await until(lambda: len(receiver.got) == 1)
    await _ended(people)
    await people.json("owner", "POST", f"{DELIVERIES}/{made['_id']}/redeliver")
    await until(lambda: len(receiver.got) == 2)
    assert receiver.got[0].body == receiver.got[1].body
