"""Runs a session on a connection, with the time limits of its stages."""

from collections.abc import Callable
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IPushProducer,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.outbound.smtp.conversation import BLOCK_TIMEOUT_S, BeginTls, Send, Stage
from mailsacd.outbound.smtp.opening import ClientRules
from mailsacd.outbound.smtp.session import Done, Opened, Over, Session
from mailsacd.outbound.smtp.transaction import Prepared
from mailsacd.outbound.tls import check_identity

BLOCK_BYTES: Final = 65_536
"""A message is handed to the system in blocks of so many bytes."""

LINGER_S: Final = 5.0
"""So long a server has to let go of a connection that is closed."""


class TlsFailedError(RouteError):
    """The handshake failed: without TLS it may go well."""


@implementer(IHandshakeListener, IPushProducer)
class SessionProtocol(Protocol):
    """Runs one session. ``tls_host`` is whom the certificate has to be of; None: of anybody."""

    def __init__(
        self,
        rules: ClientRules,
        tls: IOpenSSLClientConnectionCreator,
        tls_host: str | None,
        reactor: Any,
    ) -> None:
        self._tls = tls
        self._tls_host = tls_host
        self._reactor = reactor
        self._unsent: memoryview | None = None
        self._paused = False
        self._timer: Any = None
        self._timed_turn = -1
        self._is_gone = False
        self._waiting: Deferred[Any] | None = None
        self._tls_failed = False
        self.session = Session(rules)
        self._opened: Deferred[None] = self._wait(self._forget)

    # For Connection

    async def opened(self) -> None:
        """Return when mail may be sent. Raises RouteError, and TlsFailedError when it was the
        handshake that failed."""
        await self._opened

    async def transmit(self, what: Prepared) -> tuple[Outcome, ...]:
        """One transaction on a session that is ready.

        When it is cancelled the connection is broken off, and what is returned tells of that.
        """
        waiting: Deferred[tuple[Outcome, ...]] = self._wait(self._give_up)
        self.session.transmit(what)
        self._run()
        return await waiting

    async def leave(self) -> None:
        """Take leave if the session is ready, and close the connection."""
        if not self.session.is_ready:
            self.break_off()
            return
        waiting: Deferred[None] = self._wait(self._give_up)
        self.session.quit()
        self._run()
        await waiting

    def break_off(self) -> None:
        """Close the connection at once."""
        self._lost("it was given up")

    # For Twisted

    def connectionMade(self) -> None:
        """Called when there is a connection: the server speaks first, or TLS begins."""
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        self._run()

    def handshakeCompleted(self) -> None:  # noqa: N802  Twisted's
        """Called when TLS has begun: go on, if the certificate is one of the host."""
        if self._tls_host is not None:
            try:
                check_identity(self.transport, self._tls_host)
            except ValueError as e:
                self._lost(f"TLS failed: {e}")
                return
        self.session.tls_begun()
        self._run()

    def dataReceived(self, data: bytes) -> None:
        """Called with what the server sent."""
        self.session.receive(data, is_sent=self._unsent is None)
        self._run()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Called at the end, wherever it came from."""
        self._is_gone = True
        self._lost(_told(reason.value))
        self._set_timer(anew=True)

    def pauseProducing(self) -> None:
        """Called when the system takes no more for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Called when it takes more."""
        self._paused = False
        self._pump()

    def stopProducing(self) -> None:
        """Called when it will take no more: `connectionLost` comes next."""
        self._paused = True

    # The session

    def _wait(self, on_cancel: Callable[[Any], None]) -> "Deferred[Any]":
        self._waiting = Deferred(on_cancel)
        return self._waiting

    def _give_up(self, _: Any) -> None:
        self.break_off()

    def _forget(self, _: Any) -> None:
        self._waiting = None  # so that it fails with CancelledError
        self.break_off()

    def _run(self) -> None:
        """Do what the session wants done."""
        transport: Any = self.transport
        while (action := self.session.next_action()) is not None:
            if isinstance(action, Send):
                self._send(action.data)
            elif isinstance(action, BeginTls):
                transport.startTLS(self._tls)
            elif isinstance(action, Opened):
                self._fire(None)
            elif isinstance(action, Done):
                self._fire(action.outcomes)
            else:
                self._over(action)
        self._set_timer()

    def _over(self, over: Over) -> None:
        transport: Any = self.transport
        if self._unsent is None:
            transport.loseConnection()
        else:
            self._unsent = None
            transport.abortConnection()
        if over.outcome is not None:
            error = TlsFailedError if self._tls_failed else RouteError
            self._fire(Failure(error(over.outcome)))
        else:
            self._fire(None)

    def _fire(self, result: Any) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.callback(result)

    def _lost(self, text: str) -> None:
        stage, is_sent = self.session.stage, self._unsent is None
        self._tls_failed = stage is Stage.TLS
        if not is_sent:
            text = f"{text}, while the message was sent"
        elif stage is not None:
            text = f"{text}, when {stage.told} was waited for"
        status = "4.7.5" if self._tls_failed else "4.4.2"
        self.session.lost(text[0].upper() + text[1:], status=status, is_sent=is_sent)
        self._unsent = None
        self._abort()
        self._run()

    def _abort(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    # What is sent

    def _send(self, data: bytes) -> None:
        transport: Any = self.transport
        if len(data) <= BLOCK_BYTES:
            transport.write(data)
            return
        self._unsent = memoryview(data)
        self._paused = False
        transport.registerProducer(self, True)
        self._pump()

    def _pump(self) -> None:
        """Hand on block after block, until the system has enough for now."""
        transport: Any = self.transport
        while self._unsent is not None and not self._paused:
            block, rest = self._unsent[:BLOCK_BYTES], self._unsent[BLOCK_BYTES:]
            self._unsent = rest if len(rest) else None
            if self._unsent is None:
                transport.unregisterProducer()
            transport.write(bytes(block))
        self._set_timer(anew=True)

    # Time limits

    def _set_timer(self, *, anew: bool = False) -> None:
        """For each reply, however slowly it comes, and for each block that is sent."""
        session = self.session
        if session.turn == self._timed_turn and not anew:
            return
        self._timed_turn = session.turn
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        if session.is_over and not self._is_gone:  # the server may not take its leave
            self._timer = self._reactor.callLater(LINGER_S, self._abort)
        elif session.stage is not None:
            limit_s = BLOCK_TIMEOUT_S if self._unsent is not None else session.stage.timeout_s
            self._timer = self._reactor.callLater(limit_s, self._timed_out)

    def _timed_out(self) -> None:
        self._lost("the time was up")


def _told(error: BaseException | None) -> str:
    """``error`` in a few words of ours."""
    if isinstance(error, SSL.Error):
        return "TLS failed: its certificate is not trusted or its TLS is too old"
    if isinstance(error, ConnectionDone | ConnectionLost):
        return "the connection was closed"
    return "the connection was lost"
