"""SMTP on a Twisted transport: runs a `Session`, and keeps time, memory and numbers in bounds.

What is hot is written for speed: one write a read, timers that are moved only when they fire, no
coroutine where an answer is there at once.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, cast

from OpenSSL import SSL
from twisted.internet import tcp
from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IPushProducer,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsacd.core import reply
from mailsacd.core.envelope import Envelope, Reception, Recipient, TlsFacts
from mailsacd.core.reply import Reply
from mailsacd.smtp.action import Action, AskRecipient, Deliver, Signal
from mailsacd.smtp.crowd import Crowd
from mailsacd.smtp.outcome import is_expected, refused_message, refused_recipient
from mailsacd.smtp.proxy import ProxyHeaderError, ProxyReader
from mailsacd.smtp.rules import SessionRules
from mailsacd.smtp.services import SmtpServices
from mailsacd.smtp.session import Session

TLS_HANDSHAKE_TIMEOUT_S: Final = 30.0
PROXY_HEADER_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 10.0
"""So long may a peer take to read our last words."""
AUTH_DELAY_S: Final = 1.0
MAX_UNREAD_BYTES: Final = 65_536
"""While a question is open, more input than this waits in the kernel."""
MAX_ACTIONS_A_TURN: Final = 200
"""After so many, other connections have their turn."""

_log = Logger()


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the connections of a listener share."""

    services: SmtpServices
    rules: SessionRules
    crowd: Crowd
    proxies: tuple[IPv4Network | IPv6Network, ...]
    tick_s: float
    """No deadline is shorter: a connection's timer fires at least this often."""


@implementer(IPushProducer, IHandshakeListener, IHalfCloseableProtocol)
class SmtpProtocol(Protocol):
    """One connection."""

    def __init__(self, shared: Shared) -> None:
        services = shared.services
        self._shared = shared
        self._clock = services.clock
        self._ingest = services.ingest
        self._budget = services.ingest.budget
        self._session = Session(shared.rules)
        self._tcp: tcp.Server
        self._proxy: ProxyReader | None = None
        self._reception: Reception | None = None
        self._peer_ip = self._local_ip = ""
        self._timer: IDelayedCall | None = None
        self._last_input_s = 0.0
        self._held_bytes = self._delivering_bytes = 0
        self._admitted_as: str | None = None
        self._direct = True  # nothing was ever left unsent
        self._paused = False  # the peer does not read
        self._reading = True
        self._pumping = self._yielding = False
        self._handshaking = self._closing = self._half_closed = self._lost = False

    # What Twisted calls

    def connectionMade(self) -> None:
        """Greet, unless a PROXY header comes first."""
        self._tcp = cast(tcp.Server, self.transport)
        self._tcp.setTcpNoDelay(True)
        self._shared.crowd.enter(self)
        self._peer_ip = _plain_ip(self._tcp.getPeer().host)
        self._local_ip = _plain_ip(self._tcp.getHost().host)
        if self._shared.proxies and self._is_proxy():
            self._proxy = ProxyReader()
            self._arm(PROXY_HEADER_TIMEOUT_S)
        else:
            self._begin()

    def dataReceived(self, data: bytes) -> None:
        """Bytes of the peer, decrypted when TLS is on."""
        if self._proxy is not None:
            data = self._read_proxy_header(self._proxy, data)
            if not data:
                return
        self._last_input_s = self._clock.seconds()
        self._session.receive(data)
        if not (self._paused or self._yielding):
            self._pump()
        self._limit_unread()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone; a message that was whole is stored all the same."""
        self._lost = True
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._shared.crowd.leave(self, self._admitted_as)
        self._budget.forget(self._room_came)
        self._hold(self._delivering_bytes)
        if self._handshaking:
            why = reason.getErrorMessage()
            _log.debug("TLS handshake with {peer}: {why}", peer=self._peer_ip, why=why)

    def readConnectionLost(self) -> None:  # noqa: N802  Twisted's name
        """The peer sends no more, but may still read: answers under way are given."""
        self._half_closed = True
        if not (self._session.waiting or self._yielding):
            self._close()

    def writeConnectionLost(self) -> None:  # noqa: N802  Twisted's name
        """This side is never half-closed."""

    def handshakeCompleted(self) -> None:  # noqa: N802  Twisted's name
        """TLS is on."""
        self._handshaking = False
        self._last_input_s = self._clock.seconds()
        self._arm(self._shared.tick_s)

    def pauseProducing(self) -> None:
        """The peer does not read our replies: none are made, and nothing is read."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It has read them."""
        self._paused = False
        if not self._yielding:
            self._pump()
            self._limit_unread()

    def stopProducing(self) -> None:
        """The connection is gone: `connectionLost` is called too."""

    # What the factory calls

    def stop(self, *, at_once: bool) -> None:
        """Say 421 and close. Unless ``at_once``, a message under way may first be finished."""
        if self._proxy or self._handshaking:
            self.abort()
        elif at_once or not self._session.in_message:
            self._end(reply.STOPPING)

    def abort(self) -> None:
        """Close without a word."""
        self._tcp.abortConnection()

    # Beginning and end

    def _begin(self) -> None:
        self._last_input_s = self._clock.seconds()
        refusal = self._shared.crowd.admit(self._peer_ip)
        if refusal:
            self._end(refusal)
        else:
            self._admitted_as = self._peer_ip
            self._arm(self._shared.tick_s)
            self._pump()

    def _is_proxy(self) -> bool:
        peer = ip_address(self._peer_ip)
        return any(peer in network for network in self._shared.proxies)

    def _read_proxy_header(self, reader: ProxyReader, data: bytes) -> bytes:
        """What follows the header: empty while it is not whole."""
        try:
            found = reader.receive(data)
        except ProxyHeaderError as e:
            _log.warn("{peer} is a listed proxy: {why}", peer=self._peer_ip, why=str(e))
            self._tcp.abortConnection()
            return b""
        if found is None:
            return b""
        header, rest = found
        self._proxy = None
        self._peer_ip = header.peer_ip or self._peer_ip
        self._local_ip = header.local_ip or self._local_ip
        self._disarm()
        self._begin()
        return rest

    def _end(self, answer: Reply) -> None:
        if not self._closing:
            self._session.close(answer)
            self._pump()

    def _close(self) -> None:
        self._closing = True
        if not self._direct:
            self._tcp.unregisterProducer()  # the transport waits for a producer before it closes
            self._disarm()
            self._arm(CLOSE_TIMEOUT_S)
        self._tcp.loseConnection()

    # Time

    def _arm(self, delay_s: float) -> None:
        self._disarm()
        self._timer = self._clock.callLater(delay_s, self._time_is_up)

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self) -> None:
        """RFC 5321 section 4.5.3.2. Input does not move the timer: it looks back when it fires."""
        self._timer = None
        if self._proxy or self._handshaking or self._closing:
            self._tcp.abortConnection()
            return
        settings = self._shared.services.settings
        limit_s = settings.command_timeout_s
        if self._session.in_message:
            limit_s = settings.data_timeout_s
        left_s = self._last_input_s + limit_s - self._clock.seconds()
        if self._session.waiting:
            left_s = self._shared.tick_s  # it is the client who waits
        if left_s > 0:
            self._arm(min(left_s, self._shared.tick_s))
        else:
            self._end(reply.IDLE)

    # The session's actions

    def _pump(self) -> None:
        """Carry out what the session asks, with one write for all replies."""
        if self._pumping or self._lost:
            return
        self._pumping = True
        replies: list[bytes] = []
        next_action = self._session.next_action
        for _ in range(MAX_ACTIONS_A_TURN):
            action = next_action()
            if action is None:
                break
            if type(action) is Reply:
                replies.append(action.wire)
            else:
                self._perform(action, replies)
        else:
            self._yielding = True
            self._clock.callLater(0, self._next_turn)
        self._pumping = False
        if replies:
            self._write(b"".join(replies))
        self._hold(self._session.held_bytes + self._delivering_bytes)
        if self._shared.crowd.stopping and not self._session.in_message:
            self._end(reply.STOPPING)
        if self._half_closed and not (self._session.waiting or self._yielding or self._closing):
            self._close()

    def _next_turn(self) -> None:
        self._yielding = False
        if not self._paused:
            self._pump()
            self._limit_unread()

    def _perform(self, action: Action, replies: list[bytes]) -> None:
        match action:
            case AskRecipient(path):
                self._ask_recipient(path)
            case Deliver():
                self._deliver(action)
            case Signal.AWAIT_ROOM:
                self._budget.when_open(self._room_came)
            case Signal.SLOW_DOWN:
                self._clock.callLater(AUTH_DELAY_S, self._go_on)
            case Signal.START_TLS:
                self._write(b"".join(replies))
                replies.clear()
                self._start_tls()
            case Signal.CLOSE:
                self._write(b"".join(replies))
                replies.clear()
                self._close()

    def _ask_recipient(self, path: str) -> None:
        try:
            answer = self._shared.services.accept.recipient(path)
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets a reply
            self._refuse_recipient(e)
            return
        if isinstance(answer, Recipient):
            self._session.accept_recipient(answer)
        else:
            asked = ensureDeferred(self._await_recipient(answer))
            asked.addErrback(self._broken)

    async def _await_recipient(self, answer: Awaitable[Recipient]) -> None:
        try:
            recipient = await answer
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets a reply
            self._refuse_recipient(e)
        else:
            self._session.accept_recipient(recipient)
        self._answered()

    def _refuse_recipient(self, error: Exception) -> None:
        if not is_expected(error):
            _log.failure("a recipient could not be checked", Failure(error))
        self._session.refuse_recipient(refused_recipient(error))

    def _deliver(self, message: Deliver) -> None:
        envelope_id, received = self._ingest.new_envelope_id()
        self._delivering_bytes = len(message.content)
        envelope = Envelope(
            id=envelope_id,
            received=received,
            reverse_path=message.reverse_path,
            recipients=message.recipients,
            reception=self._reception_of(message.protocol),
            content=message.content,
        )
        stored = self._ingest.deliver(envelope)
        stored.addCallbacks(self._stored, self._not_stored, callbackArgs=(envelope_id,))
        stored.addErrback(self._broken)

    def _stored(self, _: None, envelope_id: str) -> None:
        self._finish(reply.STORED.saying(f"Ok: stored as {envelope_id}"))

    def _not_stored(self, failure: Failure) -> None:
        if not is_expected(failure.value):
            _log.failure("a message could not be stored", failure)
        self._finish(refused_message(failure.value))

    def _finish(self, answer: Reply) -> None:
        self._delivering_bytes = 0
        self._session.finish_message(answer)
        if self._lost:
            self._hold(0)
        self._answered()

    def _broken(self, failure: Failure) -> None:
        """A defect of ours, not of the client: it is not left hanging."""
        _log.failure("an SMTP session broke", failure)
        self._tcp.abortConnection()

    def _reception_of(self, protocol: str) -> Reception:
        known = self._reception
        if known and known.protocol == protocol and known.helo == self._session.helo:
            return known
        self._reception = Reception(
            peer_ip=self._peer_ip,
            local_ip=self._local_ip,
            helo=self._session.helo,
            protocol=protocol,
            tls=self._tls_facts() if self._session.tls else None,
        )
        return self._reception

    # Answers that came later

    def _room_came(self) -> None:
        if self._pumping:
            self._session.go_on()
        else:
            # Whoever gave the room is on the stack: many would go deep
            self._clock.callLater(0, self._go_on)

    def _go_on(self) -> None:
        self._session.go_on()
        self._answered()

    def _answered(self) -> None:
        self._last_input_s = self._clock.seconds()
        if not (self._paused or self._yielding):
            self._pump()
            self._limit_unread()

    # Transport

    def _write(self, data: bytes) -> None:
        if self._direct:
            # The kernel nearly always takes a reply at once: that spares two epoll_ctl and a turn
            sent = self._tcp.writeSomeData(data)
            if sent == len(data):
                return
            self._leave_direct()
            data = data[sent:] if isinstance(sent, int) else data
        self._tcp.write(data)

    def _leave_direct(self) -> None:
        self._direct = False
        self._tcp.registerProducer(self, True)

    def _start_tls(self) -> None:
        if self._direct:
            self._leave_direct()
        self._reception = None
        self._handshaking = True
        self._arm(TLS_HANDSHAKE_TIMEOUT_S)
        self._tcp.startTLS(self._shared.services.tls)

    def _tls_facts(self) -> TlsFacts:
        connection = cast(SSL.Connection, self._tcp.getHandle())
        return TlsFacts(
            version=connection.get_protocol_version_name(),
            cipher=connection.get_cipher_name() or "",
            bits=connection.get_cipher_bits() or 0,
        )

    def _limit_unread(self) -> None:
        """Read from the socket only while the session keeps up."""
        reading = self._session.unread_bytes <= MAX_UNREAD_BYTES
        if reading is not self._reading:
            self._reading = reading
            if not reading:
                self._tcp.pauseProducing()
            elif not self._half_closed:
                self._tcp.resumeProducing()

    # Memory

    def _hold(self, count: int) -> None:
        """``count`` bytes of mail are now held for this connection."""
        change = count - self._held_bytes
        if not change:
            return
        self._held_bytes = count
        if change < 0:
            self._budget.give(-change)
            return
        self._budget.take(change)
        if self._budget.exhausted and self._session.held_bytes:
            self._session.refuse_message(reply.NO_STORAGE)
            self._hold(self._delivering_bytes)


def _plain_ip(host: str) -> str:
    """An address as people write it: no IPv4 inside of IPv6, no zone."""
    return host.removeprefix("::ffff:").partition("%")[0]
