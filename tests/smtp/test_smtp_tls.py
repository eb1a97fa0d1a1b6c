"""STARTTLS over real sockets."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Collection
from contextlib import suppress

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent

from mailsacd.certificate import ReloadableContext
from mailsacd.setting_types import StartTls
from mailsacd.settings import SmtpSettings
from mailsacd.smtp.factory import SmtpProtocol
from tests.patience import until
from tests.smtp.listener import START, SmtpListener

ensure = pytest_twisted.ensureDeferred


@pytest.fixture
def secure(listen: Callable[..., SmtpListener], tls: ReloadableContext) -> SmtpListener:
    return listen(tls=tls)


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _members(listener: SmtpListener) -> Collection[SmtpProtocol]:
    return listener.factory._connections.members


def _read_reply(sock: socket.socket) -> bytes:
    received = b""
    while not (received.endswith(b"\r\n") and received.splitlines()[-1][3:4] == b" "):
        data = sock.recv(4096)
        if not data:
            break
        received += data
    return received


@ensure
async def test_a_message_arrives_over_tls_with_its_facts(secure: SmtpListener) -> None:
    def send() -> tuple[bool, bool]:
        with smtplib.SMTP("127.0.0.1", secure.port, local_hostname="c.example") as client:
            client.ehlo()
            before = client.has_extn("starttls")
            client.starttls(context=_context())
            client.ehlo()
            client.sendmail("a@b.example", ["c@d.example"], "x" * 100_000 + "\r\n")
            return before, client.has_extn("starttls")

    assert await deferToThread(send) == (True, False)
    reception = secure.ingest.envelopes[0].reception
    assert reception.protocol == "ESMTPS"
    assert reception.tls is not None
    assert reception.tls.version == "TLSv1.3"
    assert reception.tls.cipher.startswith("TLS_")
    assert reception.tls.bits >= 128
    assert len(secure.ingest.envelopes[0].content) == 100_002


@pytest.mark.parametrize("injected", [b"NOOP\r\n", START + b"DATA\r\nevil\r\n.\r\n"])
@ensure
async def test_nothing_said_before_tls_is_done_inside_of_it(
    secure: SmtpListener, injected: bytes
) -> None:
    def talk() -> list[bytes]:
        with socket.create_connection(("127.0.0.1", secure.port)) as plain:
            _read_reply(plain)
            plain.sendall(b"EHLO c\r\n")
            _read_reply(plain)
            plain.sendall(b"STARTTLS\r\n" + injected)
            first = _read_reply(plain)
            with _context().wrap_socket(plain) as sock:
                sock.sendall(b"MAIL FROM:<>\r\n")
                second = _read_reply(sock)
                sock.sendall(b"QUIT\r\n")
                return [first, second, _read_reply(sock), sock.recv(10)]

    first, second, third, end = await deferToThread(talk)
    assert first.startswith(b"220 ")
    assert second.startswith(b"503 ")
    assert third.startswith(b"221 ")
    assert end == b""
    assert secure.ingest.envelopes == []


@ensure
async def test_a_handshake_that_fails_closes_the_connection_quietly(
    secure: SmtpListener, logged_errors: list[LogEvent]
) -> None:
    wire = await secure.connect()
    await wire.talk(b"EHLO c\r\nSTARTTLS\r\n", 250, 220)
    wire.send(b"MAIL FROM:<this is no handshake>\r\n" * 10)
    await wire.closed()
    await secure.gone()
    assert logged_errors == []


@ensure
async def test_a_handshake_that_never_comes_is_not_waited_for(secure: SmtpListener) -> None:
    wire = await secure.connect()
    await wire.talk(b"STARTTLS\r\n", 220)
    secure.pass_time(29)
    assert not wire.lost
    secure.pass_time(2)
    await wire.closed()


@ensure
async def test_silence_ends_a_tls_session(secure: SmtpListener) -> None:
    sock = await deferToThread(_begin_tls, secure.port)
    [server] = secure.factory._connections.members
    await until(lambda: server._stage.name == "SESSION")
    secure.pass_time(301)
    assert (await deferToThread(_read_reply, sock)).startswith(b"421 4.4.2 ")
    sock.close()


def _begin_tls(port: int) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port))
    _read_reply(plain)
    plain.sendall(b"STARTTLS\r\n")
    _read_reply(plain)
    return _context().wrap_socket(plain)


@ensure
async def test_a_tls_client_that_never_reads_is_not_served_further(secure: SmtpListener) -> None:
    sock = await deferToThread(_begin_tls, secure.port)
    [server] = secure.factory._connections.members
    await until(lambda: server._stage.name == "SESSION")

    def flood() -> None:
        with suppress(OSError):  # the end that the server makes
            while True:
                sock.sendall(b"EHLO c\r\n" * 1000)

    flooding = deferToThread(flood)
    await until(lambda: server._handler._paused)
    assert server._handler.session.unread_bytes < 500_000
    await secure.pass_time_until_closing(server, 302)
    secure.pass_time(12)
    await secure.gone()
    await flooding
    sock.close()
    await secure.gone()


@ensure
async def test_drain_ends_tls_sessions_and_handshakes(secure: SmtpListener) -> None:
    handshake = await secure.connect()
    await handshake.talk(b"STARTTLS\r\n", 220)
    sock = await deferToThread(_begin_tls, secure.port)
    await until(lambda: [m._stage.name for m in _members(secure)].count("SESSION") == 1)
    drained = Deferred.fromCoroutine(secure.factory.drain())
    await handshake.closed()
    assert (await deferToThread(_read_reply, sock)).startswith(b"421 4.3.2 ")
    assert not drained.called  # the client has not closed its side of TLS
    secure.pass_time(2)
    await drained
    sock.close()


@ensure
async def test_starttls_behind_a_proxy(
    listen: Callable[..., SmtpListener], tls: ReloadableContext
) -> None:
    listener = listen(SmtpSettings(proxy_networks=("127.0.0.0/8",)), tls=tls)

    def send() -> None:
        plain = socket.create_connection(("127.0.0.1", listener.port))
        plain.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\n")
        _read_reply(plain)
        plain.sendall(b"STARTTLS\r\n")
        _read_reply(plain)
        with _context().wrap_socket(plain) as sock:
            sock.sendall(START + b"DATA\r\n")
            while b"354" not in _read_reply(sock):
                pass
            sock.sendall(b"hi\r\n.\r\nQUIT\r\n")
            _read_reply(sock)

    await deferToThread(send)
    assert listener.ingest.envelopes[0].reception.peer_ip == "192.0.2.1"
    assert listener.ingest.envelopes[0].reception.tls


@pytest.mark.parametrize(
    ("starttls", "self_signed", "local", "offered"),
    [
        ("auto", True, "127.0.0.1", False),
        ("auto", True, "127.8.9.1", False),
        ("auto", True, "::1", False),
        ("auto", True, "192.0.2.1", True),
        ("auto", True, "2001:db8::1", True),
        ("auto", False, "127.0.0.1", True),
        ("offer", True, "127.0.0.1", True),
        ("offer", False, "192.0.2.1", True),
        ("require", True, "::1", True),
        ("never", False, "192.0.2.1", False),
    ],
)
@ensure
async def test_tls_is_offered_where_mailers_can_use_it(
    listen: Callable[..., SmtpListener],
    tls: ReloadableContext,
    starttls: StartTls,
    self_signed: bool,
    local: str,
    offered: bool,
) -> None:
    settings = SmtpSettings(starttls=starttls, proxy_networks=("127.0.0.1",))
    wire = await listen(settings, tls=tls, self_signed=self_signed).connect(0)
    family, peer = ("TCP6", "2001:db8::9") if ":" in local else ("TCP4", "192.0.2.9")
    wire.send(f"PROXY {family} {peer} {local} 1234 25\r\n".encode())
    await wire.expect(220)
    wire.send(b"EHLO c\r\n")
    await wire.until(lambda: bool(wire.codes))
    assert (b"250 STARTTLS" in wire.received) is offered
    await wire.expect(250)
    await wire.talk(b"MAIL FROM:<>\r\n", 530 if starttls == "require" else 250)
    await wire.talk(b"RSET\r\nSTARTTLS\r\n", 250, 220 if offered else 502)
