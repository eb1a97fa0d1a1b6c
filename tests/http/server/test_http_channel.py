"""What slow, greedy and broken clients may cost. The clock is the test's own."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock, deferLater
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from mailsacd.http.server.answer import Response, Streamed
from mailsacd.http.server.bounds import IN_TRANSIT_S, LAST_ANSWERS_S, RETRY_AFTER_S, Bounds
from mailsacd.http.server.channel import (
    BODY_BYTES_PER_TIMEOUT,
    LINGER_S,
    MAX_HEADER_BYTES,
    MAX_HEADER_FIELDS,
    Channel,
)
from mailsacd.http.server.request import Request
from mailsacd.http.server.site import HttpSite
from mailsacd.settings import HttpSettings
from tests.http.client import Connection, ask, connect, split_answer
from tests.patience import until

reactor: Any = the_reactor
Listen = Callable[[Any], int]

IDLE_S = 60.0
MAX_BODY = 100_000
LARGE_ANSWER = b"x" * 1_000_000
HUGE_ANSWER = b"x" * 30_000_000  # more than the kernel buffers


class _Clock(Clock):
    """The test's own time; what is for the reactor's next turn is done in that."""

    def callLater(self, delay: float, *work: Any, **options: Any) -> Any:  # noqa: N802  Twisted's
        if delay:
            return super().callLater(delay, *work, **options)
        return reactor.callLater(0, *work, **options)


class _Root(Resource):
    isLeaf = True

    def max_body_bytes(self, _method: bytes, segments: list[bytes]) -> int:
        """What the path says, else more than the site takes."""
        return int(segments[1]) if segments[0] == b"most" else 2 * MAX_BODY


class _Echo(_Root):
    """Answers with the body's length, or with much; counts what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def render(self, request: Any) -> bytes | int:
        self.asked += 1
        if request.path in {b"/large", b"/huge"}:
            request.answer(Response(LARGE_ANSWER if request.path == b"/large" else HUGE_ANSWER))
            return NOT_DONE_YET
        return b"%d %b" % (len(request.content.read()), b"/".join(request.postpath))


class _Server:
    def __init__(self, listen: Listen, **settings: Any) -> None:
        self.clock = _Clock()
        self.echo = _Echo()
        limits = {"idle_timeout_s": IDLE_S, "max_body_bytes": MAX_BODY, **settings}
        bounds = Bounds(HttpSettings(**limits), self.clock)
        self.site = HttpSite(self.echo, bounds, self.clock, channel=Channel, request=Request)
        self.port = listen(self.site)

    async def connect(self) -> Connection:
        return await connect(reactor, self.port)


@pytest.fixture
def server(listen: Listen) -> _Server:
    return _Server(listen)


async def _answered(connection: Connection) -> None:
    """Something was asked and answered, so that the server has seen what came before."""
    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await connection.answer()).status == 200


@pytest_twisted.ensureDeferred
async def test_an_idle_connection_is_closed(server: _Server) -> None:
    connection = await server.connect()
    await _answered(connection)
    server.clock.advance(IDLE_S - 1)
    await _answered(connection)
    server.clock.advance(IDLE_S)
    assert await connection.until_closed() == b""


@pytest_twisted.ensureDeferred
async def test_a_header_that_drips_in_does_not_hold_the_connection(server: _Server) -> None:
    connection = await server.connect()
    await _answered(connection)
    connection.send(b"GET / HTTP/1.1\r\n")
    server.clock.advance(IDLE_S - 1)
    connection.send(b"X-Slow: 1\r\n")
    other = await server.connect()
    await _answered(other)  # by now the server has read the line too
    server.clock.advance(1)
    assert await connection.until_closed() == b""
    await other.close()


@pytest_twisted.ensureDeferred
async def test_a_body_that_goes_on_gets_more_time(server: _Server) -> None:
    connection = await server.connect()
    piece = b"x" * BODY_BYTES_PER_TIMEOUT
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {2 * len(piece)}\r\n\r\n"
    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + head.encode() + piece)
    assert (await connection.answer()).status == 200
    server.clock.advance(IDLE_S - 1)
    connection.send(piece)
    answer = await connection.answer()
    assert answer.body.startswith(b"%d " % (2 * len(piece)))
    await connection.close()


@pytest_twisted.ensureDeferred
async def test_a_body_of_the_largest_size_is_taken(server: _Server) -> None:
    answer = await ask(reactor, server.port, "/", method="POST", body=b"x" * MAX_BODY)
    assert answer.body.startswith(b"%d " % MAX_BODY)


@pytest_twisted.ensureDeferred
async def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(
    server: _Server,
) -> None:
    connection = await server.connect()
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n"
    connection.send(head.encode() + b"Expect: 100-continue\r\n\r\n")
    answer = await connection.answer()
    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert str(MAX_BODY) in answer.json()["message"]
    server.clock.advance(LINGER_S)
    await connection.until_closed()
    assert server.echo.asked == 0


@pytest_twisted.ensureDeferred
async def test_whoever_sends_a_refused_body_all_the_same_reads_why(server: _Server) -> None:
    body = b"x" * (20 * MAX_BODY)
    answer = await ask(reactor, server.port, "/", method="POST", body=body)
    assert answer.status == 413
    assert server.echo.asked == 0


@pytest_twisted.ensureDeferred
async def test_a_call_takes_no_larger_body_than_it_says(server: _Server) -> None:
    target = "/most/1000"
    answer = await ask(reactor, server.port, target, method="POST", body=b"x" * 1_000)
    assert answer.body.startswith(b"1000 ")
    answer = await ask(reactor, server.port, target, method="POST", body=b"x" * 1_001)
    assert (answer.status, server.echo.asked) == (413, 1)
    assert "1000 bytes" in answer.json()["message"]


@pytest_twisted.ensureDeferred
async def test_a_chunked_body_is_refused_while_it_comes(server: _Server) -> None:
    connection = await server.connect()
    connection.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    connection.send(chunk * 4)
    assert (await connection.answer()).status == 413
    connection.send(chunk * 100 + b"0\r\n\r\n")
    await connection.until_closed()
    assert server.echo.asked == 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tfolded\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nHost:\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /" + b"x" * (2 * MAX_HEADER_BYTES) + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * (MAX_HEADER_FIELDS) + b"\r\n", 400),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 10_000 + b"\r\nA: " + b"b" * 10_000,
            400,
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_malformed_request_is_answered_and_the_connection_closed(
    server: _Server, sent: bytes, status: int
) -> None:
    connection = await server.connect()
    connection.send(sent + b"\r\n\r\n")
    answer, rest = split_answer(await connection.until_closed())
    assert (answer.status, rest) == (status, b"")
    assert set(answer.json()) == {"message", "error"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert server.echo.asked == 0


_CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("start", "fields", "good"),
    [
        (b"GET / HTTP/1.1", b"", False),
        (b"GET / HTTP/1.1", b"X-Host: x\r\n", False),
        (b"GET http://x/ HTTP/1.1", b"", False),
        (b"GET / HTTP/1.1", b"Host: x\r\nHost: x\r\n", False),
        (b"GET / HTTP/1.1", b"Host: x\r\nA: b\r\nhost: y\r\n", False),
        (b"GET / HTTP/1.0", b"Host: x\r\nHost: y\r\n", False),
        (b"POST / HTTP/1.1", b"Content-Length: 3\r\n", False),
        (b"POST / HTTP/1.1", b"Content-Length: 99999999\r\nExpect: 100-continue\r\n", False),
        (b"POST / HTTP/1.1", _CHUNKED, False),
        (b"POST / HTTP/1.1", b"Host: x\r\n" + _CHUNKED + _CHUNKED, False),
        (b"POST / HTTP/1.1", b"Host: x\r\n" + _CHUNKED + b"Transfer-Encoding: identity\r\n", False),
        (b"POST / HTTP/1.1", b"Host: x\r\nTransfer-Encoding: identity\r\n" + _CHUNKED, False),
        (b"POST / HTTP/1.1", b"Host: x\r\nTransfer-Encoding: chunked, chunked\r\n", False),
        (
            b"POST / HTTP/1.1",
            b"Host: x\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n",
            False,
        ),
        (b"GET / HTTP/1.0", b"", True),
        (b"GET / HTTP/1.1", b"Host:\r\n", True),
        (b"GET / HTTP/1.1", b"hOST: x\r\n", True),
        (b"POST / HTTP/1.1", b"Host: x\r\nTransfer-Encoding: Chunked\r\n", True),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_request_names_one_host_and_one_length(
    server: _Server, start: bytes, fields: bytes, good: bool
) -> None:
    connection = await server.connect()
    body = b"0\r\n\r\n" if b"hunked" in fields else b"abc" if b"Length: 3" in fields else b""
    connection.send(start + b"\r\n" + fields + b"\r\n" + body)
    if good:
        assert (await connection.answer()).status == 200
        await connection.close()
        return
    connection.send(b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
    answer, rest = split_answer(await connection.until_closed())
    assert (answer.status, rest, server.echo.asked) == (400, b"", 0)


@pytest_twisted.ensureDeferred
async def test_of_requests_that_come_together_one_is_answered_a_turn(server: _Server) -> None:
    connection = await server.connect()
    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
    turns = 0
    while server.echo.asked < 10:
        before = server.echo.asked
        await deferLater(reactor, 0)
        assert server.echo.asked - before <= 2, "one for what came in, and one for the turn"
        turns += server.echo.asked > before
    assert turns >= 5
    for _ in range(10):
        assert (await connection.answer()).status == 200
    await connection.close()


@pytest_twisted.ensureDeferred
async def test_who_leaves_while_its_next_request_waits_for_its_turn_is_forgotten(
    server: _Server,
) -> None:
    connection = await server.connect()
    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
    while server.echo.asked <= 2:
        await deferLater(reactor, 0)
    connection.abort()
    await until(lambda: not server.site.bounds.connections)
    assert server.echo.asked < 100


@pytest_twisted.ensureDeferred
async def test_answers_that_nobody_reads_are_not_made(server: _Server) -> None:
    count = 60
    connection = await server.connect()
    connection.pause()
    connection.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * count)
    await until(lambda: server.site.bounds.waiting_for_readers == 1)
    assert server.echo.asked <= 10, "no more than what the kernel's buffers take, and one"
    connection.resume()
    for _ in range(count):
        assert (await connection.answer()).body == LARGE_ANSWER
    assert server.site.bounds.waiting_for_readers == 0
    await connection.close()


@pytest.mark.parametrize("persistence", [b"", b"Connection: close\r\n"])
@pytest_twisted.ensureDeferred
async def test_whoever_does_not_read_an_answer_is_cut_off(
    server: _Server, persistence: bytes
) -> None:
    connection = await server.connect()
    connection.pause()
    request = b"GET /huge HTTP/1.1\r\nHost: x\r\n" + persistence + b"\r\n"
    connection.send(request)
    await until(lambda: server.site.bounds.waiting_for_readers == 1)
    server.clock.advance(IDLE_S)
    server.clock.advance(Channel.abortTimeout)
    await until(lambda: len(server.site.bounds.connections) == 0)
    connection.abort()
    await connection.until_closed()


@pytest_twisted.ensureDeferred
async def test_who_reads_an_answer_slowly_is_given_more_time(server: _Server) -> None:
    connection = await server.connect()
    for _ in range(3):
        connection.pause()
        connection.send(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: server.site.bounds.waiting_for_readers == 1)
        server.clock.advance(IDLE_S - 1)
        connection.resume()
        await connection.until(lambda: len(connection.data) > len(HUGE_ANSWER) // 2)
        server.clock.advance(IDLE_S - 1)
        assert (await connection.answer()).body == HUGE_ANSWER
    await connection.close()


@pytest_twisted.ensureDeferred
async def test_answers_that_nobody_reads_share_a_bounded_memory(listen: Listen) -> None:
    server = _Server(listen, buffer_bytes=2 * len(HUGE_ANSWER))
    clients = []
    for _ in range(5):
        clients.append(await server.connect())
        clients[-1].pause()
        clients[-1].send(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: server.echo.asked == len(clients))
        assert server.site.bounds.memory.held_bytes <= 2 * len(HUGE_ANSWER)
    await until(lambda: len(server.site.bounds.connections) == 2)
    for client in clients:
        client.resume()
        await client.until(partial(_has_ended, client))
    served = [client for client in clients if not client.closed]
    assert len(served) == 2
    for client in served:
        assert (await client.answer()).body == HUGE_ANSWER
        await client.close()
    await until(lambda: len(server.site.bounds.connections) == 0)
    assert server.site.bounds.memory.held_bytes == 0


def _has_ended(client: Connection) -> bool:
    return client.closed or len(client.data) > len(HUGE_ANSWER)


def _holds(server: _Server, held_bytes: int) -> bool:
    return server.site.bounds.memory.held_bytes == held_bytes


@pytest_twisted.ensureDeferred
async def test_bodies_that_do_not_go_on_share_a_bounded_memory(listen: Listen) -> None:
    server = _Server(listen, buffer_bytes=2 * MAX_BODY)
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY}\r\n\r\n".encode()
    clients = [await server.connect() for _ in range(4)]
    for bodies, client in zip((1, 2, 2, 2), clients, strict=True):
        client.send(head + b"x" * (MAX_BODY - 1))
        await until(partial(_holds, server, bodies * (MAX_BODY - 1)))
    for stuck in clients[:2]:
        await stuck.until_closed()
    for whole in clients[2:]:
        whole.send(b"x")
        assert (await whole.answer()).status == 200
        await whole.close()
    assert server.site.bounds.memory.held_bytes == 0


@pytest_twisted.ensureDeferred
async def test_a_client_that_goes_away_leaves_nothing_behind(server: _Server) -> None:
    connection = await server.connect()
    connection.pause()
    connection.send(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: server.site.bounds.waiting_for_readers == 1)
    connection.abort()
    await connection.until_closed()
    server.clock.advance(IDLE_S)
    server.clock.advance(Channel.abortTimeout)
    await until(lambda: len(server.site.bounds.connections) == 0)
    assert server.site.bounds.waiting_for_readers == 0
    assert server.clock.getDelayedCalls() == []


@pytest_twisted.ensureDeferred
async def test_requests_behind_a_large_answer_are_answered_in_order_and_nothing_is_held(
    server: _Server,
) -> None:
    connection = await server.connect()
    connection.pause()
    huge, large = (b" /%b HTTP/1.1\r\nHost: x\r\n\r\n" % size for size in (b"huge", b"large"))
    posted = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000
    connection.send(b"GET" + huge + b"HEAD" + huge + posted + b"GET" + large)
    await until(lambda: server.echo.asked > 0)
    connection.resume()
    assert (await connection.answer()).body == HUGE_ANSWER
    head = await connection.answer(head=True)
    assert (head.headers["content-length"], head.body) == (str(len(HUGE_ANSWER)), b"")
    assert (await connection.answer()).body == b"20000 a"
    assert (await connection.answer()).body == LARGE_ANSWER
    await _answered(connection)
    assert server.site.bounds.memory.held_bytes == 0
    await connection.close()


@pytest.mark.parametrize("read", [0, 1, len(HUGE_ANSWER) // 2])
@pytest_twisted.ensureDeferred
async def test_who_leaves_in_the_midst_of_an_answer_holds_nothing(
    server: _Server, read: int
) -> None:
    connection = await server.connect()
    if not read:
        connection.pause()
    connection.send(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    await until(lambda: server.echo.asked > 0)
    await connection.until(lambda: len(connection.data) >= read)
    connection.abort()
    await until(lambda: len(server.site.bounds.connections) == 0)
    assert server.site.bounds.memory.held_bytes == 0
    assert server.site.bounds.waiting_for_readers == 0


@pytest_twisted.ensureDeferred
async def test_one_connection_too_many_is_told_so(listen: Listen) -> None:
    server = _Server(listen, max_connections=2)
    first, second = await server.connect(), await server.connect()
    await _answered(first)
    await _answered(second)
    third = await server.connect()
    answer, _ = split_answer(await third.until_closed())
    assert answer.status == 503
    assert "connections" in answer.json()["message"]
    await first.close()
    await until(lambda: len(server.site.bounds.connections) == 1)
    assert (await ask(reactor, server.port, "/")).status == 200
    await second.close()


@pytest_twisted.ensureDeferred
async def test_one_connection_too_many_of_a_peer_is_told_so_and_others_are_served(
    listen: Listen,
) -> None:
    server = _Server(listen, max_connections_per_peer=1)
    first = await server.connect()
    await _answered(first)
    answer, _ = split_answer(await (await server.connect()).until_closed())
    assert (answer.status, answer.headers["retry-after"]) == (429, str(RETRY_AFTER_S))
    assert (await ask(reactor, server.port, "/", bind=("127.0.0.2", 0))).status == 200
    await first.close()
    await until(lambda: not server.site.bounds.connections)
    assert (await ask(reactor, server.port, "/")).status == 200


@pytest_twisted.ensureDeferred
async def test_who_comes_by_our_proxy_is_one_of_many(listen: Listen) -> None:
    server = _Server(
        listen, max_connections=3, max_connections_per_peer=1, proxy_networks=("127.0.0.0/8",)
    )
    clients = [await server.connect() for _ in range(3)]
    for client in clients:
        await _answered(client)
    answer, _ = split_answer(await (await server.connect()).until_closed())
    assert answer.status == 503
    for client in clients:
        await client.close()


@pytest.mark.parametrize(
    ("there", "comes", "refused"),
    [
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_peer_is_a_network(there: str, comes: str, refused: bool) -> None:
    bounds = Bounds(HttpSettings(max_connections_per_peer=1), Clock())
    bounds.enter(Channel(), there)
    assert (bounds.refusal(comes) is not None) == refused


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a%2Fb/c", b"a%2Fb/c"),
        ("/%2e%2e/x", b"%2e%2e/x"),
        ("//x", b"x"),
        ("/a//b///", b"a/b/"),
        ("/a%2F%2Fb//c", b"a%2F%2Fb/c"),
        ("http://elsewhere/a/b?c=d", b"a/b"),
        ("http://elsewhere", b""),
        ("x", b""),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_path_stays_encoded_until_it_is_split(
    server: _Server, target: str, path: bytes
) -> None:
    assert (await ask(reactor, server.port, target)).body == b"0 " + path


@pytest_twisted.ensureDeferred
async def test_bytes_beyond_ascii_in_the_path_are_taken_as_encoded(server: _Server) -> None:
    connection = await server.connect()
    connection.send(b"GET /\x80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer, _ = split_answer(await connection.until_closed())
    assert answer.body == b"0 %80"


class _Slow(_Root):
    """Answers when the test says so, or never comes to an end."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def render(self, request: Any) -> int:
        self.asked.append(request)
        if request.path == b"/endless":
            request.answer(Streamed(b"text/plain", _Endless()))
        return NOT_DONE_YET


class _Endless:
    """A Source that says one thing, and then nothing more."""

    def begin(self, writer: Any) -> None:
        writer.write(b"begun")

    def drained(self) -> None:
        pass

    def ended(self) -> None:
        pass


class _Stopping(_Server):
    """A server that is to stop while things are under way."""

    def __init__(self, listen: Listen) -> None:
        super().__init__(listen)
        self.slow = _Slow()
        self.site.resource = self.slow

    async def asked(self, path: str = "/") -> Connection:
        """A connection with a request that waits for its answer."""
        before = len(self.slow.asked)
        connection = await self.connect()
        connection.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: len(self.slow.asked) > before)
        return connection

    async def idle(self) -> Connection:
        """A connection that has been answered, and may be used again."""
        connection = await self.asked()
        self.say(b"before")
        await connection.answer()
        return connection

    def say(self, body: bytes) -> None:
        """Answer the last request."""
        self.slow.asked[-1].answer(Response(body, b"text/plain"))

    def drain(self) -> Deferred[None]:
        """Begin to stop, up to where no further request is waited for."""
        draining = ensureDeferred(self.site.bounds.drain())
        self.clock.advance(IN_TRANSIT_S)
        return draining


@pytest.fixture
def stopping(listen: Listen) -> _Stopping:
    return _Stopping(listen)


@pytest_twisted.ensureDeferred
async def test_what_is_under_way_at_the_stop_is_answered_and_the_connection_closed(
    stopping: _Stopping,
) -> None:
    connection = await stopping.asked()
    draining = stopping.drain()
    assert not draining.called
    stopping.say(b"the last one")
    answer, rest = split_answer(await connection.until_closed())
    assert (answer.status, answer.body, rest) == (200, b"the last one", b"")
    assert answer.headers["connection"] == "close"
    await draining


@pytest_twisted.ensureDeferred
async def test_a_request_that_comes_in_pieces_at_the_stop_is_answered(stopping: _Stopping) -> None:
    idle = await stopping.idle()
    connection = await stopping.connect()
    connection.send(b"POST / HTTP/1.1\r\n")
    await until(lambda: any(c.owes_an_answer for c in stopping.site.bounds.connections))
    draining = stopping.drain()
    assert await idle.until_closed() == b""
    connection.send(b"Host: x\r\nContent-Length: 3\r\n\r\nabc")
    await until(lambda: len(stopping.slow.asked) == 2)
    stopping.say(b"done")
    answer, _ = split_answer(await connection.until_closed())
    assert (answer.body, answer.headers["connection"]) == (b"done", "close")
    await draining


@pytest_twisted.ensureDeferred
async def test_a_request_that_was_on_its_way_at_the_stop_is_answered(stopping: _Stopping) -> None:
    connection = await stopping.idle()
    draining = ensureDeferred(stopping.site.bounds.drain())
    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: len(stopping.slow.asked) == 2)
    stopping.clock.advance(IN_TRANSIT_S)
    stopping.say(b"in time")
    answer, _ = split_answer(await connection.until_closed())
    assert (answer.body, answer.headers["connection"]) == (b"in time", "close")
    await draining


@pytest_twisted.ensureDeferred
async def test_idle_connections_do_not_hold_up_the_stop(stopping: _Stopping) -> None:
    used, fresh = await stopping.idle(), await stopping.connect()
    await until(lambda: len(stopping.site.bounds.connections) == 2)
    assert stopping.drain().called
    assert await used.until_closed() == b""
    assert await fresh.until_closed() == b""


@pytest_twisted.ensureDeferred
async def test_what_takes_too_long_at_the_stop_is_cut_off(stopping: _Stopping) -> None:
    connection = await stopping.asked()
    draining = stopping.drain()
    stopping.clock.advance(LAST_ANSWERS_S - 0.01)
    assert not draining.called
    stopping.clock.advance(0.01)
    await draining
    assert await connection.until_closed() == b""


@pytest_twisted.ensureDeferred
async def test_an_answer_without_an_end_is_left_to_who_writes_it(stopping: _Stopping) -> None:
    connection = await stopping.asked("/endless")
    await connection.until(lambda: b"begun" in connection.data)
    assert stopping.drain().called
    assert not connection.closed
    stopping.slow.asked[-1]._sink.finish()
    assert (await connection.until_closed()).endswith(b"0\r\n\r\n")


@pytest_twisted.ensureDeferred
async def test_an_answer_that_turns_out_endless_does_not_hold_up_the_stop(
    stopping: _Stopping,
) -> None:
    connection = await stopping.asked()
    draining = stopping.drain()
    assert not draining.called
    stopping.slow.asked[-1].answer(Streamed(b"text/plain", _Endless()))
    await draining
    await connection.until(lambda: b"begun" in connection.data)
    assert b"Connection: close" in connection.data
    connection.abort()
    await connection.until_closed()
