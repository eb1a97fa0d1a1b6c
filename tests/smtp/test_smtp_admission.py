"""Who is refused, slowed and sent away, by a port that is told so by the use cases."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred

from mailsacd.core.account import AccountIdentity
from mailsacd.core.envelope import Recipient
from mailsacd.core.errors import DeniedError, ThrottledError, UnavailableError
from mailsacd.smtp.services import AdmitsPeer
from tests.patience import until
from tests.smtp.listener import START, SmtpListener
from tests.sockets.loopback import Wire

ensure = pytest_twisted.ensureDeferred
TOO_MUCH = ThrottledError("Too much, come back in 7 s", retry_after_s=7)


@dataclass
class Admitting:
    """Admits as a test says: ``connecting`` and what ``waits`` has for each recipient."""

    connecting: Exception | None = None
    waits: list[float | Exception | Awaitable[float]] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)

    def of_peer(self, peer_ip: str) -> AdmitsPeer:
        self.peers.append(peer_ip)
        return self

    def check_connection(self) -> None:
        if self.connecting is not None:
            raise self.connecting

    def refuses_sender(self, reverse_path: str) -> bool:
        return reverse_path.startswith("bad")

    def recipient(
        self, _reverse_path: str, _recipient: Recipient, _account: AccountIdentity | None
    ) -> float | Awaitable[float]:
        found = self.waits.pop(0) if self.waits else 0.0
        if isinstance(found, Exception):
            raise found
        return found


async def _begun(listen: Callable[..., SmtpListener], admitting: Admitting) -> tuple[Any, Wire]:
    listener = listen(admission=admitting)
    wire = await listener.connect()
    await wire.talk(b"EHLO c\r\nMAIL FROM:<a@b.example>\r\n", 250, 250)
    return listener, wire


@ensure
async def test_who_is_denied_hears_554_and_may_only_quit(listen: Any) -> None:
    listener = listen(admission=Admitting(connecting=DeniedError("no")))
    wire = await listener.connect(554)
    await wire.talk(b"EHLO c\r\n" + b"MAIL FROM:<a@b.example>\r\nSTARTTLS\r\n", 503, 503, 503)
    await wire.talk(b"BDAT 6 LAST\r\nQUIT\r\n" + b"AUTH PLAIN\r\nRSET\r\n", 503, 503, 503)
    await wire.talk(b"QUIT\r\n", 221)
    await wire.closed()


@ensure
async def test_who_is_denied_and_goes_on_is_closed(listen: Any) -> None:
    listener = listen(admission=Admitting(connecting=DeniedError("no")))
    wire = await listener.connect(554)
    await wire.talk(b"NOOP\r\n" * 21, *[503] * 20, 421)
    await wire.closed()


@ensure
async def test_who_sent_too_much_is_told_when_to_come_back(listen: Any) -> None:
    listener = listen(admission=Admitting(connecting=TOO_MUCH))
    wire = await listener.dial()
    await wire.closed()
    assert wire.received == b"421 4.7.0 Too much, come back in 7 s\r\n"


@ensure
async def test_a_slowed_recipient_is_answered_late_and_in_order(listen: Any) -> None:
    listener, wire = await _begun(listen, Admitting(waits=[5.0, 0.0]))
    wire.send(b"RCPT TO:<c@d.example>\r\nRCPT TO:<e@f.example>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n")
    await until(lambda: listener.only._handler.waiting)
    listener.pass_time(4)
    assert wire.received == b""
    listener.pass_time(1)
    await wire.expect(250, 250, 354, 250, 250)
    assert len(listener.ingest.envelopes) == 1


@ensure
async def test_no_more_is_read_from_who_is_slowed(listen: Any) -> None:
    listener, wire = await _begun(listen, Admitting(waits=[5.0]))
    wire.send(b"RCPT TO:<c@d.example>\r\n" + b"NOOP\r\n" * 20_000)
    server = listener.only
    await until(lambda: not server.read_control._is_on)
    assert server._handler.session.unread_bytes < 20_000
    listener.pass_time(6)
    await wire.until(lambda: wire.received.count(b"\r\n") == 20_001)


@ensure
async def test_a_slowed_client_that_hangs_up_leaves_nothing(listen: Any) -> None:
    listener, wire = await _begun(listen, Admitting(waits=[5.0]))
    wire.send(b"RCPT TO:<c@d.example>\r\n")
    await until(lambda: listener.only._handler.waiting)
    calls = len(listener.clock.getDelayedCalls())
    wire.abort()
    await listener.gone()
    assert len(listener.clock.getDelayedCalls()) == calls - 1


@ensure
async def test_who_is_slowed_is_not_overdue(listen: Any) -> None:
    listener, wire = await _begun(listen, Admitting(waits=[400.0]))
    wire.send(b"RCPT TO:<c@d.example>\r\n")
    await until(lambda: listener.only._handler.waiting)
    listener.pass_time(401)
    await wire.expect(250)


@ensure
async def test_too_much_is_421_and_the_end(listen: Any) -> None:
    listener, wire = await _begun(listen, Admitting(waits=[TOO_MUCH]))
    wire.send(b"RCPT TO:<c@d.example>\r\nRCPT TO:<e@f.example>\r\nDATA\r\n")
    await wire.closed()
    assert wire.received == b"421 4.7.0 Too much, come back in 7 s\r\n"
    await listener.gone()


@ensure
async def test_too_much_after_a_good_recipient_loses_nothing(listen: Any) -> None:
    listener, wire = await _begun(listen, Admitting(waits=[0.0, TOO_MUCH]))
    await wire.talk(b"RCPT TO:<c@d.example>\r\nRCPT TO:<e@f.example>\r\n", 250, 450)
    await wire.talk(b"DATA\r\nx\r\n.\r\n", 354, 250)
    [envelope] = listener.ingest.envelopes
    assert [r.inbox for r in envelope.recipients] == ["c@d.example"]


@ensure
async def test_a_denied_recipient_is_554_and_the_others_are_not(listen: Any) -> None:
    _, wire = await _begun(listen, Admitting(waits=[DeniedError("no"), 0.0]))
    await wire.talk(b"RCPT TO:<c@d.example>\r\nRCPT TO:<e@f.example>\r\n", 554, 250)


@ensure
async def test_an_answer_may_take_a_look_into_the_database(listen: Any) -> None:
    looks: list[Deferred[float]] = [Deferred() for _ in range(3)]
    _, wire = await _begun(listen, Admitting(waits=[*looks]))
    wire.send(b"RCPT TO:<c@d.example>\r\n" * 3)
    looks[0].callback(0.0)
    await wire.expect(250)
    looks[1].errback(UnavailableError("away"))
    await wire.expect(451)
    looks[2].callback(3.0)
    await until(lambda: True)
    assert wire.received == b""


@ensure
async def test_a_denied_sender_is_554(listen: Any) -> None:
    listener = listen(admission=(admitting := Admitting()))
    wire = await listener.connect()
    await wire.talk(b"EHLO c\r\nMAIL FROM:<bad@b.example>\r\n", 250, 554)
    await wire.talk(START, 250, 250, 250)
    assert admitting.peers == ["127.0.0.1"]
