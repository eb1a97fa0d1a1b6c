"""All connections for HTTP: how many there may be, and how they end when the daemon stops."""

from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.web import http, server
from twisted.web.resource import IResource

from mailsacd.http.server.channel import Channel, last_answer
from mailsacd.http.server.memory import Memory
from mailsacd.http.server.request import Request
from mailsacd.settings import HttpSettings

IN_TRANSIT_S: Final = 0.1
"""At the stop: what was sent before its sender could know has so long to come in."""
LAST_ANSWERS_S: Final = 5.0
"""So long may answers then take that are under way."""


class _Full(Protocol):
    """Turns a connection away that is one too many."""

    def connectionMade(self) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        assert self.transport is not None  # noqa: S101  for mypy: it is set before this is called
        self.transport.write(last_answer(status, "Too many connections, come back later"))
        self.transport.loseConnection()


class HttpSite(server.Site):
    """Listens for the API. An access log would cost a third of the speed, and show keys: none."""

    noisy = False
    protocol = Channel  # type: ignore[assignment]  # Twisted's default adds HTTP/2, not wanted here

    def __init__(self, resource: IResource, settings: HttpSettings, reactor: IReactorTime) -> None:
        super().__init__(
            resource,
            requestFactory=Request,
            parsePOSTFormSubmission=False,
            timeout=settings.idle_timeout_s,
            reactor=reactor,
        )
        self.max_body_bytes = settings.max_body_bytes
        self.memory = Memory(settings.buffer_bytes)
        self.stopping = False
        self.channels: Final[set[Channel]] = set()
        self.waiting_for_readers = 0  # connections whose client is behind with reading
        self._max_connections = settings.max_connections
        self._clock = reactor
        self._owing: set[Channel] = set()
        self._all_settled: Deferred[None] | None = None

    @property
    def connections(self) -> int:
        """How many there are, those that were handed over among them."""
        return len(self.channels)

    async def drain(self) -> None:
        """Answer what was asked, for a bounded time, and close the connections.

        To be called once the port is closed. Those who write answers without an end end them.
        """
        self.stopping = True
        for channel in tuple(self.channels):
            if channel.requests:
                channel.stop()
        await deferLater(self._clock, IN_TRANSIT_S)
        for channel in tuple(self.channels):
            channel.stop()
        self._owing.update(channel for channel in self.channels if channel.owes_an_answer)
        if self._owing:
            self._all_settled = Deferred()
            with suppress(DeferredTimeoutError):
                await self._all_settled.addTimeout(LAST_ANSWERS_S, self._clock)
        for channel in tuple(self._owing):
            channel.abort()

    def settled(self, channel: Channel) -> None:
        """``channel`` owes no answer that has an end."""
        self._owing.discard(channel)
        waiting = self._all_settled
        if waiting is not None and not waiting.called and not self._owing:
            waiting.callback(None)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A channel, or what turns the client away."""
        if len(self.channels) >= self._max_connections:
            return _Full()
        return super().buildProtocol(addr)

    def startFactory(self) -> None:
        """Without Twisted's clock for the access log, which ticks each second."""

    def stopFactory(self) -> None:
        """The counterpart."""

    def log(self, request: http.Request) -> None:
        """Nothing."""
