"""What becomes of a handler's work: answered, refused before it begins, or given up."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError, Deferred

from mailsacd.core.actor import Actor
from mailsacd.core.errors import UnauthenticatedError
from mailsacd.http.api.dispatch import Dispatch
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.routes import Routes
from mailsacd.http.server.answer import Response
from mailsacd.http.server.bounds import Bounds
from mailsacd.http.server.channel import Channel
from mailsacd.http.server.proxies import Proxies
from mailsacd.http.server.request import Request
from mailsacd.http.server.site import HttpSite
from mailsacd.settings import HttpSettings
from tests.http.client import ask, connect
from tests.lanes import LANES
from tests.patience import until

reactor: Any = the_reactor
Listen = Callable[[Any], int]

MAX_BODY = 500


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(max_length=3)]


class _Callers:
    """One key is known; who asks is found out when the test says so."""

    def __init__(self) -> None:
        self.asked: list[Deferred[None]] = []
        self.slow = False

    async def authenticate(self, key: str, _peer: str = "") -> Actor:
        if self.slow:
            self.asked.append(Deferred())
            await self.asked[-1]
        if key != "right":
            raise UnauthenticatedError("wrong")
        return Actor(account="ann")

    async def session(self, _token: str) -> Actor | None:
        return None


class _Calls:
    """Handlers that wait for the test."""

    def __init__(self) -> None:
        self.begun: list[Deferred[bytes]] = []
        self.peers: list[str] = []
        self.given_up = 0
        self.done = 0

    def operations(self) -> tuple[Operation, ...]:
        return tuple(
            Operation(
                method=method,
                path=path,
                id=method + path,
                tag="",
                summary="",
                answers=(),
                handler=self.wait,
                body=_Body if method == "POST" else None,
                needs_account=path == "/own",
                max_body_bytes=MAX_BODY,
            )
            for method, path in (("GET", "/any"), ("POST", "/any"), ("POST", "/own"))
        )

    async def wait(self, call: Call) -> Response:
        self.peers.append(call.actor.peer)
        self.begun.append(Deferred())
        try:
            body = await self.begun[-1]
        except CancelledError:
            self.given_up += 1
            raise
        self.done += 1
        return Response(body)


class _Server:
    def __init__(self, listen: Listen) -> None:
        self.calls = _Calls()
        self.callers = _Callers()
        routes = Routes(self.calls.operations(), Dispatch(self.callers, Proxies(), LANES.readers))
        self.bounds = Bounds(HttpSettings(), reactor)
        self.port = listen(HttpSite(routes, self.bounds, reactor, channel=Channel, request=Request))

    async def hangs_up(self, request: bytes, waiting: Callable[[], bool]) -> None:
        """A client that asks, and goes away while the server is ``waiting``."""
        connection = await connect(reactor, self.port)
        connection.send(request)
        await until(waiting)
        connection.abort()
        await until(lambda: not self.bounds.connections)


GET = b"GET /any HTTP/1.1\r\nHost: x\r\nMailsac-Key: right\r\n\r\n"
POST = b'POST /any HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n{"name":"abc"}'


@pytest_twisted.ensureDeferred
async def test_reading_for_who_hangs_up_is_given_up(listen: Listen) -> None:
    server = _Server(listen)
    await server.hangs_up(GET, lambda: len(server.calls.begun) == 1)
    assert (server.calls.given_up, server.calls.done) == (1, 0)


@pytest_twisted.ensureDeferred
async def test_a_change_is_made_though_who_asked_for_it_hangs_up(listen: Listen) -> None:
    server = _Server(listen)
    await server.hangs_up(POST, lambda: len(server.calls.begun) == 1)
    server.calls.begun[0].callback(b"")
    assert (server.calls.given_up, server.calls.done) == (0, 1)


@pytest_twisted.ensureDeferred
async def test_a_call_tells_whence_it_came_with_and_without_a_key(listen: Listen) -> None:
    server = _Server(listen)
    for request in (GET, GET.replace(b"Mailsac-Key: right\r\n", b"")):
        connection = await connect(reactor, server.port)
        connection.send(request)
        await until(lambda: len(server.calls.begun) == 1)
        server.calls.begun.pop().callback(b"")
        assert (await connection.answer()).status == 200
        await connection.close()
    assert server.calls.peers == ["127.0.0.1"] * 2


@pytest_twisted.ensureDeferred
async def test_finding_out_who_asks_is_not_given_up_and_nothing_is_read_for_who_is_gone(
    listen: Listen,
) -> None:
    server = _Server(listen)
    server.callers.slow = True
    await server.hangs_up(GET, lambda: len(server.callers.asked) == 1)
    assert not server.callers.asked[0].called
    server.callers.asked[0].callback(None)
    assert (server.calls.given_up, server.calls.done) == (1, 0)


@pytest_twisted.ensureDeferred
async def test_work_that_is_given_up_by_itself_is_a_defect(
    listen: Listen, logged_errors: list[Any]
) -> None:
    server = _Server(listen)
    connection = await connect(reactor, server.port)
    connection.send(GET)
    await until(lambda: len(server.calls.begun) == 1)
    server.calls.begun[0].cancel()
    assert (await connection.answer()).status == 500
    logged_errors.clear()
    await connection.close()


@pytest_twisted.ensureDeferred
async def test_who_needs_a_key_is_refused_before_the_body_is_read(listen: Listen) -> None:
    server = _Server(listen)
    for body in (b'{"name":1}', b'{"other":1}'):
        answer = await ask(reactor, server.port, "/own", method="POST", body=body)
        assert answer.status == 401
        answer = await ask(reactor, server.port, "/any", method="POST", body=body)
        assert answer.status == 400
    key = {"Mailsac-Key": "right"}
    answer = await ask(reactor, server.port, "/own", method="POST", body=body, headers=key)
    assert answer.status == 400
    with_key = b'{"name":"long","_mailsacKey":"right"}'
    answer = await ask(reactor, server.port, "/own", method="POST", body=with_key)
    assert answer.status == 400
    assert server.calls.begun == []


@pytest_twisted.ensureDeferred
async def test_a_body_is_as_long_as_its_operation_says(listen: Listen) -> None:
    server = _Server(listen)
    for target, most in (("/any", MAX_BODY), ("/none", 65_536)):
        for over in (0, 1):
            body = b" " * (most + over)
            answer = await ask(reactor, server.port, target, method="POST", body=body)
            assert (answer.status == 413) == bool(over)
