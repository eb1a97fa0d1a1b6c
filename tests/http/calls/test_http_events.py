"""`/api/addresses/{email}/events` over real sockets: what comes, from where on, and until when."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.store.pool import Database
from tests.http.client import Connection, ask, connect
from tests.http.society import PRIVATE, PUBLIC, SECRET, Society, society
from tests.patience import until

reactor: Any = the_reactor

HEARTBEAT_S = 0.3


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(
        database, database_dsn, f"websocket.heartbeat_s={HEARTBEAT_S}",
        "websocket.max_listeners_per_peer=3",
    ) as made:  # fmt: skip
        yield made
        for connection in _open:
            connection.abort()
            await connection.until_closed()
        _open.clear()


_open: list[Connection] = []


class Events:
    """The events of one answer."""

    def __init__(self, connection: Connection, *, chunked: bool = True) -> None:
        self.connection = connection
        self._chunked = chunked
        self._text = b""

    async def event(self) -> dict[str, str]:
        """The next event that is more than a comment."""
        while True:
            while b"\n\n" not in self._text:
                await self._more()
            block, _, self._text = self._text.partition(b"\n\n")
            lines = [line for line in block.decode().split("\n") if not line.startswith(":")]
            if lines:
                return dict(line.split(": ", 1) for line in lines)

    async def message(self) -> Any:
        """The data of the next message, whose sequence is its id."""
        event = await self.event()
        assert event["event"] == "message", event
        message = msgspec.json.decode(event["data"])
        assert message["sequence"] == event["id"]
        return message

    async def heartbeat(self) -> None:
        """Passes over nothing else."""
        while b"\n\n" not in self._text:
            await self._more()
        block, _, self._text = self._text.partition(b"\n\n")
        assert block == b": ok"

    async def end(self) -> None:
        """Nothing more comes."""
        await self.connection.until(lambda: self.connection.data.startswith(b"0\r\n\r\n"))

    async def _more(self) -> None:
        connection = self.connection
        if not self._chunked:
            await connection.until(lambda: bool(connection.data))
            self._text += connection.data
            connection.data.clear()
            return
        await connection.until(lambda: b"\r\n" in connection.data)
        size = int(connection.data.partition(b"\r\n")[0], 16)
        assert size, "the answer has ended"
        start = connection.data.index(b"\r\n") + 2
        await connection.until(lambda: len(connection.data) >= start + size + 2)
        self._text += connection.data[start : start + size]
        del connection.data[: start + size + 2]


async def listen(
    people: Society, email: str, who: str = "nobody", query: str = "", version: str = "1.1",
    **headers: str,
) -> Events:  # fmt: skip
    """An answer that has begun."""
    connection = await connect(reactor, people.port)
    _open.append(connection)
    fields = people.credentials[who] | {n.replace("_", "-"): v for n, v in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    target = f"/api/addresses/{email}/events{query}"
    connection.send(f"GET {target} HTTP/{version}\r\nHost: x\r\n{lines}\r\n".encode())
    await connection.until(lambda: b"\r\n\r\n" in connection.data)
    head, _, connection.data = connection.data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") or version == "1.0", head
    assert b"Content-Type: text/event-stream; charset=utf-8" in head
    assert b"Access-Control-Allow-Origin: *" in head
    assert (b"chunked" in head) == (version == "1.1")
    return Events(connection, chunked=version == "1.1")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest_twisted.ensureDeferred
async def test_a_message_comes_as_an_event(people: Society, version: str) -> None:
    events = await listen(people, PUBLIC, version=version)
    opening = await events.event()
    assert opening.keys() == {"retry", "id"}
    message_id = await people.deliver(PUBLIC)
    message = await events.message()
    assert (message["_id"], message["subject"]) == (message_id, SECRET)
    assert "status" not in message


@pytest_twisted.ensureDeferred
async def test_a_private_inbox_is_there_for_its_owner_without_enablews(people: Society) -> None:
    for who in ("owner", "team"):
        events = await listen(people, PRIVATE, who)
        await events.event()
        message_id = await people.deliver(PRIVATE)
        assert (await events.message())["_id"] == message_id


@pytest.mark.parametrize("way", ["Last-Event-ID", "since"])
@pytest_twisted.ensureDeferred
async def test_it_goes_on_after_the_last_event(people: Society, way: str) -> None:
    events = await listen(people, PUBLIC)
    await events.event()
    await people.deliver(PUBLIC)
    seen = (await events.message())["sequence"]
    events.connection.abort()
    missed = [await people.deliver(PUBLIC) for _ in range(3)]
    query = f"?since={seen}" if way == "since" else ""
    headers = {"Last_Event_ID": seen} if way != "since" else {}
    again = await listen(people, PUBLIC, query=query, **headers)
    await again.event()
    assert [(await again.message())["_id"] for _ in missed] == missed


@pytest_twisted.ensureDeferred
async def test_heartbeats_are_comments(people: Society) -> None:
    events = await listen(people, PUBLIC)
    await events.event()
    await events.heartbeat()
    await events.heartbeat()


REFUSED = {
    "not an address": ("no-address", "nobody", "", 400),
    "a bad sequence": (PUBLIC, "nobody", "?since=nonsense", 400),
    "a private inbox": (PRIVATE, "nobody", "", 401),
    "a wrong key": (PUBLIC, "wrong key", "", 401),
    "another's inbox": (PRIVATE, "other", "", 403),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest_twisted.ensureDeferred
async def test_refusals_are_answers_as_of_any_call(people: Society, case: str) -> None:
    email, who, query, status = REFUSED[case]
    answer = await people.ask(who, "GET", f"/api/addresses/{email}/events{query}")
    assert answer.status == status
    assert answer.json()["message"]


@pytest_twisted.ensureDeferred
async def test_too_many_from_one_peer_are_refused_until_one_goes(people: Society) -> None:
    all_of_them = [await listen(people, PUBLIC) for _ in range(3)]
    answer = await people.ask("nobody", "GET", f"/api/addresses/{PUBLIC}/events")
    assert answer.status == 429
    assert answer.headers["retry-after"]
    all_of_them[0].connection.abort()
    await all_of_them[0].connection.until_closed()
    for _ in range(100):
        if (await people.ask("nobody", "HEAD", f"/api/addresses/{PUBLIC}/events")).status == 200:
            return
    raise AssertionError("a place is not free again")


@pytest_twisted.ensureDeferred
async def test_a_public_listener_goes_when_the_inbox_becomes_private(people: Society) -> None:
    events = await listen(people, PUBLIC)
    owners = await listen(people, PUBLIC, "owner")
    await events.event()
    await owners.event()
    await people.json("owner", "POST", f"/api/addresses/{PUBLIC}")
    assert (await events.event())["event"] == "closed"
    await events.end()
    message_id = await people.deliver(PUBLIC)
    assert (await owners.message())["_id"] == message_id


@pytest_twisted.ensureDeferred
async def test_a_key_that_is_deleted_ends_what_it_began(people: Society) -> None:
    events = await listen(people, PRIVATE, "owner")
    await events.event()
    await people.database.run("delete from api_key where id = 'id-ownerann'")
    await people.database.run("select pg_notify('mailsacd_accounts', 'ownerann')")
    assert (await events.event())["event"] == "closed"
    await events.end()


@pytest_twisted.ensureDeferred
async def test_a_reader_that_stops_is_dropped_while_others_get_all(people: Society) -> None:
    slow = await listen(people, PUBLIC)
    slow.connection.pause()
    quick = await listen(people, PUBLIC)
    await quick.event()
    large = b"Subject: large\r\n\r\n" + b"x" * 2_000_000 + b"\r\n"
    for _ in range(12):  # far more than the kernel holds
        sent = await people.deliver(PUBLIC, large)
        assert (await quick.message())["_id"] == sent
    slow.connection.resume()
    await slow.connection.until_closed()


@pytest_twisted.ensureDeferred
async def test_a_second_request_on_the_connection_waits(people: Society) -> None:
    events = await listen(people, PUBLIC)
    await events.event()
    events.connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    message_id = await people.deliver(PUBLIC)
    assert (await events.message())["_id"] == message_id


@pytest_twisted.ensureDeferred
async def test_nobody_is_left_when_all_have_gone(people: Society) -> None:
    for _ in range(3):
        (await listen(people, PUBLIC)).connection.abort()
    await until(lambda: all(c.closed for c in _open))
    answer = await ask(reactor, people.port, f"/api/addresses/{PUBLIC}/events", method="HEAD")
    assert answer.status == 200
