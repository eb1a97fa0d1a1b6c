"""`/api/addresses/{email}/wait` over real sockets: what is answered, when, and why not."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.mail.receiving.denylist_entry import deny
from mailsacd.store.pool import Database
from tests.http.client import Answer, Connection, connect
from tests.http.society import (
    CONTENT,
    HIDDEN_DOMAIN,
    IMPLICIT,
    PRIVATE,
    PUBLIC,
    SECRET,
    Society,
    society,
)
from tests.patience import until_async

reactor: Any = the_reactor

PLAIN = (
    b"From: Shop <no-reply@shop.example>\r\nTo: me@public.example\r\nSubject: Your order 17\r\n\r\n"
    b"The code is 123456\r\n"
)
EVER = "since=2000-01-01"


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(
        database, database_dsn, "wait.max_open_per_peer=3",
        "wait.max_open_per_account=2",
        "message.accepted_domains=public.example,hidden.example",
    ) as made:  # fmt: skip
        yield made
        for connection in _open:
            connection.abort()
            await connection.until_closed()
        _open.clear()


_open: list[Connection] = []


class Waiting:
    """A call that is not answered yet."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def answer(self) -> Answer:
        """What it is answered."""
        return await self.connection.answer()

    async def ids(self) -> list[str]:
        """The messages that it is answered."""
        answer = await self.answer()
        assert answer.status == 200, answer
        return [message["_id"] for message in answer.json()]


async def wait(people: Society, email: str, who: str = "nobody", query: str = "") -> Waiting:
    """Begin to wait; it has taken its seat when this returns."""
    connection = await connect(reactor, people.port)
    _open.append(connection)
    lines = "".join(f"{name}: {value}\r\n" for name, value in people.credentials[who].items())
    target = f"/api/addresses/{email}/wait?{query}"
    connection.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
    return Waiting(connection)


async def now(people: Society, email: str, query: str, who: str = "nobody") -> Answer:
    """What is answered at once."""
    return await people.ask(who, "GET", f"/api/addresses/{email}/wait?timeout=0&{query}")


@pytest_twisted.ensureDeferred
async def test_a_message_is_answered_as_soon_as_it_comes(people: Society) -> None:
    waiting = await wait(people, PUBLIC)
    private = await wait(people, PRIVATE, "owner")
    message_id = await people.deliver(PUBLIC)
    answer = await waiting.answer()
    assert answer.status == 200
    assert answer.json() == await people.json(
        "nobody", "GET", f"/api/addresses/{PUBLIC}/messages"
    ), "the form that lists have"
    assert [m["_id"] for m in answer.json()] == [message_id]
    message_id = await people.deliver(PRIVATE)
    assert await private.ids() == [message_id]


@pytest_twisted.ensureDeferred
async def test_one_that_came_just_before_counts_and_an_old_one_does_not(people: Society) -> None:
    just_now = await people.deliver(PUBLIC)
    assert [m["_id"] for m in (await now(people, PUBLIC, "")).json()] == [just_now]
    old = "00" + just_now[2:]
    await people.database.run("update message set id = %s where id = %s", (old, just_now))
    assert (await now(people, PUBLIC, "")).status == 408
    assert (await now(people, PUBLIC, "since=1970-01-01")).status == 200
    later = await now(people, PUBLIC, "since=2100-01-01")
    assert later.status == 408
    assert later.json()["nearMisses"][0]["failed"] == ["since"]
    assert "fits, but is older than since" in later.json()["hints"][0]


@pytest_twisted.ensureDeferred
async def test_what_does_not_fit_is_passed_over(people: Society) -> None:
    pattern = quote(r"code is \d{6}")
    query = f"subjectIncludes=ORDER&from=shop&bodyMatches={pattern}&hasAttachment=0"
    waiting = await wait(people, PUBLIC, query=query)
    await people.deliver(PUBLIC, PLAIN.replace(b"order", b"invoice"))
    await people.deliver(PUBLIC, PLAIN.replace(b"123456", b"unknown"))
    await people.deliver(PUBLIC)
    fits = await people.deliver(PUBLIC, PLAIN)
    assert await waiting.ids() == [fits]


@pytest_twisted.ensureDeferred
async def test_so_many_are_waited_for(people: Society) -> None:
    first = await people.deliver(PUBLIC)
    waiting = await wait(people, PUBLIC, query="count=3")
    second, third = await people.deliver(PUBLIC), await people.deliver(PUBLIC)
    assert await waiting.ids() == [third, second, first]


@pytest_twisted.ensureDeferred
async def test_when_the_time_is_over_it_is_told_what_came_near(people: Society) -> None:
    ids = [await people.deliver(PUBLIC, PLAIN), await people.deliver(PUBLIC)]
    query = f"subjectIncludes=order&bodyMatches=nothing&hasAttachment=1&to=ann@&count=2&{EVER}"
    answer = await now(people, PUBLIC, query)
    assert answer.status == 408
    told = answer.json()
    assert told["message"] == "0 of 2 messages that fit came within 0 s"
    assert told["error"] == "Request Timeout"
    assert [(near["_id"], near["subject"], near["failed"]) for near in told["nearMisses"]] == [
        (ids[1], SECRET, ["subjectIncludes", "to", "bodyMatches"]),
        (ids[0], "Your order 17", ["to", "hasAttachment", "bodyMatches"]),
    ]
    one = await now(people, PUBLIC, f"subjectIncludes=order&count=2&{EVER}")
    assert one.json()["fitting"] == 1
    assert [near["failed"] for near in one.json()["nearMisses"]] == [["subjectIncludes"], []]


BAD = {
    "no address": ("no-address", "nobody", "", 400),
    "a bad time": (PUBLIC, "nobody", "since=yesterday", 400),
    "a bad pattern": (PUBLIC, "nobody", "bodyMatches=(", 400),
    "too long": (PUBLIC, "nobody", "timeout=301", 400),
    "no messages": (PUBLIC, "nobody", "count=0", 400),
    "perhaps": (PUBLIC, "nobody", "hasAttachment=perhaps", 400),
    "a private inbox": (PRIVATE, "nobody", "", 401),
    "a wrong key": (PUBLIC, "wrong key", "", 401),
    "another's inbox": (PRIVATE, "other", "", 403),
}


@pytest_twisted.ensureDeferred
async def test_refusals(people: Society) -> None:
    for case, (email, who, query, status) in BAD.items():
        answer = await now(people, email, query, who)
        assert answer.status == status, case
        if query:
            assert answer.json()["faults"][0]["field"] == query.partition("=")[0], case


@pytest_twisted.ensureDeferred
async def test_waits_are_bounded_and_end_when_their_callers_go(people: Society) -> None:
    long = "timeout=300"
    waits = [await wait(people, PRIVATE, "owner", long) for _ in range(2)]
    await people.open_waits(2)
    answer = await now(people, PRIVATE, "", "owner")
    assert (answer.status, answer.headers["retry-after"]) == (429, "5")
    waits.append(await wait(people, PUBLIC, query=long))
    await people.open_waits(3)
    assert "your IP address" in (await now(people, PUBLIC, "")).json()["message"]
    waits[0].connection.abort()
    await people.open_waits(2)
    waits.append(await wait(people, PUBLIC, query=long))
    await people.open_waits(3)
    await people.deliver(PRIVATE)
    assert (await waits[1].answer()).status == 200
    await people.open_waits(2)


@pytest_twisted.ensureDeferred
async def test_who_may_no_longer_look_into_the_inbox_is_told_so(people: Society) -> None:
    public = await wait(people, PUBLIC)
    by_key = await wait(people, PRIVATE, "owner")
    await people.open_waits(2)
    await people.json("owner", "POST", f"/api/addresses/{PUBLIC}")
    await people.deliver(PUBLIC)
    await people.database.run("delete from api_key where id = 'id-ownerann'")
    await people.database.run("select pg_notify('mailsacd_accounts', 'ownerann')")

    async def is_known() -> bool:  # the notice of it is on its way
        return (await people.ask("owner", "GET", "/api/me")).status != 200

    await until_async(is_known)
    await people.deliver(PRIVATE)
    assert (await by_key.answer()).status == 401
    public.connection.abort()


@pytest_twisted.ensureDeferred
async def test_hints_say_what_may_be_why(people: Society) -> None:
    async def hints(email: str, who: str = "owner", query: str = "") -> str:
        return "\n".join((await now(people, email, query, who)).json()["hints"])

    assert "no mail at all" in await hints("nobody@public.example")
    await people.json("owner", "POST", "/api/addresses/from@public.example")
    await people.json("owner", "POST", "/api/addresses/to@public.example")
    body = b'{"forward": "to@public.example"}'
    await people.json("owner", "PUT", "/api/addresses/from@public.example", body)
    assert "forwards its mail to to@public.example" in await hints("from@public.example")
    await people.database.run("update domain set verified_mx = true")
    await people.json("owner", "PUT", f"/api/domains/{HIDDEN_DOMAIN}", b'{"catchAll": true}')
    assert f"catch-all: wait for *@{HIDDEN_DOMAIN}" in await hints(IMPLICIT)
    await people.deliver(PRIVATE, CONTENT)
    assert "newest 6 messages" in await hints(PUBLIC, "nobody", "count=7")
    assert "elsewhere.example is not accepted here" in await hints("me@elsewhere.example")
    await deny(people.database, "denied@public.example", recipient=True)
    await deny(people.database, "spam@public.example")

    async def is_denied() -> bool:  # a notice tells the daemon
        return "it is on the denylist" in await hints("denied@public.example")

    await until_async(is_denied)
    assert "Mail from spam@" in await hints(PUBLIC, "nobody", "from=spam@public.example")
    assert "alternate" in await hints(f"inbox-{'0' * 40}@public.example")
