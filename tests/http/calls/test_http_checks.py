"""Checks of a message by the API: which are made, what they answer, and for whom."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted

from mailsacd.mail.checks.catalogue import checks_of_message
from mailsacd.store.pool import Database
from tests.http.society import PUBLIC, Society, society

MAIL = b"From: a@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made


async def checked(people: Society, message_id: str, query: str = "") -> Any:
    target = f"/api/addresses/{PUBLIC}/messages/{message_id}/checks{query}"
    return await people.json("nobody", "GET", target)


@pytest_twisted.ensureDeferred
async def test_all_that_ask_nobody_are_made_unless_some_are_named(people: Society) -> None:
    message_id = await people.deliver(PUBLIC, MAIL)
    whole = await checked(people, message_id)
    assert whole["_id"] == message_id
    assert [each["name"] for each in whole["checks"]] == list(checks_of_message())
    assert whole["score"] == min(each["score"] for each in whole["checks"] if each["score"])
    some = await checked(people, message_id, "?checks=size,headers,size")
    assert [each["name"] for each in some["checks"]] == ["size", "headers"]
    headers = next(each for each in whole["checks"] if each["name"] == "headers")
    assert some["checks"][1] == headers
    told = {reason["text"].partition(" (")[0]: reason for reason in headers["reasons"]}
    assert told["There is no Date"]["points"] == 20
    assert set(told["There is no Date"]) == {"points", "text", "where", "more"}


@pytest_twisted.ensureDeferred
async def test_a_fault_in_the_names_is_named(people: Society) -> None:
    message_id = await people.deliver(PUBLIC, MAIL)
    for given in ("nonsense", "size,,headers", "Size"):
        target = f"/api/addresses/{PUBLIC}/messages/{message_id}/checks?checks={given}"
        answer = await people.ask("nobody", "GET", target)
        assert answer.status == 400
        (fault,) = answer.json()["faults"]
        assert fault["field"] == "checks"
        assert "is none of headers, unsubscribe, size" in fault["message"]
