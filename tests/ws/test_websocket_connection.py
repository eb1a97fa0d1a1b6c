"""The connection of a WebSocket: the handshake, bad clients, slow ones, and how it ends."""

import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred

from mailsacd.core.account import new_key
from mailsacd.store.pool import Database
from tests.http.client import ask, connect
from tests.http.society import OWNER, PRIVATE, SHOWN, SHOWN_DOMAIN, Society, society
from tests.ws.listener import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Listener,
    handshake,
    hang_up,
    target_of,
    upgrade,
)

reactor: Any = the_reactor

HEARTBEAT_S = 0.3
OWN_SITE = "https://mail.example"
FRIEND = "https://app.example"


@pytest_twisted.async_yield_fixture
async def heard(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(
        database,
        database_dsn,
        "websocket.heartbeat_s=60",
        f"http.public_url={OWN_SITE}",
        f'websocket.allowed_origins=["{FRIEND}/"]',
        "websocket.max_listeners_per_account=3",
        "websocket.compression=true",
        "http.idle_timeout_s=1",
    ) as made:
        await made.json("owner", "PUT", f"/api/addresses/{PRIVATE}", b'{"enablews":true}')
        yield made
        await hang_up()


@pytest_twisted.async_yield_fixture
async def lively(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn, f"websocket.heartbeat_s={HEARTBEAT_S}") as made:
        await made.json("owner", "PUT", f"/api/addresses/{PRIVATE}", b'{"enablews":true}')
        yield made
        await hang_up()


def key_of(made: Society) -> str:
    return made.credentials["owner"]["Mailsac-Key"]


def target(made: Society, **query: str) -> str:
    return target_of(**{"key": key_of(made), "addresses": PRIVATE, **query})


async def listen(made: Society, *, answers_pings: bool = True, **fields: str | None) -> Listener:
    listener = await upgrade(
        reactor, made.port, target(made), answers_pings=answers_pings, **fields
    )
    await listener.listening()
    return listener


# What is sent instead, and the status that it is answered with
BAD_HANDSHAKES: dict[str, tuple[dict[str, str | None], int]] = {
    "no upgrade": ({"Upgrade": None, "Connection": None}, 426),
    "another protocol": ({"Upgrade": "h2c"}, 426),
    "no Connection": ({"Connection": "keep-alive"}, 426),
    "an old version": ({"Sec_WebSocket_Version": "8"}, 426),
    "no version": ({"Sec_WebSocket_Version": None}, 426),
    "no nonce": ({"Sec_WebSocket_Key": None}, 400),
    "a short nonce": ({"Sec_WebSocket_Key": "c2hvcnQ="}, 400),
    "no base64": ({"Sec_WebSocket_Key": "!!!!"}, 400),
    "another site's page": ({"Origin": "https://evil.example"}, 403),
    "a page without a site": ({"Origin": "null"}, 403),
    "our site without TLS": ({"Origin": "http://mail.example"}, 403),
    "another port of our site": ({"Origin": "https://mail.example:8443"}, 403),
    "another port": ({"Host": "here.example:8025", "Origin": "http://here.example"}, 403),
    "another scheme": ({"Host": "here.example", "Origin": "https://here.example"}, 403),
    "this machine's page elsewhere": (
        {"Host": "here.example", "Origin": "http://localhost"},
        403,
    ),
    "what a client says was forwarded": (
        {
            "Host": "here.example",
            "X_Forwarded_Host": "evil.example",
            "Origin": "http://evil.example",
        },
        403,
    ),
    "another site, and the browser tells": (
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
        403,
    ),
    "the site as a part": ({"Origin": "https://mail.example.evil.example"}, 403),
}


@pytest.mark.parametrize("case", BAD_HANDSHAKES)
@pytest_twisted.ensureDeferred
async def test_bad_handshakes_are_answered_in_http(heard: Society, case: str) -> None:
    fields, status = BAD_HANDSHAKES[case]
    connection = await connect(reactor, heard.port)
    connection.send(handshake(target(heard), **fields))
    answer = await connection.answer()
    assert answer.status == status
    assert answer.json()["message"]
    if status == 426:
        assert (answer.headers["upgrade"], answer.headers["sec-websocket-version"]) == (
            "websocket",
            "13",
        )
    connection.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await connection.answer()).status == 200
    connection.abort()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "", 405), ("PUT", "", 405), ("GET", "/x", 404)]
)
@pytest_twisted.ensureDeferred
async def test_other_requests_there(heard: Society, method: str, path: str, status: int) -> None:
    assert (await heard.ask("nobody", method, f"/incoming-messages{path}")).status == status


ORIGINS = (
    (None, "127.0.0.1"),
    (OWN_SITE, "127.0.0.1"),
    (OWN_SITE + "/", "127.0.0.1"),
    (OWN_SITE + ":443", "127.0.0.1"),
    (FRIEND, "127.0.0.1"),
    ("HTTPS://Mail.Example", "127.0.0.1"),
    ("http://127.0.0.1", "127.0.0.1"),
    ("http://127.0.0.1/", "127.0.0.1:8025"),
    ("http://localhost", "localhost:8025"),
    ("http://localhost/", "127.0.0.1:8025"),
    ("http://localhost:3000", "localhost:8025"),
    ("http://[::1]:3000", "[::1]:8025"),
    ("http://here.example", "here.example"),
    ("http://here.example/", "Here.Example:80"),
    ("http://here.example:80/", "here.example"),
    ("http://here.example:8025/", "here.example:8025"),
)


@pytest.mark.parametrize(("origin", "host"), ORIGINS)
@pytest_twisted.ensureDeferred
async def test_programs_our_own_pages_and_those_of_the_setting_may_listen(
    heard: Society, origin: str | None, host: str
) -> None:
    await listen(heard, Origin=origin, Host=host)


# What a proxy that is listed passes on, the page's origin, and the status
PROXIED: dict[str, tuple[dict[str, str], str, int]] = {
    "host without port": ({"Host": "our.example"}, "http://our.example:8080", 101),
    "host without port, TLS": (
        {"Host": "our.example", "X_Forwarded_Proto": "https"},
        "https://our.example:8443",
        101,
    ),
    "host without port, TLS as Traefik tells it": (
        {"Host": "our.example", "X_Forwarded_Proto": "wss", "X_Forwarded_Port": "443"},
        "https://our.example",
        101,
    ),
    "this machine's page, and the browser tells": (
        {"Host": "localhost:8025", "Sec_Fetch_Site": "same-site"},
        "http://localhost:3000",
        101,
    ),
    "elsewhere, and the browser tells": (
        {"Host": "our.example", "Sec_Fetch_Site": "same-site"},
        "http://our.example:8080",
        403,
    ),
    "host with port": ({"Host": "our.example:8080"}, "http://our.example:8080", 101),
    "another port": ({"Host": "our.example:8080"}, "http://our.example:9090", 403),
    "host and port beside": (
        {"Host": "our.example", "X_Forwarded_Port": "8080"},
        "http://our.example:8080",
        101,
    ),
    "another port than beside": (
        {"Host": "our.example", "X_Forwarded_Port": "8080"},
        "http://our.example",
        403,
    ),
    "host forwarded": (
        {"Host": "127.0.0.1:8025", "X_Forwarded_Host": "our.example:8080"},
        "http://our.example:8080",
        101,
    ),
    "another scheme": ({"Host": "our.example"}, "https://our.example", 403),
    "another host": ({"Host": "our.example"}, "http://evil.example", 403),
}


@pytest.mark.parametrize("case", PROXIED)
@pytest_twisted.ensureDeferred
async def test_our_own_page_listens_behind_a_proxy(
    database: Database, database_dsn: str, case: str
) -> None:
    fields, origin, status = PROXIED[case]
    async with society(database, database_dsn, 'http.proxy_networks=["127.0.0.0/8"]') as made:
        connection = await connect(reactor, made.port)
        connection.send(handshake(target(made), Origin=origin, **fields))
        await connection.until(lambda: b"\r\n\r\n" in connection.data)
        assert connection.data.startswith(f"HTTP/1.1 {status} ".encode())
        connection.abort()
        await connection.until_closed()


@pytest_twisted.ensureDeferred
async def test_what_comes_right_after_the_handshake_is_read(heard: Society) -> None:
    connection = await connect(reactor, heard.port)
    ping = struct.pack("!BB4s4s", 0x89, 0x84, b"\0\0\0\0", b"ping")
    connection.send(handshake(target(heard)) + ping)
    await connection.until(lambda: b"\x8a\x04ping" in connection.data)
    connection.abort()


@pytest_twisted.ensureDeferred
async def test_a_handshake_may_follow_a_request_and_come_byte_by_byte(heard: Society) -> None:
    connection = await connect(reactor, heard.port)
    for byte in b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" + handshake(target(heard)):
        connection.send(bytes([byte]))
    assert (await connection.answer()).status == 200
    await connection.until(lambda: b"Listening" in connection.data)
    assert connection.data.startswith(b"HTTP/1.1 101 ")
    connection.abort()


@pytest_twisted.ensureDeferred
async def test_the_idle_timeout_of_http_does_not_count(heard: Society) -> None:
    listener = await listen(heard)
    idle = await connect(reactor, heard.port)
    await idle.until_closed()  # which came after the listener
    message_id = await heard.deliver(PRIVATE)
    assert (await listener.message())["_id"] == message_id


@pytest_twisted.ensureDeferred
async def test_pings_are_answered_and_messages_passed_over(heard: Society) -> None:
    listener = await listen(heard)
    listener.send(TEXT, b'{"hello":"there"}')
    listener.send(BINARY, b"\x00\xff")
    listener.send(PING, b"are you there")
    frame = await listener.frame()
    assert (frame.opcode, frame.payload) == (PONG, b"are you there")
    listener.send(CLOSE, struct.pack("!H", 1000))
    assert (await listener.frame()).opcode == CLOSE
    await listener.connection.until_closed()


BAD_FRAMES: dict[str, tuple[bytes, int]] = {
    "a large frame": (struct.pack("!BBQ", 0x81, 0xFF, 1 << 40) + b"\0" * 4 + b"x" * 100, 1009),
    "a large message": (b"\x01\xfe\x10\x00\0\0\0\0" + b"x" * 4096 + b"\x80\x81\0\0\0\0x", 1009),
    "no mask": (b"\x81\x05hello", 1002),
    "a reserved opcode": (b"\x83\x80\0\0\0\0", 1002),
    "a reserved bit": (b"\xa1\x80\0\0\0\0", 1002),
    "a long ping": (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),
    "a ping in pieces": (b"\x09\x80\0\0\0\0", 1002),
    "a piece of nothing": (b"\x80\x80\0\0\0\0", 1002),
    "not UTF-8": (b"\x81\x81\0\0\0\0\xff", 1007),
    "garbage": (b"\xff" * 64, 1002),
    "HTTP again": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1002),
}


@pytest.mark.parametrize("case", BAD_FRAMES)
@pytest_twisted.ensureDeferred
async def test_clients_that_break_a_rule_are_told_and_closed(heard: Society, case: str) -> None:
    data, code = BAD_FRAMES[case]
    listener = await listen(heard)
    others = await listen(heard)
    listener.connection.send(data)
    frame = await listener.frame()
    assert frame.close[0] == code
    await listener.connection.until_closed()
    message_id = await heard.deliver(PRIVATE)
    assert (await others.message())["_id"] == message_id


@pytest_twisted.ensureDeferred
async def test_a_client_that_talks_without_end_is_closed(heard: Society) -> None:
    listener = await listen(heard)
    for _ in range(1_100):
        listener.send(TEXT, b"x")
    assert (await listener.closed())[0] == 1008


@pytest_twisted.ensureDeferred
async def test_listeners_of_an_account_are_limited(heard: Society) -> None:
    listeners = [await listen(heard) for _ in range(3)]
    refused = await upgrade(reactor, heard.port, target(heard))
    assert (await refused.json())["status"] == 429
    assert (await refused.closed())[0] == 1013
    await listeners[0].leave()
    await listen(heard)


@pytest_twisted.ensureDeferred
async def test_compression_where_it_is_offered(heard: Society) -> None:
    offer = "permessage-deflate; client_max_window_bits"
    listener = await upgrade(reactor, heard.port, target(heard), Sec_WebSocket_Extensions=offer)
    frame = await listener.frame()
    assert frame.rsv == 4


OFFERS_PASSED_OVER = (
    "permessage-deflate; server_max_window_bits=8",
    "x-unknown",
    "permessage-deflate" + "; x" * 1_000,
)


@pytest.mark.parametrize("offer", OFFERS_PASSED_OVER)
@pytest_twisted.ensureDeferred
async def test_offers_that_cannot_be_taken_are_passed_over(heard: Society, offer: str) -> None:
    await listen(heard, Sec_WebSocket_Extensions=offer)


@pytest_twisted.ensureDeferred
async def test_heartbeats_and_pings_keep_coming(lively: Society) -> None:
    listener = await listen(lively, answers_pings=False)
    kinds: list[int] = []
    while len(kinds) < 4:
        frame = await listener.frame()
        kinds.append(frame.opcode)
        if frame.opcode == PING:
            listener.send(PONG, frame.payload)
        else:
            assert json.loads(frame.payload) == {"status": 200, "msg": "ok"}
    assert kinds == [TEXT, PING, TEXT, PING]


@pytest_twisted.ensureDeferred
async def test_a_client_that_answers_no_ping_is_gone(lively: Society) -> None:
    listener = await listen(lively, answers_pings=False)
    await listener.connection.until_closed()


@pytest_twisted.ensureDeferred
async def test_a_slow_reader_is_closed_while_others_get_all(lively: Society) -> None:
    slow = await listen(lively)
    slow.connection.pause()
    quick = await listen(lively)
    large = b"Subject: large\r\n\r\n" + b"x" * 2_000_000 + b"\r\n"
    for _ in range(8):  # twice as much twice over: far more than the kernel holds
        sent = await lively.deliver(PRIVATE, large)
        assert (await quick.message())["_id"] == sent
    slow.connection.resume()
    await slow.connection.until_closed()


@pytest_twisted.ensureDeferred
async def test_a_deleted_key_closes_what_it_opened_and_no_other(heard: Society) -> None:
    await heard.database.run(
        "insert into api_key (id, account, name, hash) values ('second', %s, 'second', 'x')",
        (OWNER,),
    )
    listener = await listen(heard)
    await heard.database.run("delete from api_key where id = 'id-ownerann'")
    await heard.database.run("select pg_notify('mailsacd_accounts', %s)", (OWNER,))
    assert (await listener.refusal())["status"] == 401
    assert (await listener.closed())[0] == 1008


CHANGES = {
    "enablews is switched off": ("PUT", f"/api/addresses/{PRIVATE}", b'{"enablews":false}'),
    "the address is released": ("DELETE", f"/api/addresses/{PRIVATE}", b""),
}


@pytest.mark.parametrize("case", CHANGES)
@pytest_twisted.ensureDeferred
async def test_rights_that_end_close_the_socket(heard: Society, case: str) -> None:
    listener = await listen(heard)
    everything = await upgrade(reactor, heard.port, target(heard, addresses=""))
    await everything.listening()
    await heard.json("owner", *CHANGES[case])
    refusal = await listener.refusal()
    assert (refusal["status"], PRIVATE in refusal["msg"]) == (403, True)
    assert (await listener.closed())[0] == 1008
    message_id = await heard.deliver(SHOWN)
    assert (await everything.message())["_id"] == message_id


@pytest_twisted.ensureDeferred
async def test_a_domain_that_is_no_longer_ours_closes_the_socket(heard: Society) -> None:
    await heard.database.run("update domain set enablews = true where name = %s", (SHOWN_DOMAIN,))
    await heard.database.run("select pg_notify('mailsacd_directory', %s)", (SHOWN_DOMAIN,))
    listeners = [
        await upgrade(reactor, heard.port, target(heard, addresses=name))
        for name in (SHOWN_DOMAIN, SHOWN)
    ]
    for listener in listeners:
        await listener.listening()
    await heard.database.run("update domain set verified = false where name = %s", (SHOWN_DOMAIN,))
    await heard.database.run("select pg_notify('mailsacd_directory', '')")
    for listener in listeners:
        assert (await listener.refusal())["status"] == 403


@pytest_twisted.ensureDeferred
async def test_what_changes_while_notices_are_not_heard_counts_later(lively: Society) -> None:
    listener = await listen(lively)
    await lively.database.run("update address set enablews = false where email = %s", (PRIVATE,))
    await lively.database.run(
        "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %%'"
    )
    assert (await listener.refusal())["status"] == 403


@pytest_twisted.ensureDeferred
async def test_a_stop_says_good_bye(database: Database, database_dsn: str) -> None:
    async with society(database, database_dsn) as made:
        await made.json("owner", "PUT", f"/api/addresses/{PRIVATE}", b'{"enablews":true}')
        listener = await listen(made)
        closing = ensureDeferred(listener.closed())
    code, reason = await closing
    assert (code, "stopping" in reason) == (1001, True)


@pytest_twisted.ensureDeferred
async def test_a_websocket_counts_as_a_connection_until_it_ends(
    database: Database, database_dsn: str
) -> None:
    async with society(database, database_dsn, "http.max_connections=1") as made:
        await made.json("owner", "PUT", f"/api/addresses/{PRIVATE}", b'{"enablews":true}')
        listener = await listen(made)
        assert (await ask(reactor, made.port, "/livez")).status == 503
        await listener.leave()
        assert (await ask(reactor, made.port, "/livez")).status == 200


@pytest_twisted.ensureDeferred
async def test_listeners_of_a_peer_are_counted_behind_our_proxy(
    database: Database, database_dsn: str
) -> None:
    async with society(
        database,
        database_dsn,
        'http.proxy_networks=["127.0.0.1"]',
        "websocket.max_listeners_per_peer=1",
    ) as made:
        await made.json("owner", "PUT", f"/api/addresses/{PRIVATE}", b'{"enablews":true}')
        await listen(made, X_Forwarded_For="192.0.2.1")
        await listen(made, X_Forwarded_For="192.0.2.1, 192.0.2.2")
        refused = await upgrade(
            reactor, made.port, target(made), X_Forwarded_For="192.0.2.3, 192.0.2.1"
        )
        assert (await refused.json())["status"] == 429
        await hang_up()


@pytest_twisted.ensureDeferred
async def test_guessing_keys_is_throttled_here_too(heard: Society) -> None:
    statuses: list[int] = []
    for _ in range(11):
        guess = await upgrade(reactor, heard.port, target(heard, key=new_key()))
        statuses.append((await guess.json())["status"])
        await guess.closed()
    assert statuses == [401] * 10 + [429]


@pytest_twisted.ensureDeferred
async def test_a_month_used_up_is_told(heard: Society) -> None:
    await heard.database.run(
        "update account set overrides = '{\"ops_per_month\": 0}' where name = %s", (OWNER,)
    )
    await heard.database.run("select pg_notify('mailsacd_accounts', %s)", (OWNER,))
    while (told := await _first_word(heard))["status"] == 200:
        pass  # the notice is on its way
    assert told["status"] == 429
    assert "this month" in told["msg"]


async def _first_word(made: Society) -> Any:
    listener = await upgrade(reactor, made.port, target(made))
    told = await listener.json()
    listener.connection.abort()
    await listener.connection.until_closed()
    return told
