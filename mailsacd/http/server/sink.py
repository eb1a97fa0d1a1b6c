"""Writes an answer that comes bit by bit, as fast as its reader reads and no faster."""

from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.web import http
from zope.interface import implementer

from mailsacd.core.outflow import Outflow
from mailsacd.http.server.answer import Source


@implementer(IPushProducer)
class Sink:
    """As of http.server.answer.Writer. The head of the answer goes out with the first bytes."""

    def __init__(self, request: http.Request, source: Source) -> None:
        self._request: Any = request  # Twisted types it in part
        self._source = source
        self._outflow = Outflow()
        self._paused = False
        self._finishing = False
        self._over = False

    def begin(self) -> None:
        """Let the source write, and be told when the client is behind."""
        self._request.registerProducer(self, True)
        self._source.begin(self)

    def gone(self) -> None:
        """Forget what is unsent, and tell the source: the client has gone."""
        if not self._over:
            self._over = True
            self._outflow = Outflow()
            self._source.ended()

    # What the source calls

    @property
    def full(self) -> bool:
        """Whether the client has yet to read what was written, or has gone."""
        return self._paused or bool(self._outflow) or self._over

    def write(self, data: bytes) -> None:
        """Send ``data`` after what was written before, as the client reads."""
        if not self._over and not self._finishing:
            self._outflow.add(data)
            self._send()

    def finish(self) -> None:
        """End the answer once all that was written is sent."""
        if not self._over and not self._finishing:
            self._finishing = True
            self._send()

    def abort(self) -> None:
        """Close the connection at once; what is unsent is dropped."""
        if not self._over:
            self._request.channel.forceAbortClient()

    # What the transport calls, by way of the channel

    def pauseProducing(self) -> None:
        """Called by the channel when the transport has much to send."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Called by the channel when the transport has sent all."""
        self._paused = False
        self._send()

    def stopProducing(self) -> None:
        """Called when the connection is lost; `gone` is called too, and does the work."""

    def _send(self) -> None:
        while self._outflow and not self._paused and not self._over:
            self._request.write(self._outflow.next_piece())
        if self._outflow or self._over:
            return
        if self._finishing:
            self._over = True
            self._request.unregisterProducer()
            self._request.finish()
            self._source.ended()
        elif not self._paused:
            self._source.drained()
