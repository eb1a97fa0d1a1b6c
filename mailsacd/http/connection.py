"""What a client may cost: bounds on connections, header, body, time and unread answers.

Twisted's HTTP channel is safe against malformed requests; this adds what it leaves unbounded, and
answers in the API's form of error where it would answer with an empty 400.
"""

from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web import http, server
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource

from mailsacd.http.codec import problem
from mailsacd.http.request import ON_EVERY_ANSWER, Request
from mailsacd.settings import HttpSettings

MAX_HEADER_FIELDS: Final = 100
MAX_HEADER_BYTES: Final = 16_384  # request line and fields together
LINGER_S: Final = 5.0  # how long a body that is refused is still read, so that its sender reads why
BODY_BYTES_PER_TIMEOUT: Final = 16_384  # a body that brings so much gets the whole time again
IN_TRANSIT_S: Final = 0.1
"""At the stop: what was sent before its sender could know has so long to come in."""
LAST_ANSWERS_S: Final = 5.0
"""So long may answers then take that are under way."""


class Channel(HTTPChannel):
    """One connection.

    The time runs from when the connection waits for a request until that is whole, not from
    byte to byte: a client that drips its header in does not hold the connection.
    """

    site: "HttpSite"
    transport: Any  # a TCP transport: ITCPTransport and IPushProducer in one
    maxHeaders = MAX_HEADER_FIELDS
    totalHeadersSize = MAX_HEADER_BYTES

    def __init__(self) -> None:
        super().__init__()
        self._unread = False
        self._sends_directly = False
        self._answered: Request | None = None
        self._body_bytes = 0
        self._successor: Protocol | None = None

    def connectionMade(self) -> None:
        self.site.channels.add(self)
        self._sends_directly = isinstance(self.transport, tcp.Server)  # and not by TLS
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.channels.discard(self)
        self.site.settled(self)
        if self._answered is not None:
            self._forget_answered()
        super().connectionLost(reason)
        if self._successor is not None:
            self._successor.connectionLost(reason)

    def hand_over(self, successor: Protocol, opening: bytes) -> None:
        """Have another protocol go on with the connection, which still counts as one here.

        It is given ``opening`` first, then what has come after the request. To be called while
        the request is rendered.
        """
        self.setTimeout(None)
        self.transport.unregisterProducer()
        self.requests.clear()
        successor.makeConnection(self.transport)
        self._successor = successor
        self.site.settled(self)
        successor.dataReceived(opening)

    def dataReceived(self, data: bytes) -> None:
        if self._successor is not None:
            self._successor.dataReceived(data)
        else:
            super().dataReceived(data)

    def rawDataReceived(self, data: bytes) -> None:
        """Called also with what came in one piece with a request that was the last one."""
        if self._successor is not None:
            self._successor.dataReceived(data)
        else:
            super().rawDataReceived(data)

    @property
    def owes_an_answer(self) -> bool:
        """Whether something was asked, at least in part, whose answer has an end."""
        return any(not request.is_endless for request in self.requests)

    def stop(self) -> None:
        """Take no further request: close the connection, once what was asked is answered."""
        if self.requests:
            self.persistent = False
        elif self._successor is None:
            self.loseConnection()

    def abort(self) -> None:
        """Close without a word."""
        self.transport.abortConnection()

    def checkPersistence(self, request: Request, version: bytes) -> bool:  # noqa: N802  Twisted's
        """Called by Twisted to find out whether another request may follow."""
        return not self.site.stopping and bool(super().checkPersistence(request, version))

    def resetTimeout(self) -> None:
        """Called by Twisted for whatever comes in: counts for nothing, as the class says."""

    def body_came(self, count: int) -> None:
        """A body that goes on at a bearable pace gets more time."""
        self._body_bytes += count
        if self._body_bytes >= BODY_BYTES_PER_TIMEOUT:
            self._body_bytes = 0
            self.setTimeout(self.site.timeOut)

    def refuse_body(self) -> None:
        """Answer 413 at once, then read and drop what still comes for a short while."""
        limit = self.site.max_body_bytes
        self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {limit} bytes")
        self.setTimeout(LINGER_S)

    def requestDone(self, request: Request) -> None:
        """An answer is written. The next request is looked at once the client has read this one.

        Twisted would go on through all that came in one read: a thousand pipelined requests for
        a large message would have all their answers in memory at once.
        """
        if self._unread:
            self._answered = request
            self.site.waiting_for_readers += 1
            self.setTimeout(self.site.timeOut)
            self.transport.pauseProducing()
        else:
            super().requestDone(request)

    def _forget_answered(self) -> Request:
        request, self._answered = self._answered, None
        self.site.waiting_for_readers -= 1
        assert request is not None  # noqa: S101  for mypy: its callers looked
        return request

    def pauseProducing(self) -> None:
        """Called by the transport when much is unsent."""
        self._unread = True
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """Called by the transport when all is sent."""
        self._unread = False
        super().resumeProducing()
        if self._answered is not None:
            request = self._forget_answered()
            self.setTimeout(None)
            self.requestDone(request)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Write the head of an answer, in one piece, with what every answer has."""
        self._sends_directly = False
        if not self.persistent:
            headers.setRawHeaders(b"Connection", [b"close"])
        lines = [b"%b %b %b" % (version, code, reason), ON_EVERY_ANSWER]
        for name, values in headers.getAllRawHeaders():
            lines += [b"%b: %b" % (name, value) for value in values]
        self.transport.write(b"\r\n".join([*lines, b"", b""]))

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002  Twisted's signature
        """Called for a line longer than MAX_HEADER_BYTES."""
        self._say(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The header is too large")
        self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        # Twisted's own name for where every malformed request ends; there is no public one.
        self._say(HTTPStatus.BAD_REQUEST, "This is not an HTTP request as it should be")
        self.loseConnection()

    def send(self, data: bytes) -> None:
        """Send a whole answer: at once, where nothing waits to be sent before it.

        Twisted's transport would wait for the next turn to find out that there is room for it.
        """
        if self._sends_directly:
            sent = self.transport.writeSomeData(data)
            if sent == len(data):
                return
            self._sends_directly = False  # from here on, for nobody tells when all is sent
            data = data[sent:] if isinstance(sent, int) else data
        self.transport.write(data)

    def _send100Continue(self) -> None:  # noqa: N802  Twisted's name
        self._sends_directly = False
        super()._send100Continue()

    def _say(self, status: HTTPStatus, message: str) -> None:
        self._sends_directly = False
        self.transport.write(_last_answer(status, message))


class _Full(Protocol):
    """Turns a connection away that is one too many."""

    def connectionMade(self) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        assert self.transport is not None  # noqa: S101  for mypy: it is set before this is called
        self.transport.write(_last_answer(status, "Too many connections, come back later"))
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


def _last_answer(status: HTTPStatus, message: str) -> bytes:
    """A whole answer on the wire, after which the connection closes."""
    body = problem(status, message).body
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n{ON_EVERY_ANSWER.decode()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
