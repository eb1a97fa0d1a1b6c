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
        """Let the source write."""
        self._request.registerProducer(self, True)
        self._source.begin(self)

    def gone(self) -> None:
        """The client has gone."""
        if not self._over:
            self._over = True
            self._outflow = Outflow()
            self._source.ended()

    # What the source calls

    @property
    def full(self) -> bool:
        """Whether more has to wait."""
        return self._paused or bool(self._outflow) or self._over

    def write(self, data: bytes) -> None:
        """The next bytes."""
        if not self._over and not self._finishing:
            self._outflow.add(data)
            self._send()

    def finish(self) -> None:
        """End the answer after what was written."""
        if not self._over and not self._finishing:
            self._finishing = True
            self._send()

    def abort(self) -> None:
        """Close at once."""
        if not self._over:
            self._request.channel.forceAbortClient()

    # What the transport calls, by way of the channel

    def pauseProducing(self) -> None:
        """It has enough for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It has sent all."""
        self._paused = False
        self._send()

    def stopProducing(self) -> None:
        """The connection is gone: `gone` is called too."""

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
