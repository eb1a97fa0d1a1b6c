"""The port on which people log in, over real sockets: who may, how failing is slowed down."""

import base64
import smtplib
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent

from mailsacd.certificate import ReloadableContext
from mailsacd.core.errors import (
    ConfigurationError,
    MailsacdError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.setting_types import PlainLogin, StartTls
from mailsacd.settings import CaptureSettings
from mailsacd.smtp.runner import AUTH_DELAY_S
from tests.patience import until
from tests.smtp.listener import Capturing, SmtpListener
from tests.sockets.loopback import Wire

ensure = pytest_twisted.ensureDeferred

EHLO = b"EHLO c.example\r\n"
MAIL = b"MAIL FROM:<a@b.example>\r\n"
MESSAGE = MAIL + b"RCPT TO:<c@d.example>\r\nDATA\r\nhello\r\n.\r\n"


def auth(name: str, secret: str) -> bytes:
    return b"AUTH PLAIN " + base64.b64encode(f"\0{name}\0{secret}".encode()) + b"\r\n"


RIGHT, WRONG = auth("ann", "right"), auth("ann", "wrong")


@pytest.fixture
def capture() -> Capturing:
    return Capturing()


Listen = Callable[..., SmtpListener]


@pytest.fixture
def port(listen: Listen, tls: ReloadableContext, capture: Capturing) -> SmtpListener:
    """As the settings have it by default."""
    settings = CaptureSettings()
    return listen(settings, tls=tls, capture=capture, plain_login=settings.plain_login)


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _greeted(listener: SmtpListener) -> Wire:
    wire = await listener.connect()
    await wire.talk(EHLO, 250)
    return wire


@ensure
async def test_mail_of_who_has_logged_in_is_given_to_capture(
    port: SmtpListener, capture: Capturing
) -> None:
    wire = await _greeted(port)
    await wire.talk(RIGHT + MESSAGE, 235, 250, 250, 354, 250)
    ((account, envelope),) = capture.delivered
    assert (account, envelope.recipients[0].inbox) == ("ann", "c@d.example")
    assert envelope.reception.protocol == "ESMTPA"
    assert capture.tried == [("ann", "right", "127.0.0.1")]
    assert port.ingest.envelopes == []


@ensure
async def test_a_wrong_login_is_answered_after_a_while_and_the_third_one_ends_it(
    port: SmtpListener, capture: Capturing
) -> None:
    wire = await _greeted(port)
    for answer in (535, 535, 421):
        wire.send(WRONG)
        await until(lambda: len(port.clock.getDelayedCalls()) == 2)  # and the sweep's
        port.clock.advance(AUTH_DELAY_S - 0.1)
        assert wire.codes == []
        port.clock.advance(0.2)
        await wire.expect(answer)
    await wire.closed()
    assert len(capture.tried) == 3


@ensure
async def test_who_guessed_too_often_is_told_to_wait_before_anything_is_checked(
    port: SmtpListener, capture: Capturing
) -> None:
    capture.error = ThrottledError("Too many wrong passwords, try again in 9 s", retry_after_s=9)
    wire = await _greeted(port)
    wire.send(WRONG)
    await until(lambda: len(port.clock.getDelayedCalls()) == 2)
    port.clock.advance(AUTH_DELAY_S)
    await wire.until(lambda: bool(wire.codes))
    assert wire.received == b"454 4.7.0 Too many wrong passwords, try again in 9 s\r\n"


@pytest.mark.parametrize("error", [UnavailableError("away"), RuntimeError("a defect")])
@ensure
async def test_what_cannot_be_checked_is_not_held_against_the_client(
    port: SmtpListener, capture: Capturing, error: MailsacdError, logged_errors: list[LogEvent]
) -> None:
    capture.error = error
    wire = await _greeted(port)
    for _ in range(4):
        await wire.talk(WRONG, 454)
    await wire.talk(RIGHT, 235)
    assert len(logged_errors) == (4 if isinstance(error, RuntimeError) else 0)
    logged_errors.clear()


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (
            ThrottledError("The 5 operations of this month are used up", retry_after_s=9),
            b"451 4.7.0 The 5 operations of this month are used up\r\n",
        ),
        (
            UnauthenticatedError("The account is suspended"),
            b"530 5.7.0 The account is suspended\r\n",
        ),
        (UnavailableError("away"), b"451 4.3.0 Not stored, try again later\r\n"),
    ],
)
@ensure
async def test_what_is_not_stored_is_said_to_be_so(
    port: SmtpListener, capture: Capturing, error: Exception, answer: bytes
) -> None:
    capture.on_deliver = error
    wire = await _greeted(port)
    wire.send(RIGHT + MESSAGE)
    await wire.until(lambda: len(wire.codes) == 5)
    assert wire.received.endswith(answer)


@ensure
async def test_what_is_pipelined_behind_a_login_waits_for_it(
    port: SmtpListener, capture: Capturing
) -> None:
    capture.hold = Deferred()
    wire = await _greeted(port)
    wire.send(RIGHT + MESSAGE)
    await until(lambda: bool(capture.tried))
    assert wire.codes == []
    capture.hold.callback(None)
    await wire.expect(235, 250, 250, 354, 250)


@ensure
async def test_a_client_that_goes_away_during_its_login_leaves_nothing(
    port: SmtpListener, capture: Capturing
) -> None:
    given_up: list[object] = []
    capture.hold = Deferred(given_up.append)
    wire = await _greeted(port)
    wire.send(WRONG)
    await until(lambda: bool(capture.tried))
    wire.abort()
    await port.gone()
    assert given_up  # nobody waits for its password to be checked
    assert len(port.clock.getDelayedCalls()) == 1


@pytest.mark.parametrize(
    ("plain_login", "peer", "may"),
    [
        ("loopback", "127.0.0.1", True),
        ("loopback", "127.8.9.1", True),
        ("loopback", "::1", True),
        ("loopback", "192.0.2.1", False),
        ("loopback", "10.0.0.1", False),
        ("loopback", "2001:db8::1", False),
        ("never", "127.0.0.1", False),
        ("always", "192.0.2.1", True),
    ],
)
@ensure
async def test_without_tls_those_log_in_whom_the_setting_trusts(
    listen: Listen,
    tls: ReloadableContext,
    capture: Capturing,
    plain_login: str,
    peer: str,
    may: bool,
) -> None:
    settings = CaptureSettings(proxy_networks=("127.0.0.0/8",))
    port = listen(settings, tls=tls, capture=capture, plain_login=plain_login)
    wire = await port.connect(0)
    family = "TCP6" if ":" in peer else "TCP4"
    local = "::1" if ":" in peer else "127.0.0.1"
    wire.send(f"PROXY {family} {peer} {local} 1234 25\r\n".encode())
    await wire.expect(220)
    wire.send(EHLO)
    await wire.until(lambda: bool(wire.codes))
    assert (b"AUTH PLAIN LOGIN" in wire.received) is may
    wire.received = b""
    await wire.talk(RIGHT, 235 if may else 538)
    assert [tried[2] for tried in capture.tried] == ([peer] if may else [])


@pytest.mark.parametrize(
    ("plain_login", "starttls", "offers"),
    [
        ("loopback", "auto", (False, True)),
        ("never", "auto", (True, False)),
        ("never", "never", (False, False)),
        ("loopback", "offer", (True, True)),
        ("always", "require", (True, False)),
    ],
)
@ensure
async def test_on_the_same_machine_tls_is_offered_to_log_in_where_it_is_needed(
    listen: Listen,
    tls: ReloadableContext,
    capture: Capturing,
    plain_login: PlainLogin,
    starttls: StartTls,
    offers: tuple[bool, bool],
) -> None:
    settings = CaptureSettings(starttls=starttls)
    services: dict[str, Any] = {"capture": capture, "plain_login": plain_login}
    port = listen(settings, tls=tls, self_signed=True, **services)
    wire = await port.connect()
    wire.send(EHLO)
    await wire.until(lambda: bool(wire.codes))
    names = (b"STARTTLS", b"AUTH PLAIN LOGIN")
    assert tuple(name in wire.received for name in names) == offers


def test_a_network_that_is_none_is_named_by_its_own_setting(
    listen: Listen, capture: Capturing
) -> None:
    with pytest.raises(ConfigurationError, match=r"^capture\.proxy_networks"):
        listen(CaptureSettings(proxy_networks=("nowhere",)), capture=capture)


@pytest.mark.parametrize("initial_response", [True, False])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("way", ["plain", "starttls", "tls"])
@ensure
async def test_smtplib_logs_in_by_every_way(
    listen: Listen,
    tls: ReloadableContext,
    capture: Capturing,
    way: str,
    mechanism: str,
    initial_response: bool,
) -> None:
    at_once = way == "tls"
    port = listen(
        CaptureSettings(), tls=tls, capture=capture, plain_login="loopback", tls_at_once=at_once
    )

    def send() -> None:
        made = (
            smtplib.SMTP_SSL("127.0.0.1", port.port, context=_context())
            if at_once
            else smtplib.SMTP("127.0.0.1", port.port)
        )
        with made as client:
            if way == "starttls":
                client.starttls(context=_context())
            client.ehlo()
            client.user, client.password = "ann", "right"
            authenticate = client.auth_plain if mechanism == "PLAIN" else client.auth_login
            code, _ = client.auth(mechanism, authenticate, initial_response_ok=initial_response)
            assert code == 235
            client.sendmail("a@b.example", ["c@d.example"], "hello\r\n")

    await deferToThread(send)
    ((account, envelope),) = capture.delivered
    assert account == "ann"
    assert envelope.reception.protocol == ("ESMTPA" if way == "plain" else "ESMTPSA")
    assert (envelope.reception.tls is not None) is (way != "plain")


@ensure
async def test_tls_at_once_greets_after_the_handshake_and_offers_no_other(
    listen: Listen, tls: ReloadableContext, capture: Capturing
) -> None:
    port = listen(
        CaptureSettings(), tls=tls, capture=capture, plain_login="never", tls_at_once=True
    )

    def talk() -> tuple[bool, bool, int]:
        with smtplib.SMTP_SSL("127.0.0.1", port.port, context=_context()) as client:
            client.ehlo()
            return client.has_extn("auth"), client.has_extn("starttls"), client.docmd("STARTTLS")[0]

    assert await deferToThread(talk) == (True, False, 502)


@ensure
async def test_words_in_the_clear_on_a_port_with_tls_at_once_are_not_obeyed(
    listen: Listen, tls: ReloadableContext, capture: Capturing
) -> None:
    port = listen(
        CaptureSettings(), tls=tls, capture=capture, plain_login="always", tls_at_once=True
    )
    wire = await port.connect(0)
    wire.send(EHLO + RIGHT + MESSAGE)
    await wire.closed()
    assert capture.tried == []
    assert b"220" not in wire.received


@ensure
async def test_nothing_said_before_the_handshake_counts_after_it(
    port: SmtpListener, capture: Capturing
) -> None:
    def attack() -> bytes:
        with socket.create_connection(("127.0.0.1", port.port), timeout=10) as raw:
            _until(raw, b"220 ")
            raw.sendall(EHLO + RIGHT)
            _until(raw, b"235 ")
            raw.sendall(b"STARTTLS\r\n" + EHLO + auth("injected", "right") + MAIL)
            _until(raw, b"220 ")
            with _context().wrap_socket(raw, server_hostname="mx.example") as secure:
                secure.sendall(EHLO + MAIL + RIGHT + b"QUIT\r\n")
                return _until(secure, b"221 ")

    said = await deferToThread(attack)
    codes = [int(line[:3]) for line in said.splitlines() if line[3:4] == b" "]
    assert codes == [250, 530, 235, 221]
    assert [name for name, _, _ in capture.tried] == ["ann", "ann"]


@pytest.mark.parametrize("cut", [b"AUTH PLAIN", b"AUTH LOGIN"])
@ensure
async def test_a_handshake_is_not_begun_from_within_an_exchange(
    port: SmtpListener, cut: bytes
) -> None:
    wire = await _greeted(port)
    wire.send(cut + b"\r\nSTARTTLS\r\nNOOP\r\n")
    await wire.until(lambda: len(wire.codes) >= 3)
    assert 220 not in wire.codes


def _until(sock: socket.socket, sign: bytes) -> bytes:
    """What comes up to the end of a line that begins with ``sign``."""
    received = b""
    while not any(line.startswith(sign) for line in received.split(b"\r\n")[:-1]):
        data = sock.recv(4096)
        assert data, received
        received += data
    return received
