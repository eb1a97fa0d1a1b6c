"""Checks of a message by the API: which are made, what they answer, and for whom."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.mail.checks.catalogue import checks_of_message
from mailsacd.store.pool import Database
from tests.http.society import PUBLIC, Society, society
from tests.outbound.receiver import OK, Posted, Receiver, status

reactor: Any = the_reactor

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


LINKS = "checks=links&follow="


def linked(receiver: Receiver) -> bytes:
    """Mail with links of each kind."""
    url = receiver.url
    return (
        f"Subject: Hello\r\nContent-Type: text/html\r\n\r\n<img src='{url('/pixel')}' width=1>"
        f"<a href='{url('/a')}'>A</a> <a href='{url('/b')}'>B</a> <a href='{url('/c')}'>C</a>"
        f"<a href='{url('/d')}'>D</a> <a href='{url('/e')}'>E</a> <a href='{url('/f')}'>F</a>"
        f"<a href='{url('/unsubscribe')}'>Leave</a> <a href='{url('/g')}'>Confirm</a>"
        "<a href='http://192.168.0.1/'>Inside</a>\r\n"
    ).encode()


def answer(asked: Posted) -> bytes:
    path = asked.lines[0].split()[1]
    leads = {"/a": "/login", "/b": "/f"}
    return status(302, f"Location: {leads[path]}") if path in leads else OK


@pytest_twisted.async_yield_fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver(reactor, answer)
    yield made
    await made.stop()


@pytest_twisted.async_yield_fixture
async def tester(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    settings = ('checks.allowed_networks=["127.0.0.0/8"]', "throttle.links_per_minute=17")
    async with society(database, database_dsn, *settings) as made:
        yield made


async def opened(people: Society, message_id: str, query: str, who: str = "owner") -> Any:
    target = f"/api/addresses/{PUBLIC}/messages/{message_id}/checks?{query}"
    (result,) = (await people.json(who, "GET", target))["checks"]
    return result


@pytest_twisted.ensureDeferred
async def test_links_are_opened_for_accounts_but_those_that_act(
    tester: Society, receiver: Receiver
) -> None:
    message_id = await tester.deliver(PUBLIC, linked(receiver))
    for query in ("checks=links", "checks=size,links&follow=all"):
        target = f"/api/addresses/{PUBLIC}/messages/{message_id}/checks?{query}"
        refused = await tester.ask("nobody", "GET", target)
        told = "An API key is needed to have links opened"
        assert (refused.status, refused.json()["message"]) == (401, told)
    await checked(tester, message_id)  # what is made by itself opens nothing
    assert receiver.got == []

    result = await opened(tester, message_id, LINKS + "safe")
    asked = sorted(got.lines[0].split()[1] for got in receiver.got)
    assert asked == ["/a", "/b", "/c", "/d", "/e", "/f", "/f"]  # and not where /a leads
    assert receiver.most_at_a_time <= 5
    assert (result["name"], result["data"]["found"], result["data"]["opened"]) == ("links", 10, 7)
    by_path = {link["url"].rpartition("/")[2]: link for link in result["data"]["links"]}
    assert by_path["a"]["stoppedBefore"] == receiver.url("/login")
    assert by_path["b"]["redirects"] == [receiver.url("/f")]
    assert [by_path[path]["leftOut"] for path in ("unsubscribe", "g", "pixel", "c")] == [
        "unsubscribe",
        "one-time",
        "tracking",
        None,
    ]
    assert by_path[""]["error"] == "192.168.0.1 is not on the public Internet"

    assert await opened(tester, message_id, LINKS + "safe", "other") == result
    assert len(receiver.got) == 7  # it was kept

    everything = await opened(tester, message_id, LINKS + "all")
    assert everything["data"]["opened"] == 10
    assert {"/unsubscribe", "/g", "/pixel", "/login"} <= {
        got.lines[0].split()[1] for got in receiver.got
    }


@pytest_twisted.ensureDeferred
async def test_an_account_has_links_opened_at_a_pace(tester: Society, receiver: Receiver) -> None:
    ids = [await tester.deliver(PUBLIC, linked(receiver)) for _ in range(3)]
    for message_id in ids[:2]:
        await opened(tester, message_id, "checks=links")
    before = len(receiver.got)
    target = f"/api/addresses/{PUBLIC}/messages/{ids[2]}/checks?checks=links"
    refused = await tester.ask("owner", "GET", target)
    assert (refused.status, len(receiver.got)) == (429, before)
    assert int(refused.headers["retry-after"]) > 0
    await opened(tester, ids[2], "checks=links", "other")  # who has a pace of his own


@pytest_twisted.ensureDeferred
async def test_links_are_not_opened_where_the_operator_says_so(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, "checks.links=false") as people:
        message_id = await people.deliver(PUBLIC, MAIL)
        target = f"/api/addresses/{PUBLIC}/messages/{message_id}/checks?checks=links"
        refused = await people.ask("owner", "GET", target)
        assert refused.status == 400
        assert "'links', which is none of" in refused.json()["faults"][0]["message"]
