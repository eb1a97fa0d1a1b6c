"""POP3 over real sockets: TLS, time, memory, and the end of a session however it comes."""

import poplib
import socket
import ssl
import weakref
from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent

from mailsacd.certificate import ReloadableContext
from mailsacd.core.errors import (
    ForbiddenError,
    InUseError,
    LoginDelayError,
    OverloadedError,
    ThrottledError,
    UnavailableError,
)
from mailsacd.pop3 import answer
from mailsacd.pop3.factory import STUCK_S
from mailsacd.pop3.framing import retrieved, top
from mailsacd.pop3.runner import AUTH_DELAY_S
from mailsacd.pop3.sending import SLICE_BYTES
from mailsacd.setting_types import PlainLogin, StartTls
from mailsacd.settings import Pop3Settings
from mailsacd.sockets.connection_factory import DRAIN_TIMEOUT_S
from tests.patience import until
from tests.pop3.pop3_listener import LOGIN, NAME, SECRET, Pop3Listener, answered, reactor

ensure = pytest_twisted.ensureDeferred
Listen = Callable[..., Pop3Listener]

BIG = b"Subject: big\r\n\r\n" + b".line of text\r\n\r\n" * 200_000
AWAY = UnavailableError("away")
BUSY = OverloadedError("too much")
_MUCH = b"RETR 1\r\n" * 5  # more than the kernel takes


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _line(sock: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\n"):
        data = sock.recv(1)
        if not data:
            break
        received += data
    return received


# Messages


@ensure
async def test_a_program_fetches_and_deletes(listener: Pop3Listener) -> None:
    def fetch() -> tuple[list[bytes], int]:
        client = poplib.POP3("127.0.0.1", listener.port)
        client.user(NAME)
        client.pass_(SECRET)
        _, lines, octets = client.retr(1)
        client.dele(1)
        client.quit()
        return lines, octets

    assert await deferToThread(fetch) == ([b"Subject: x", b"", b".hi"], 19)
    assert listener.maildrop.removed == [0]
    await until(lambda: listener.maildrop.closed == 1)


@ensure
async def test_large_and_small_messages_come_whole(listen: Listen) -> None:
    small = b"Subject: s\r\n\r\n.\r\n"
    listener = listen(small, BIG, small)
    wire = await listener.logged_in()
    wire.send(b"RETR 1\r\nRETR 2\r\nTOP 2 3\r\nRETR 3\r\nNOOP\r\n")
    await answered(
        wire, retrieved(small) + retrieved(BIG) + top(BIG, 3) + retrieved(small) + answer.OK
    )


@ensure
async def test_large_messages_come_whole_through_tls(
    listen: Listen, tls: ReloadableContext
) -> None:
    listener = listen(BIG, tls=tls, tls_at_once=True)

    def fetch() -> list[bytes]:
        client = poplib.POP3_SSL("127.0.0.1", listener.port, context=_context())
        assert "STLS" not in client.capa()
        client.user(NAME)
        client.pass_(SECRET)
        lines = client.retr(1)[1]
        client.quit()
        return lines

    assert b"".join(line + b"\r\n" for line in await deferToThread(fetch)) == BIG


@ensure
async def test_a_large_message_lets_others_have_their_turn(listen: Listen) -> None:
    listener = listen(BIG)
    wire = await listener.logged_in()
    connection, turns = listener.only, [0]
    send = connection.send

    def counted(data: bytes) -> None:
        turns[-1] += len(data)
        send(data)

    def next_turn() -> None:
        if sum(turns) < len(retrieved(BIG)):
            turns.append(0)
            reactor.callLater(0, next_turn)

    connection.send = counted
    next_turn()
    wire.send(b"RETR 1\r\n")
    await answered(wire, retrieved(BIG))
    # a piece that was waited for, and the next one, may come together
    assert max(turns) <= 2 * SLICE_BYTES


@ensure
async def test_who_does_not_read_is_not_served_further(listen: Listen) -> None:
    listener = listen(*[BIG] * 3)
    wire = await listener.logged_in()
    wire.transport.pauseProducing()  # type: ignore[union-attr]
    wire.send(b"RETR 1\r\nRETR 2\r\nRETR 3\r\nQUIT\r\n")
    await until(lambda: listener.only._handler._paused)
    assert listener.budget.held_bytes < 2 * len(BIG)
    assert listener.only._tcp._tempDataLen < 1_000_000
    wire.transport.resumeProducing()  # type: ignore[union-attr]
    await answered(wire, retrieved(BIG) * 3 + answer.BYE)


@ensure
async def test_small_messages_that_nobody_reads_share_the_memory_too(listen: Listen) -> None:
    small = b"Subject: small\r\n\r\n" + b"a line of text\r\n" * 4_000
    listener = listen(*[small] * 200, settings=Pop3Settings(buffer_bytes=1_000))
    every = b"".join(b"RETR %d\r\n" % (place + 1) for place in range(200))
    greedy = await listener.logged_in()
    greedy.transport.pauseProducing()  # type: ignore[union-attr]
    greedy.send(every)
    await until(lambda: not listener.budget.open)
    assert 0 < listener.budget.held_bytes <= len(retrieved(small))
    [member] = listener.factory._connections.members
    other = await listener.logged_in()
    other.send(b"RETR 1\r\n")
    await until(lambda: bool(listener.budget._waiting))
    listener.pass_time(STUCK_S + 1)
    await answered(other, retrieved(small))
    assert member not in listener.factory._connections.members
    await until(lambda: listener.budget.held_bytes == 0)


@ensure
async def test_small_messages_wait_for_memory_only_when_there_is_none(listen: Listen) -> None:
    small = b"Subject: small\r\n\r\nhi\r\n"
    listener = listen(small)
    budget = listener.budget
    wire = await listener.logged_in()
    budget.take(budget.soft_bytes)
    wire.send(b"RETR 1\r\n")
    await answered(wire, retrieved(small))
    budget.take(budget.soft_bytes)
    wire.received = b""
    wire.send(b"RETR 1\r\n")
    await until(lambda: bool(budget._waiting))
    assert wire.received == b""
    budget.give(2 * budget.soft_bytes)
    await answered(wire, retrieved(small))
    assert budget.held_bytes == 0


@ensure
async def test_listings_that_nobody_reads_are_not_piled_up(listen: Listen) -> None:
    listener = listen(*[b"A: b\r\n\r\n"] * 2_000)
    wire = await listener.logged_in()
    wire.transport.pauseProducing()  # type: ignore[union-attr]
    wire.send(b"UIDL\r\n" * 5_000)
    await until(lambda: listener.only._handler._paused)
    assert len(listener.only._unsent) + listener.only._tcp._tempDataLen < 1_000_000
    wire.abort()


@ensure
async def test_no_more_maildrops_are_opened_than_memory_is_for(listen: Listen) -> None:
    listener = listen(*[b"A: b\r\n\r\n"] * 10_000)
    first = await listener.logged_in()
    second = await listener.connect()
    second.send(LOGIN)
    await answered(second, answer.SEND_PASSWORD + answer.AWAY)
    assert listener.maildrop.closed == 1
    first.send(b"QUIT\r\n")
    await first.closed()
    await until(lambda: listener.connections == 1)
    second.send(LOGIN)
    await second.until(lambda: b"10000 messages" in second.received)


@ensure
async def test_who_keeps_memory_from_others_is_closed(listen: Listen) -> None:
    listener = listen(BIG, settings=Pop3Settings(buffer_bytes=1_000_000))
    greedy = await listener.logged_in()
    greedy.transport.pauseProducing()  # type: ignore[union-attr]
    greedy.send(_MUCH)
    await until(lambda: listener.only._handler._paused)
    other = await listener.logged_in()
    other.send(b"RETR 1\r\n")
    await until(lambda: bool(listener.budget._waiting))
    listener.pass_time(STUCK_S + 1)
    await answered(other, retrieved(BIG))
    assert listener.connections == 1


@ensure
async def test_a_session_that_waits_for_memory_may_go(listen: Listen) -> None:
    listener = listen(BIG, settings=Pop3Settings(buffer_bytes=1_000_000))
    greedy = await listener.logged_in()
    greedy.transport.pauseProducing()  # type: ignore[union-attr]
    greedy.send(_MUCH)
    await until(lambda: listener.only._handler._paused)
    other = await listener.logged_in()
    other.send(b"RETR 1\r\n")
    await until(lambda: bool(listener.budget._waiting))
    other.abort()
    await until(lambda: listener.connections == 1)
    assert not listener.budget._waiting


@pytest.mark.parametrize(
    ("problem", "expected"), [(None, answer.GONE), (AWAY, answer.AWAY), (BUSY, answer.AWAY)]
)
@ensure
async def test_a_message_that_cannot_be_had_is_refused(
    listen: Listen, problem: Exception | None, expected: bytes
) -> None:
    listener = listen(b"", b"A: b\r\n\r\n")
    listener.maildrop.problem = problem
    wire = await listener.logged_in()
    wire.send(b"RETR 1\r\nTOP 1 1\r\nNOOP\r\n")
    await answered(wire, expected * 2 + answer.OK)


@pytest.mark.usefixtures("without_collecting")
@pytest.mark.parametrize(
    "state", [b"", b"LI", b"AUTH LOGIN\r\n", LOGIN, LOGIN + b"DELE 1\r\n", LOGIN + _MUCH]
)
@ensure
async def test_nothing_is_left_of_a_client_that_vanished(listen: Listen, state: bytes) -> None:
    listener = listen(BIG)
    wire = await listener.connect()
    if b"RETR" in state:
        wire.transport.pauseProducing()  # type: ignore[union-attr]
    wire.send(state)
    if b"RETR" in state:
        await until(lambda: listener.only._handler.sending.in_message)
    elif b"\n" in state:
        await wire.until(lambda: wire.received.count(b"\n") == state.count(b"\n"))
    server = listener.only
    left = [weakref.ref(each) for each in (server, server.transport, server._handler)]
    del server
    wire.abort()
    await until(lambda: not any(each() for each in left))
    assert listener.budget.held_bytes == 0
    assert listener.listings.held_bytes == 0


@ensure
async def test_a_defect_is_logged_and_answered(
    listener: Pop3Listener, logged_errors: list[LogEvent]
) -> None:
    listener.maildrop.problem = RuntimeError("a defect")
    wire = await listener.logged_in()
    wire.send(b"RETR 1\r\nDELE 1\r\nQUIT\r\n")
    await answered(
        wire, answer.BROKEN + answer.ok("message 1 is marked as deleted") + answer.BROKEN
    )
    await wire.closed()
    assert len(logged_errors) == 2
    logged_errors.clear()


# TLS


@ensure
async def test_tls_after_stls(listen: Listen, tls: ReloadableContext) -> None:
    listener = listen(tls=tls)

    def fetch() -> bytes:
        client = poplib.POP3("127.0.0.1", listener.port)
        assert "STLS" in client.capa()
        client.stls(_context())
        assert "STLS" not in client.capa()
        client.user(NAME)
        client.pass_(SECRET)
        return client.quit()

    assert await deferToThread(fetch) == b"+OK Bye"


@pytest.mark.parametrize("injected", [b"NOOP\r\n", LOGIN + b"DELE 1\r\nQUIT\r\n", b"USER x\r\n"])
@ensure
async def test_nothing_said_before_tls_is_done_inside_of_it(
    listen: Listen, tls: ReloadableContext, injected: bytes
) -> None:
    listener = listen(tls=tls)

    def talk() -> list[bytes]:
        with socket.create_connection(("127.0.0.1", listener.port)) as plain:
            _line(plain)
            plain.sendall(b"USER " + NAME.encode() + b"\r\n")
            _line(plain)
            plain.sendall(b"STLS\r\n" + injected)
            first = _line(plain)
            with _context().wrap_socket(plain) as sock:
                sock.sendall(b"PASS right\r\n")
                second = _line(sock)
                sock.sendall(b"QUIT\r\n")
                return [first, second, _line(sock), _line(sock)]

    assert await deferToThread(talk) == [
        answer.READY_FOR_TLS, answer.USER_FIRST, answer.BYE, b"",
    ]  # fmt: skip
    assert not listener.maildrops.peers
    assert not listener.maildrop.removed


@ensure
async def test_no_password_is_taken_without_tls(listen: Listen, tls: ReloadableContext) -> None:
    listener = listen(tls=tls, settings=Pop3Settings(plain_login="never"))
    wire = await listener.connect()
    wire.send(LOGIN)
    await answered(wire, answer.TLS_NEEDED * 2)
    assert not listener.maildrops.peers


@pytest.mark.parametrize(
    ("starttls", "plain_login", "local", "offers"),
    [
        ("auto", "loopback", "127.0.0.1", (False, True)),
        ("auto", "never", "127.0.0.1", (True, False)),
        ("auto", "loopback", "192.0.2.1", (True, True)),
        ("offer", "loopback", "127.0.0.1", (True, True)),
        ("require", "loopback", "127.0.0.1", (True, False)),
        ("never", "loopback", "192.0.2.1", (False, True)),
    ],
)
@ensure
async def test_tls_is_offered_where_programs_can_use_it(
    listen: Listen,
    tls: ReloadableContext,
    starttls: StartTls,
    plain_login: PlainLogin,
    local: str,
    offers: tuple[bool, bool],
) -> None:
    settings = Pop3Settings(
        starttls=starttls, plain_login=plain_login, proxy_networks=("127.0.0.1",)
    )
    listener = listen(settings=settings, tls=tls, self_signed=True)
    wire = await listener.connect(greeted=False)
    wire.send(f"PROXY TCP4 127.0.0.1 {local} 1234 110\r\n".encode())
    await wire.until(lambda: b"\r\n" in wire.received)
    wire.received = b""
    wire.send(b"CAPA\r\n")
    await wire.until(lambda: wire.received.endswith(b"\r\n.\r\n"))
    names = (b"STLS\r\n", b"SASL PLAIN LOGIN\r\n")
    assert tuple(name in wire.received for name in names) == offers


@pytest.mark.parametrize(
    ("peer", "plain_login", "trusted"),
    [
        ("127.0.0.1", "loopback", True),
        ("::1", "loopback", True),
        ("192.0.2.1", "loopback", False),
        ("192.0.2.1", "always", True),
        ("127.0.0.1", "never", False),
    ],
)
@ensure
async def test_who_is_trusted_without_tls(
    listen: Listen, peer: str, plain_login: str, trusted: bool
) -> None:
    settings = Pop3Settings(plain_login=plain_login, proxy_networks=("127.0.0.1",))  # type: ignore[arg-type]
    listener = listen(settings=settings)
    wire = await listener.connect(greeted=False)
    family = "TCP6 " + peer + " ::2" if ":" in peer else "TCP4 " + peer + " 192.0.2.9"
    wire.send(f"PROXY {family} 1234 110\r\n".encode())
    await wire.until(lambda: b"\r\n" in wire.received)
    wire.received = b""
    wire.send(b"USER x\r\n")
    await answered(wire, answer.SEND_PASSWORD if trusted else answer.TLS_NEEDED)


# Logging in


@pytest.mark.parametrize(
    "script",
    [
        b"USER " + NAME.encode() + b"\r\nPASS wrong\r\n",
        b"USER nobody@me.example\r\nPASS right\r\n",
        b"AUTH PLAIN AGEAYg==\r\n",
    ],
)
@ensure
async def test_whatever_is_wrong_is_answered_alike_and_late(
    listener: Pop3Listener, script: bytes
) -> None:
    wire = await listener.connect()
    wire.send(script)
    await until(lambda: bool(listener.maildrops.peers))
    listener.pass_time(0)
    assert answer.WRONG not in wire.received
    listener.clock.advance(AUTH_DELAY_S)
    await wire.until(lambda: wire.received.endswith(answer.WRONG))


@pytest.mark.parametrize(
    ("problem", "expected", "closes"),
    [
        (AWAY, answer.AWAY, False),
        (BUSY, answer.AWAY, False),
        (InUseError("x"), answer.LOCKED, False),
        (
            LoginDelayError("Once in 5 s", retry_after_s=5),
            b"-ERR [LOGIN-DELAY] Once in 5 s\r\n",
            False,
        ),
        (ThrottledError("Too many", retry_after_s=5), b"-ERR [SYS/TEMP] Too many\r\n", True),
    ],
)
@ensure
async def test_a_login_that_is_refused_says_why(
    listener: Pop3Listener, problem: Exception, expected: bytes, closes: bool
) -> None:
    listener.maildrops.problem = problem
    wire = await listener.connect()
    wire.send(LOGIN)
    await until(lambda: bool(listener.maildrops.peers))
    listener.clock.advance(AUTH_DELAY_S)
    await answered(wire, answer.SEND_PASSWORD + expected)
    if closes:
        await wire.closed()
    else:
        wire.send(b"QUIT\r\n")
        await answered(wire, answer.BYE)


@ensure
async def test_who_leaves_while_logging_in_is_not_let_in_any_more(listener: Pop3Listener) -> None:
    given_up: list[object] = []
    listener.maildrops.hold = Deferred(given_up.append)
    wire = await listener.connect()
    wire.send(LOGIN)
    await until(lambda: bool(listener.maildrops.peers))
    wire.abort()
    await until(lambda: not listener.connections)
    assert given_up
    assert listener.maildrop.closed == 0


@ensure
async def test_limits_hold_in_all_and_for_each_peer(listen: Listen) -> None:
    for settings, expected in (
        (Pop3Settings(max_connections=1), answer.TOO_MANY),
        (Pop3Settings(max_connections_per_peer=1), answer.TOO_MANY_FROM_PEER),
    ):
        listener = listen(settings=settings)
        await listener.connect()
        refused = await listener.connect(greeted=False)
        await answered(refused, expected)
        await refused.closed()


# The end


@ensure
async def test_a_connection_that_drops_deletes_nothing(listener: Pop3Listener) -> None:
    wire = await listener.logged_in()
    wire.send(b"DELE 1\r\n")
    await answered(wire, answer.ok("message 1 is marked as deleted"))
    wire.abort()
    await until(lambda: not listener.connections)
    assert listener.maildrop.closed == 1
    assert not listener.maildrop.removed


@ensure
async def test_a_connection_that_drops_after_quit_deletes(listener: Pop3Listener) -> None:
    listener.maildrop.hold = Deferred()
    wire = await listener.logged_in()
    wire.send(b"DELE 1\r\nQUIT\r\n")
    await wire.until(lambda: b"marked" in wire.received)
    wire.abort()
    await until(lambda: not listener.connections)
    listener.maildrop.hold.callback(None)
    assert listener.maildrop.removed == [0]


@ensure
async def test_half_closing_is_no_hurry(listener: Pop3Listener) -> None:
    def talk() -> bytes:
        with socket.create_connection(("127.0.0.1", listener.port)) as sock:
            sock.sendall(LOGIN + b"RETR 1\r\nDELE 1\r\nQUIT\r\n")
            sock.shutdown(socket.SHUT_WR)
            received = b""
            while data := sock.recv(65_536):
                received += data
            return received

    assert (await deferToThread(talk)).endswith(answer.BYE)
    assert listener.maildrop.removed == [0]


@ensure
async def test_an_end_without_quit_is_no_quit(listener: Pop3Listener) -> None:
    def talk() -> bytes:
        with socket.create_connection(("127.0.0.1", listener.port)) as sock:
            sock.sendall(LOGIN + b"DELE 1\r\n")
            sock.shutdown(socket.SHUT_WR)
            received = b""
            while data := sock.recv(65_536):
                received += data
            return received

    assert (await deferToThread(talk)).endswith(answer.ok("message 1 is marked as deleted"))
    assert not listener.maildrop.removed


@pytest.mark.parametrize(
    ("problem", "expected"),
    [(AWAY, answer.PERHAPS_NOT_REMOVED), (ForbiddenError("x"), answer.NOT_REMOVED)],
)
@ensure
async def test_quit_says_when_nothing_was_deleted(
    listener: Pop3Listener, problem: Exception, expected: bytes
) -> None:
    listener.maildrop.problem = problem
    wire = await listener.logged_in()
    wire.send(b"DELE 1\r\nQUIT\r\n")
    await answered(wire, answer.ok("message 1 is marked as deleted") + expected)
    await wire.closed()


@ensure
async def test_silence_ends_a_session_without_a_word(listener: Pop3Listener) -> None:
    wire = await listener.logged_in()
    wire.send(b"DELE 1\r\n")
    await answered(wire, answer.ok("message 1 is marked as deleted"))
    listener.pass_time(599)
    assert not wire.lost
    listener.pass_time(2)
    await wire.closed()
    assert not wire.received
    assert not listener.maildrop.removed


@pytest.mark.parametrize(
    "begin",
    [b"", b"USER x\r\n", b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\n", b"AUTH LOGIN\r\nYQ==\r\n", LOGIN],
)
@ensure
async def test_a_command_that_drips_in_has_no_more_time_than_one_that_does_not_come(
    listener: Pop3Listener, begin: bytes
) -> None:
    wire = await listener.connect()
    wire.send(begin)
    await wire.until(lambda: wire.received.count(b"\r\n") == begin.count(b"\r\n"))
    for _ in range(6):
        listener.only.dataReceived(b"x")
        listener.pass_time(100)
    await wire.closed()


@ensure
async def test_who_waits_for_an_answer_is_not_silent(listener: Pop3Listener) -> None:
    listener.maildrop.hold = Deferred()
    wire = await listener.logged_in()
    wire.send(b"RETR 1\r\n")
    await until(lambda: listener.only._handler.waiting)
    listener.pass_time(2_000)
    listener.maildrop.hold.callback(None)
    await answered(wire, retrieved(listener.maildrop.messages[0]))


@ensure
async def test_a_stop_ends_idle_sessions_and_lets_quit_delete(listener: Pop3Listener) -> None:
    listener.maildrop.hold = Deferred()
    idle, quitting = await listener.logged_in(), await listener.logged_in()
    quitting.send(b"DELE 1\r\nQUIT\r\n")
    await answered(quitting, answer.ok("message 1 is marked as deleted"))
    await until(lambda: any(m._handler.busy for m in listener.factory._connections.members))
    drained = ensureDeferred(listener.factory.drain())
    await answered(idle, answer.STOPPING)
    late = await listener.connect(greeted=False)
    await answered(late, answer.STOPPING)
    listener.maildrop.hold.callback(None)
    await answered(quitting, answer.BYE)
    await drained
    assert listener.maildrop.removed == [0]


@ensure
async def test_a_stop_waits_for_a_message_a_bounded_time(listen: Listen) -> None:
    listener = listen(BIG)
    wire = await listener.logged_in()
    wire.transport.pauseProducing()  # type: ignore[union-attr]
    wire.send(_MUCH)
    await until(lambda: listener.only._handler._paused)
    drained = ensureDeferred(listener.factory.drain())
    listener.pass_time(DRAIN_TIMEOUT_S + 5)
    await drained
    await until(lambda: not listener.connections)
