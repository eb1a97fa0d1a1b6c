"""A WebSocket on a transport: Autobahn's framing, with bounds on what waits and how long.

All that is written goes through one queue, in pieces and as the reader keeps up, so that however
large a message is and however many have it pushed, a connection holds little of it in memory.
"""

from typing import Any, Final

import txaio
from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.util import encode_truncate
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsacd.core.outflow import Outflow
from mailsacd.ws import frames

MAX_CLIENT_MESSAGE_BYTES: Final = 4_096
"""Clients have nothing to say: what they do say is ignored, and no more of it held."""
MAX_CLIENT_MESSAGES: Final = 1_000
"""From one heartbeat to the next, pings and pongs among them."""
SLOW_BEATS: Final = 2
"""A client that has read nothing for so many heartbeats is too slow."""
_CLOSE_REASON_BYTES: Final = 123  # RFC 6455 section 5.5

# Else clients decide what stands in our log. txaio has it only once Autobahn has chosen Twisted.
_quiet: Any = txaio.make_logger(level="critical")  # type: ignore[attr-defined]


@implementer(IPushProducer)
class Socket(WebSocketServerProtocol):
    """What ws.feed builds on. Names in mixed case are Autobahn's and Twisted's."""

    log = _quiet
    transport: Any  # a TCP transport: ITCPTransport and IConsumer in one

    def __init__(self) -> None:
        super().__init__()
        self._outflow = Outflow()
        self._paused = False
        self._closing = False  # as soon as all is written
        self._heard = True
        self._heard_messages = 0
        self._slow_beats = 0

    @property
    def congested(self) -> bool:
        """Whether something waits for the client to read before it is sent."""
        return self._paused or bool(self._outflow)

    @property
    def usable(self) -> bool:
        """Whether frames may be sent: the connection is open, and not being closed."""
        return bool(self.state == self.STATE_OPEN)

    def drained(self) -> None:
        """Called when all that was to be sent is written; does nothing here."""

    def check_life(self) -> None:
        """With each heartbeat: ping the client; drop it when it does not answer or read."""
        self._heard_messages = 0
        if self.congested:
            self._slow_beats += 1
            if self._slow_beats >= SLOW_BEATS:
                self.abort()
            return
        if not self._heard or not self.usable:
            self.abort()
            return
        self._heard = False
        self.sendPing()

    def say_goodbye(self, code: int, reason: str) -> None:
        """Close with ``code`` and ``reason``; what is not on its way yet is dropped."""
        if self.usable:
            self.sendCloseFrame(code, encode_truncate(reason, _CLOSE_REASON_BYTES))

    def forget_unsent(self) -> None:
        """Send nothing of what waits but the rest of a frame that is on its way."""
        self._outflow.drop_unbegun()

    def abort(self) -> None:
        """Close the connection without a word; what is unsent is dropped."""
        self._outflow = Outflow()
        self.transport.abortConnection()

    # What Twisted calls

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.registerProducer(self, True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._outflow = Outflow()
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        super().dataReceived(data)

    def pauseProducing(self) -> None:
        """Called by the transport when it has much to send."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Called by the transport when it has sent all: write more."""
        self._paused = False
        self._slow_beats = 0
        self._write()

    def stopProducing(self) -> None:
        """Called when the connection is lost; `connectionLost` is called too."""

    # What Autobahn calls

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: ARG002, N802
        """Called by Autobahn with everything that goes out: put it in order behind the rest."""
        self._outflow.add(data)
        self._write()

    def onPing(self, payload: bytes) -> None:  # noqa: N802
        """Called by Autobahn for a ping: answer it, unless the client does not read."""
        self._count_message()
        if not self.congested:
            self.sendPong(payload)

    def onPong(self, payload: bytes) -> None:  # noqa: ARG002, N802
        """Called by Autobahn for a pong: `dataReceived` has noted the sign of life."""
        self._count_message()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: ARG002, N802, N803
        """Called by Autobahn for a message, which is counted and otherwise ignored."""
        self._count_message()

    def _count_message(self) -> None:
        self._heard_messages += 1
        if self._heard_messages == MAX_CLIENT_MESSAGES:
            self.say_goodbye(frames.POLICY, "Too many messages: this server only sends")

    def _fail_connection(self, code: int = frames.GOING_AWAY, reason: str = "") -> None:
        # Where Autobahn ends up with a client that breaks a rule: it would close without a word,
        # or read on.
        if self.usable:
            self.say_goodbye(code, reason)
            self.wasClean = True
        self.dropConnection(abort=False)

    def _closeConnection(self, abort: bool = False) -> None:  # noqa: N802
        # Autobahn's, called by dropConnection
        if abort:
            self.abort()
        else:
            self._closing = True
            self._write()

    def unregisterProducer(self) -> None:  # noqa: N802
        """Called by dropConnection, too early: what waits is still to be written."""

    def _write(self) -> None:
        while self._outflow and not self._paused:
            self.transport.write(self._outflow.next_piece())
        if self._outflow:
            return
        if self._closing:
            self.transport.unregisterProducer()  # a transport with a producer does not close
            self.transport.loseConnection()
        elif not self._paused:
            self.drained()
