"""What silence and slowness cost: how long who gets nothing done is waited for, in every state."""

import base64
from collections.abc import Callable

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from mailsacd.certificate import ReloadableContext
from mailsacd.settings import CaptureSettings
from tests.patience import until
from tests.smtp.listener import START, Capturing, SmtpListener
from tests.sockets.loopback import Wire

ensure = pytest_twisted.ensureDeferred


async def _drip(listener: SmtpListener, wire: Wire, *, every_s: int, until_s: int) -> None:
    """An octet comes every so many seconds."""
    [server] = listener.factory._connections.members
    for passed_s in range(0, until_s, every_s):
        server.dataReceived(b"x")
        listener.pass_time(min(every_s, until_s - passed_s))
    await until(lambda: True)


@pytest.mark.parametrize(
    ("begin", "replies", "limit_s"),
    [
        (b"", [], 300),
        (b"EHLO c\r\nMAIL", [250], 300),
        (START, [250, 250, 250], 300),
        (START + b"DATA\r\nhalf", [250, 250, 250, 354], 180),
        (START + b"BDAT 10\r\nhalf", [250, 250, 250], 180),
        (START + b"BDAT 4\r\nhalf", [250, 250, 250, 250], 180),
    ],
)
@ensure
async def test_silence_ends_a_session(
    listener: SmtpListener, begin: bytes, replies: list[int], limit_s: int
) -> None:
    wire = await listener.connect()
    await wire.talk(begin, *replies)
    listener.pass_time(limit_s - 2)
    assert not wire.lost
    listener.pass_time(3)
    await wire.closed()
    assert wire.received.startswith(b"421 4.4.2 ")


@pytest.mark.parametrize(
    ("begin", "replies"),
    [
        (b"", []),
        (b"EHLO c\r\n", [250]),
        (b"EHLO c\r\nMAIL FROM:<a@b.example>\r\n", [250, 250]),
        (START, [250, 250, 250]),
    ],
)
@ensure
async def test_a_command_that_drips_in_has_no_more_time_than_one_that_does_not_come(
    listener: SmtpListener, begin: bytes, replies: list[int]
) -> None:
    wire = await listener.connect()
    await wire.talk(begin, *replies)
    await _drip(listener, wire, every_s=100, until_s=302)
    await wire.closed()
    assert wire.received.startswith(b"421 4.4.2 ")


@pytest.mark.parametrize(
    ("begin", "replies"),
    [
        (START + b"DATA\r\n", [250, 250, 250, 354]),
        (START + b"BDAT 1000\r\n", [250, 250, 250]),
        (START + b"BDAT 1\r\nx", [250, 250, 250, 250]),
        (b"BDAT 1000\r\n", []),  # which is read and thrown away
    ],
)
@ensure
async def test_a_message_that_drips_in_is_not_waited_for_without_end(
    listener: SmtpListener, begin: bytes, replies: list[int]
) -> None:
    wire = await listener.connect()
    await wire.talk(begin, *replies)
    await _drip(listener, wire, every_s=100, until_s=500)
    assert not wire.lost
    await _drip(listener, wire, every_s=100, until_s=102)
    await wire.closed()
    assert wire.received.startswith(b"421 4.4.2 ")
    await listener.gone()
    assert listener.ingest.budget.held_bytes == 0


@ensure
async def test_who_drips_on_does_not_hold_a_connection_that_is_closed(
    listener: SmtpListener,
) -> None:
    wire = await listener.connect()
    wire.transport.pauseProducing()  # type: ignore[union-attr]
    wire.send(b"EHLO c\r\n" * 40_000)
    [server] = listener.factory._connections.members
    await until(lambda: server._handler._paused)
    await listener.pass_time_until_closing(server, 302)
    for _ in range(12):
        server.dataReceived(b"x")
        listener.pass_time(1)
    await listener.gone()


@pytest.mark.parametrize(
    ("begin", "replies"),
    [
        (b"AUTH PLAIN\r\n", [334]),
        (b"AUTH LOGIN\r\n", [334]),
        (b"AUTH LOGIN\r\n" + base64.b64encode(b"name") + b"\r\n", [334, 334]),
    ],
)
@ensure
async def test_a_response_that_drips_in_has_no_more_time_either(
    listen: Callable[..., SmtpListener],
    tls: ReloadableContext,
    begin: bytes,
    replies: list[int],
) -> None:
    port = listen(CaptureSettings(), tls=tls, capture=Capturing(), plain_login="loopback")
    wire = await port.connect()
    await wire.talk(b"EHLO c\r\n" + begin, 250, *replies)
    await _drip(port, wire, every_s=100, until_s=302)
    await wire.closed()
    assert wire.received.startswith(b"421 4.4.2 ")


@ensure
async def test_a_slow_sender_is_not_cut_off(listener: SmtpListener) -> None:
    wire = await listener.connect()
    await wire.talk(START + b"DATA\r\n", 250, 250, 250, 354)
    for n in range(3):
        wire.send(b"x")
        await until(lambda n=n: listener.ingest.budget.held_bytes == n + 1)  # type: ignore[misc]
        listener.pass_time(170)
    await wire.talk(b"\r\n.\r\n", 250)


@ensure
async def test_a_slow_commit_is_not_the_clients_silence(listener: SmtpListener) -> None:
    commit: Deferred[None] = Deferred()
    listener.ingest.outcome = lambda: commit
    wire = await listener.connect()
    wire.send(START + b"DATA\r\n.\r\n")
    await until(lambda: bool(listener.ingest.envelopes))
    listener.pass_time(1000)
    commit.callback(None)
    await wire.expect(250, 250, 250, 354, 250)


@ensure
async def test_a_client_that_never_reads_is_closed_in_the_end(listener: SmtpListener) -> None:
    wire = await listener.connect()
    wire.transport.pauseProducing()  # type: ignore[union-attr]
    wire.send(b"EHLO c\r\n" * 40_000)
    [server] = listener.factory._connections.members
    await until(lambda: server._handler._paused)
    await listener.pass_time_until_closing(server, 302)
    assert listener.connections == 1
    listener.pass_time(12)
    await listener.gone()
