"""Waiting for the mail of a whole run, and listening to it: by its key, and by nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred

from mailsacd.core.activity import RECEIVED, Event
from mailsacd.core.token import EnvelopeIds
from mailsacd.store.activity import add_events
from mailsacd.store.pool import Database
from tests.http.client import connect
from tests.http.society import CONTENT, OWNER, PRIVATE, SECRET, Society, society
from tests.ws.listener import Listener, hang_up, target_of, upgrade

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made
        await hang_up()


async def _listen(people: Society, **query: str) -> Listener:
    return await upgrade(reactor, people.port, target_of(**query))


async def _begin(people: Society) -> dict[str, Any]:
    run: dict[str, Any] = await people.json("owner", "POST", "/api/runs")
    people.credentials["run"] = {"Mailsac-Key": run["key"]}
    return run


@ensure
async def test_a_wait_is_answered_by_mail_for_any_address_of_the_run(people: Society) -> None:
    run = await _begin(people)
    other = await _begin(people)
    people.credentials["run"] = {"Mailsac-Key": run["key"]}
    target = f"/api/runs/{run['_id']}/wait?timeout=60"
    fits = f"{target}&subjectIncludes={SECRET}&bodyMatches={SECRET}&hasAttachment=1"
    waits = [ensureDeferred(people.json(who, "GET", fits)) for who in ("run", "owner")]
    two = ensureDeferred(people.json("run", "GET", f"{target}&count=2"))
    await people.open_waits(3)
    await people.deliver(f"x@{other['domain']}")
    await people.deliver(PRIVATE)
    first = await people.deliver(f"ann@{run['domain']}")
    for wait in waits:
        assert [message["_id"] for message in await wait] == [first]
    second = await people.deliver(f"bob@{run['domain']}")
    assert [message["_id"] for message in await two] == [second, first]
    assert [m["_id"] for m in await people.json("run", "GET", target)] == [second, first]


@ensure
async def test_a_wait_that_is_over_tells_of_the_run_alone(people: Society) -> None:
    run = await _begin(people)
    target = f"/api/runs/{run['_id']}/wait?timeout=0"
    over = await people.ask("run", "GET", target)
    assert over.status == 408
    assert over.json()["hints"] == [
        f"*@{run['domain']} has no mail at all: was it sent to this address, and to this server?"
    ]
    await people.deliver(PRIVATE)
    id_ = await people.deliver(f"ann@{run['domain']}")
    over = await people.ask("run", "GET", f"{target}&subjectIncludes=nothing")
    assert [(n["_id"], n["failed"]) for n in over.json()["nearMisses"]] == [
        (id_, ["subjectIncludes"])
    ]
    inbox = f"/api/addresses/bob@{run['domain']}/wait?timeout=0"
    over = await people.ask("run", "GET", inbox)
    assert over.status == 408
    assert PRIVATE not in over.body.decode()
    for who, status in (("nobody", 401), ("other", 404)):
        assert (await people.ask(who, "GET", target)).status == status


@ensure
async def test_a_wait_tells_of_the_runs_mail_however_much_else_the_account_has(
    people: Society,
) -> None:
    run = await _begin(people)
    ids, now_ms = EnvelopeIds(), int(reactor.seconds() * 1000)
    subjects = (f"ann@{run['domain']}", *(f"{n}@other.example" for n in range(100)))
    events = (Event(ids.next(now_ms)[0], OWNER, RECEIVED, 250, s, "", 1) for s in subjects)
    await add_events(people.database, list(events))
    over = await people.ask("run", "GET", f"/api/addresses/bob@{run['domain']}/wait?timeout=0")
    (meanwhile,) = (hint for hint in over.json()["hints"] if hint.startswith("Meanwhile"))
    assert meanwhile == f"Meanwhile mail came to ann@{run['domain']}: is the address right?"


@ensure
async def test_a_wait_ends_with_its_run(people: Society) -> None:
    run = await _begin(people)
    target = f"/api/runs/{run['_id']}/wait?timeout=5"
    waiting = ensureDeferred(people.ask("run", "GET", target))
    await people.open_waits(1)
    assert (await people.ask("owner", "DELETE", f"/api/runs/{run['_id']}")).status == 204
    assert (await waiting).status == 401


@ensure
async def test_events_have_the_mail_of_the_run_until_it_ends(people: Society) -> None:
    run = await _begin(people)
    connection = await connect(reactor, people.port)
    connection.send(
        f"GET /api/runs/{run['_id']}/events HTTP/1.0\r\nMailsac-Key: {run['key']}\r\n\r\n".encode()
    )
    await connection.until(lambda: b": listening\n\n" in connection.data)
    await people.deliver(PRIVATE)
    id_ = await people.deliver(f"ann@{run['domain']}")
    await connection.until(lambda: b"event: message\n" in connection.data)
    data = connection.data.partition(b"data: ")[2]
    assert msgspec.json.decode(data.partition(b"\n")[0])["_id"] == id_
    assert (await people.ask("run", "DELETE", f"/api/runs/{run['_id']}")).status == 204
    await connection.until(lambda: b"event: closed\n" in connection.data)
    await connection.until_closed()


@ensure
async def test_a_websocket_has_the_mail_of_the_run_by_its_key(people: Society) -> None:
    run = await _begin(people)
    whole = await _listen(people, key=run["key"])
    assert (await whole.listening())["domains"] == [run["domain"]]
    one = f"{run['_id']}-bob@example.com"
    bobs = await _listen(people, key=run["key"], addresses=one)
    assert (await bobs.listening())["addresses"] == [f"bob@{run['domain']}"]
    outside = await _listen(people, key=run["key"], addresses=f"*,{PRIVATE},example.com")
    refused = await outside.refusal()
    assert refused["status"] == 403
    assert all(name in refused["msg"] for name in ("*", PRIVATE, "example.com"))
    await people.deliver(PRIVATE)
    first = await people.deliver(f"ann@{run['domain']}", CONTENT)
    second = await people.deliver(f"bob@{run['domain']}", CONTENT)
    assert [(await whole.message())["_id"] for _ in range(2)] == [first, second]
    assert (await bobs.message())["_id"] == second
