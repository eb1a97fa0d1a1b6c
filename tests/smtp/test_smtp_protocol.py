"""Sessions over real sockets."""

import random
import smtplib
import weakref
from collections.abc import Callable
from typing import Any, cast

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent
from twisted.python.failure import Failure

from mailsacd.core.budget import ByteBudget
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import (
    BadAddressError,
    ForbiddenError,
    MailLoopError,
    OverloadedError,
    StorageFullError,
    UnavailableError,
)
from mailsacd.settings import MessageSettings, SmtpSettings
from mailsacd.sockets.connection_factory import drain_all
from tests.patience import until
from tests.smtp.listener import START, SmtpListener, recipient

ensure = pytest_twisted.ensureDeferred


@ensure
async def test_a_message_of_smtplib_arrives(listener: SmtpListener) -> None:
    def send() -> None:
        with smtplib.SMTP("127.0.0.1", listener.port, local_hostname="c.example") as client:
            client.sendmail("a@b.example", ["c@d.example"], "Subject: hi\r\n\r\n.dot\r\n")

    await deferToThread(send)
    [envelope] = listener.ingest.envelopes
    assert envelope.reverse_path == "a@b.example"
    assert envelope.recipients == (recipient("c@d.example"),)
    assert envelope.content == b"Subject: hi\r\n\r\n.dot\r\n"
    assert envelope.id == "id0"
    assert envelope.reception.peer_ip == envelope.reception.local_ip == "127.0.0.1"
    assert envelope.reception.helo == "c.example"
    assert envelope.reception.protocol == "ESMTP"
    assert envelope.reception.tls is None


@ensure
async def test_a_session_in_one_write_is_answered_in_order(listener: SmtpListener) -> None:
    asked: Deferred[Recipient] = Deferred()
    listener.accept.answer = lambda path: recipient(path) if "now" in path else asked
    wire = await listener.connect()
    wire.send(
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<now@d.example>\r\nRCPT TO:<later@d.example>\r\n"
        b"RCPT TO:<now@d.example>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n"
    )
    await wire.until(lambda: len(wire.codes) == 3)
    asked.callback(recipient("later@d.example"))
    await wire.closed()
    assert wire.codes == [250, 250, 250, 250, 250, 354, 250, 221]
    assert b"Ok: stored as id0\r\n221" in wire.received


@ensure
async def test_250_comes_after_the_commit_and_never_before(listener: SmtpListener) -> None:
    commit: Deferred[None] = Deferred()
    listener.ingest.outcome = lambda: commit
    wire = await listener.connect()
    await wire.talk(START + b"DATA\r\n", 250, 250, 250, 354)
    wire.send(b"hello\r\n.\r\nNOOP\r\n")
    await until(lambda: bool(listener.ingest.envelopes))
    assert wire.received == b""
    commit.callback(None)
    await wire.expect(250, 250)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (UnavailableError("away"), b"451 4.3.0"),
        (OverloadedError("too much"), b"451 4.3.1"),
        (StorageFullError("full"), b"452 4.3.1"),
        (MailLoopError("round and round"), b"554 5.4.6 round and round"),
        (ValueError("a defect"), b"451 4.3.0"),
    ],
)
@ensure
async def test_what_is_not_stored_is_not_acknowledged(
    listener: SmtpListener, logged_errors: list[LogEvent], error: Exception, answer: bytes
) -> None:
    listener.ingest.outcome = lambda: fail(error)
    wire = await listener.connect()
    await wire.talk(START + b"DATA\r\n", 250, 250, 250, 354)
    wire.send(b"hello\r\n.\r\n")
    await wire.until(lambda: bool(wire.codes))
    assert wire.received.startswith(answer)
    assert (len(logged_errors) == 1) == isinstance(error, ValueError)
    logged_errors.clear()
    wire.received = b""
    await wire.talk(b"RCPT TO:<c@d.example>\r\nMAIL FROM:<>\r\n", 503, 250)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (BadAddressError("no @ in '\u00e4\r\n'"), b"501 5.1.3 no @ in '\\xe4??'\r\n"),
        (ForbiddenError("not here"), b"550 5.7.1 not here\r\n"),
        (UnavailableError("away"), b"451 4.3.0"),
        (OverloadedError("too much"), b"451 4.3.1"),
        (ValueError("a defect"), b"451 4.3.0"),
    ],
)
@ensure
async def test_a_refused_recipient_is_told_why(
    listener: SmtpListener,
    logged_errors: list[LogEvent],
    error: Exception,
    answer: bytes,
    later: bool,
) -> None:
    async def refuse_later() -> Recipient:
        raise error

    def refuse(_: str) -> Any:
        if later:
            return refuse_later()
        raise error

    listener.accept.answer = refuse
    wire = await listener.connect()
    await wire.talk(b"EHLO c\r\nMAIL FROM:<>\r\n", 250, 250)
    wire.send(b"RCPT TO:<c@d.example>\r\n")
    await wire.until(lambda: bool(wire.codes))
    assert wire.received.startswith(answer)
    assert (len(logged_errors) == 1) == isinstance(error, ValueError)
    logged_errors.clear()


@ensure
async def test_ten_thousand_recipients_are_cut_at_the_limit(listener: SmtpListener) -> None:
    wire = await listener.connect()
    await wire.talk(b"EHLO c\r\nMAIL FROM:<>\r\n", 250, 250)
    wire.send(b"".join(b"RCPT TO:<%d@d.example>\r\n" % n for n in range(10_000)))
    await wire.expect(*[250] * 100, *[452] * 9900)
    await wire.talk(b"DATA\r\n", 354)
    await wire.talk(b".\r\n", 250)
    assert len(listener.ingest.envelopes[0].recipients) == 100


@ensure
async def test_a_hundred_megabytes_are_drained_within_bounds(listener: SmtpListener) -> None:
    most = 0

    def look() -> bool:
        nonlocal most
        most = max(most, listener.ingest.budget.held_bytes)
        return bool(wire.codes)

    wire = await listener.connect()
    await wire.talk(START + b"DATA\r\n", 250, 250, 250, 354)
    block = b"x" * 998 + b"\r\n"
    for _ in range(100):
        wire.send(block * 1000)
        await until(lambda: not wire.transport._tempDataLen or look())  # type: ignore[union-attr]
        look()
    await wire.talk(b".\r\n", 552)
    assert 0 < most <= MessageSettings().max_bytes + 65_536
    assert listener.ingest.budget.held_bytes == 0
    await wire.talk(START + b"DATA\r\n", 250, 250, 250, 354)
    await wire.talk(b"small\r\n.\r\n", 250)


_STATES = {
    "greeted": b"",
    "half a command": b"EHL",
    "EHLO": b"EHLO c\r\n",
    "MAIL": b"EHLO c\r\nMAIL FROM:<>\r\n",
    "RCPT": START,
    "DATA": START + b"DATA\r\n",
    "half a message": START + b"DATA\r\nhalf",
    "half an end": START + b"DATA\r\nhalf\r\n.\r",
    "half a chunk": START + b"BDAT 10 LAST\r\nhalf",
    "between chunks": START + b"BDAT 4\r\nhalf",
    "drained chunk": b"BDAT 1000\r\nx",
    "QUIT": b"QUIT\r\n",
}


@pytest.mark.parametrize("state", _STATES)
@ensure
async def test_a_client_may_vanish_in_any_state(listener: SmtpListener, state: str) -> None:
    for end in ("abortConnection", "loseConnection"):
        wire = await listener.connect()
        wire.send(_STATES[state])
        if state not in {"greeted", "half a command", "drained chunk"}:
            await wire.until(lambda wire=wire: bool(wire.codes))  # type: ignore[misc]
        getattr(wire.transport, end)()
        await listener.gone()
    assert listener.ingest.envelopes == []
    assert listener.ingest.budget.held_bytes == 0


@pytest.mark.usefixtures("without_collecting")
@pytest.mark.parametrize("state", [state for state in _STATES if state != "QUIT"])
@ensure
async def test_nothing_is_left_of_a_client_that_vanished(
    listener: SmtpListener, state: str
) -> None:
    wire = await listener.connect()
    wire.send(_STATES[state])
    if state not in {"greeted", "half a command", "drained chunk"}:
        await wire.until(lambda: bool(wire.codes))
    left = [weakref.ref(each) for each in _parts_of_the_only_connection(listener)]
    wire.abort()
    await listener.gone()
    await until(lambda: not any(each() for each in left))


def _parts_of_the_only_connection(listener: SmtpListener) -> list[object]:
    [server] = listener.factory._connections.members
    return [server, server.transport, server._handler]


@ensure
async def test_bytes_are_held_until_the_fate_of_the_message_is_known(
    listener: SmtpListener,
) -> None:
    commits: list[Deferred[None]] = []

    def outcome() -> Deferred[None]:
        commits.append(Deferred())
        return commits[-1]

    listener.ingest.outcome = outcome
    for end in ("stay", "vanish"):
        wire = await listener.connect()
        wire.send(START + b"DATA\r\n0123456789\r\n.\r\n")
        await until(lambda: bool(commits))
        await until(lambda: listener.ingest.budget.held_bytes == 12)
        if end == "vanish":
            wire.abort()
            await until(lambda: listener.connections == 1)
            assert listener.ingest.budget.held_bytes == 12
        commits.pop().callback(None)
        await until(lambda: listener.ingest.budget.held_bytes == 0)


@ensure
async def test_a_message_waits_for_room_before_it_begins(listener: SmtpListener) -> None:
    budget = listener.ingest.budget = ByteBudget(100)
    budget.take(100)
    gone, waiting = await listener.connect(), await listener.connect()
    await gone.talk(START + b"DATA\r\n", 250, 250, 250)
    await waiting.talk(START + b"BDAT 2 LAST\r\nhi", 250, 250, 250)
    gone.abort()
    await until(lambda: listener.connections == 1)
    assert len(budget._waiting) == 1
    listener.pass_time(3600)  # it is not the client who is late
    budget.give(100)
    await waiting.expect(250)


@pytest.fixture
def tight(listen: Callable[..., SmtpListener]) -> SmtpListener:
    made = listen()
    made.ingest.budget.soft_bytes = 1000
    return made


@pytest.mark.parametrize("begin", [b"DATA\r\n", b"BDAT 3000 LAST\r\n"])
@ensure
async def test_a_message_that_exhausts_memory_is_refused(tight: SmtpListener, begin: bytes) -> None:
    wire = await tight.connect()
    wire.send(START + begin + b"x" * 2100)
    await wire.until(lambda: 250 in wire.codes)
    wire.send(b"x" * 900)
    wire.send(b"\r\n.\r\n" if begin == b"DATA\r\n" else b"")
    await wire.until(lambda: wire.codes[-1] == 452)
    assert tight.ingest.budget.held_bytes == 0
    assert tight.ingest.envelopes == []


@pytest.mark.parametrize("begin", [b"DATA\r\n", b"BDAT 3000 LAST\r\n"])
@ensure
async def test_slow_senders_do_not_keep_others_waiting(tight: SmtpListener, begin: bytes) -> None:
    slower, slow, other = [await tight.connect() for _ in range(3)]
    slower.send(START + begin + b"x" * 500)
    await until(lambda: tight.ingest.budget.held_bytes == 500)
    slow.send(START + begin + b"x" * 600)
    await until(lambda: tight.ingest.budget.held_bytes == 1100)
    await other.talk(START + b"BDAT 2 LAST\r\nhi", 250, 250, 250)
    tight.pass_time(5)
    assert tight.ingest.budget.held_bytes == 1100
    tight.pass_time(1)
    await other.expect(250)
    assert tight.ingest.budget.held_bytes == 600
    slower.send(b"x" * 2500 + (b"\r\n.\r\n" if begin == b"DATA\r\n" else b""))
    await slower.until(lambda: 452 in slower.codes)
    slow.abort()


@ensure
async def test_a_reply_to_a_connection_that_is_just_gone_is_dropped(listener: SmtpListener) -> None:
    wire = await listener.connect()
    [server] = listener.factory._connections.members
    server.write(b"250 too late\r\n")
    server._tcp.connectionLost(Failure(ConnectionLost()))
    await listener.gone()
    await wire.closed()


@ensure
async def test_one_connections_defect_does_not_silence_the_others(
    listener: SmtpListener, logged_errors: list[LogEvent]
) -> None:
    broken, sound = await listener.connect(), await listener.connect()
    port = cast(Any, broken.transport).getHost().port
    servers = {
        member._tcp.getPeer().port: member for member in listener.factory._connections.members
    }
    first = servers.pop(port)
    [second] = servers.values()
    first._tcp.writeSomeData = None  # type: ignore[assignment, method-assign]
    first.write(b"250 lost\r\n")
    second.write(b"250 sent\r\n")
    await sound.expect(250)
    await broken.closed()
    assert len(logged_errors) == 1
    logged_errors.clear()


@ensure
async def test_many_who_wait_for_room_are_let_in_without_recursion(
    tight: SmtpListener,
) -> None:
    tight.ingest.budget.take(1000)
    wires = [await tight.connect() for _ in range(300)]
    for wire in wires:
        await wire.talk(START + b"BDAT 3 LAST\r\nabc", 250, 250, 250)
    tight.ingest.budget.give(1000)
    for wire in wires:
        await wire.expect(250)


@ensure
async def test_garbage_is_answered_and_ends_in_421(listener: SmtpListener) -> None:
    rng = random.Random(1)
    for _ in range(20):
        wire = await listener.connect()
        for _ in range(40):
            wire.send(rng.randbytes(rng.randrange(2000)) + b"\r\n")
        await wire.closed()
        assert wire.codes[-1] == 421


@ensure
async def test_a_tls_client_on_the_plain_port_and_a_browser_are_closed(
    listener: SmtpListener,
) -> None:
    wire = await listener.connect()
    wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await wire.closed()
    assert wire.codes == [554]


@ensure
async def test_who_drips_and_who_floods_is_answered_in_the_end(listener: SmtpListener) -> None:
    dripping, flooding = await listener.connect(), await listener.connect()
    flooding.send(b"NOOP\r\n" * 10_000 + b"QUIT\r\n")
    for octet in b"NOOP\r\n" * 20 + b"QUIT\r\n":
        dripping.send(bytes([octet]))
        await until(lambda: True)
    await flooding.closed()
    assert flooding.codes == [250] * 10_000 + [221]
    await dripping.closed()
    assert dripping.codes == [250] * 20 + [221]


@ensure
async def test_those_who_flood_leave_others_their_turns(listener: SmtpListener) -> None:
    floods = [await listener.connect() for _ in range(100)]
    for flooding in floods:
        flooding.send(b"NOOP\r\n" * 1_000)
    await floods[-1].until(lambda: b"250" in floods[-1].received)
    other = await listener.connect()
    await other.talk(START + b"DATA\r\n", 250, 250, 250, 354)
    await other.talk(b"hello\r\n.\r\n", 250)
    answered = sum(len(flooding.codes) for flooding in floods)
    assert answered < 100 * 1_000 // 2
    for flooding in floods:
        flooding.abort()
    other.abort()


@ensure
async def test_a_client_that_never_reads_is_not_served_further(listener: SmtpListener) -> None:
    wire = await listener.connect()
    wire.transport.pauseProducing()  # type: ignore[union-attr]
    count = 40_000
    wire.send(b"EHLO c\r\n" * count)
    [server] = listener.factory._connections.members
    await until(lambda: server._handler._paused)
    for _ in range(20):  # more turns make no difference
        await until(lambda: True)
    held_bytes = server._handler.session.unread_bytes
    held_bytes += len(server._unsent) + server._tcp._tempDataLen + len(server._tcp.dataBuffer)
    assert held_bytes < 32_768
    wire.transport.resumeProducing()  # type: ignore[union-attr]
    await wire.until(lambda: wire.received.count(b"250 HELP\r\n") == count)


@ensure
async def test_connections_are_limited_in_all(listen: Callable[..., SmtpListener]) -> None:
    listener = listen(SmtpSettings(max_connections=2))
    first, _ = await listener.connect(), await listener.connect()
    refused = await listener.connect(421)
    await refused.closed()
    first.transport.loseConnection()  # type: ignore[union-attr]
    await until(lambda: listener.connections == 1)
    await listener.connect()


@ensure
async def test_connections_are_limited_for_each_peer(listen: Callable[..., SmtpListener]) -> None:
    listener = listen(SmtpSettings(max_connections_per_peer=1))
    first = await listener.connect()
    await (await listener.connect(421)).closed()
    first.transport.loseConnection()  # type: ignore[union-attr]
    await listener.gone()
    await listener.connect()


@ensure
async def test_auth_is_answered_slowly(listener: SmtpListener) -> None:
    wire = await listener.connect()
    await wire.talk(b"EHLO c\r\n", 250)
    wire.send(b"AUTH LOGIN\r\nNOOP\r\n")
    [server] = listener.factory._connections.members
    await until(lambda: server._handler.session.waiting)
    assert wire.received == b""
    listener.pass_time(1)
    await wire.expect(502, 250)


@ensure
async def test_one_connections_defect_ends_no_others_timeout(
    listener: SmtpListener, logged_errors: list[LogEvent]
) -> None:
    broken, sound = await listener.connect(), await listener.connect()
    first = next(iter(listener.factory._connections.members))
    first._since_s = None  # type: ignore[assignment]
    listener.pass_time(1)
    await broken.closed()
    listener.pass_time(300)
    await sound.expect(421)
    await sound.closed()
    assert [event["log_failure"].type for event in logged_errors] == [TypeError]
    logged_errors.clear()


@ensure
async def test_a_defect_of_the_port_ends_no_timeout(
    listener: SmtpListener, logged_errors: list[LogEvent]
) -> None:
    wire = await listener.connect()
    listener.factory._budget = None  # type: ignore[assignment]
    listener.pass_time(302)
    await wire.expect(421)
    assert {event["log_failure"].type for event in logged_errors} == {AttributeError}
    logged_errors.clear()


@ensure
async def test_one_connections_defect_keeps_no_other_from_being_drained(
    listener: SmtpListener, logged_errors: list[LogEvent]
) -> None:
    wires = [await listener.connect(), await listener.connect()]
    first = next(iter(listener.factory._connections.members))
    first._handler.end = None  # type: ignore[assignment, method-assign]
    drained = Deferred.fromCoroutine(listener.factory.drain())
    for wire in wires:
        await wire.closed()
    await drained
    assert sorted(wire.codes for wire in wires) == [[], [421]]
    assert len(logged_errors) == 1
    logged_errors.clear()


@ensure
async def test_who_only_stops_sending_still_gets_the_answer(listener: SmtpListener) -> None:
    commit: Deferred[None] = Deferred()
    listener.ingest.outcome = lambda: commit
    wire = await listener.connect()
    wire.send(START + b"DATA\r\nhello\r\n.\r\nNOOP\r\n")
    wire.transport.loseWriteConnection()  # type: ignore[union-attr]
    await until(lambda: bool(listener.ingest.envelopes))
    [server] = listener.factory._connections.members
    await until(lambda: server.left)
    commit.callback(None)
    await wire.closed()
    assert wire.codes == [250, 250, 250, 354, 250, 250]


@ensure
async def test_drain_closes_the_idle_and_lets_messages_be_finished(listener: SmtpListener) -> None:
    commit: Deferred[None] = Deferred()
    outcomes = [succeed(None), commit]
    listener.ingest.outcome = outcomes.pop
    idle, sender, storing = [await listener.connect() for _ in range(3)]
    await idle.talk(START, 250, 250, 250)
    storing.send(START + b"DATA\r\none\r\n.\r\n")
    await until(lambda: len(listener.ingest.envelopes) == 1)
    await storing.expect(250, 250, 250, 354)
    await sender.talk(START + b"DATA\r\ntw", 250, 250, 250, 354)
    drained = Deferred.fromCoroutine(listener.factory.drain())
    await idle.closed()
    assert idle.received.startswith(b"421 4.3.2 ")
    await (await listener.connect(421)).closed()
    sender.send(b"o\r\n.\r\nMAIL FROM:<>\r\n")
    await sender.closed()
    assert sender.codes == [250, 421]
    assert not drained.called
    commit.callback(None)
    await storing.closed()
    assert storing.codes == [250, 421]
    await drained


@ensure
async def test_several_ports_are_drained_at_the_same_time(
    listen: Callable[..., SmtpListener],
) -> None:
    ports = [listen(), listen()]
    wires = [await port.connect() for port in ports]
    for wire in wires:
        await wire.talk(START, 250, 250, 250)
        wire.send(b"DATA\r\nhalf")
        await wire.expect(354)
    drained = Deferred.fromCoroutine(drain_all(port.factory for port in ports))
    for port, wire in zip(reversed(ports), reversed(wires), strict=True):
        port.pass_time(11)
        await wire.closed()
        assert wire.codes == [421]
    await drained


@ensure
async def test_drain_does_not_wait_for_ever(listener: SmtpListener) -> None:
    slow = await listener.connect()
    await slow.talk(START + b"DATA\r\nhalf", 250, 250, 250, 354)
    drained = Deferred.fromCoroutine(listener.factory.drain())
    listener.pass_time(11)
    await slow.closed()
    assert slow.codes == [421]
    await drained
    assert listener.ingest.budget.held_bytes == 0


@ensure
async def test_drain_of_nobody_returns_at_once(listener: SmtpListener) -> None:
    await listener.factory.drain()
