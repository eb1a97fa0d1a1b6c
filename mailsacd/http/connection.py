"""What a client may cost: bounds on connections, header, body, time and unread answers.

Twisted's HTTP channel is safe against malformed requests; this adds what it leaves unbounded, and
answers in the API's form of error where it would answer with an empty 400.
"""

import string
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final
from urllib.parse import quote

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web import http, server
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource

from mailsacd.http.codec import Response, Streamed, problem
from mailsacd.http.sink import Sink
from mailsacd.settings import HttpSettings

MAX_HEADER_FIELDS: Final = 100
MAX_HEADER_BYTES: Final = 16_384  # request line and fields together
LINGER_S: Final = 5.0  # how long a body that is refused is still read, so that its sender reads why
READS: Final = frozenset({b"GET", b"HEAD"})  # what any page may do, from wherever it came
_ON_EVERY_ANSWER: Final = b"Server: mailsacd\r\nX-Content-Type-Options: nosniff"
BODY_BYTES_PER_TIMEOUT: Final = 16_384  # a body that brings so much gets the whole time again


class Request(server.Request):
    """A request whose body is bounded, and refused as soon as it is known to be too large."""

    channel: "Channel"
    content: BytesIO  # bounded by handleContentChunk, so never on disk
    body_bytes = 0
    gone = False  # the client is, and takes no answer
    _refused = False
    _sink: Sink | None = None

    def gotLength(self, length: int | None) -> None:
        """Called after the header; ``length`` is None for a chunked body."""
        self.content = BytesIO()
        if length is not None and length > self.channel.site.max_body_bytes:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Called with each piece of the body."""
        self.body_bytes += len(data)
        if self._refused:
            return
        if self.body_bytes > self.channel.site.max_body_bytes:
            self._refuse()
            return
        self.content.write(data)
        self.channel.body_came(len(data))

    def process(self) -> None:
        """Called when it can be answered. Leaves the segments of the path encoded.

        Twisted decodes them, and Klein would split them again at a slash that was ``%2F``.
        """
        self.site = self.channel.site
        self.setHeader(b"Date", http.datetimeToString())
        self.prepath = []
        self.postpath = _encoded_segments(self.path)
        try:
            self.render(self.site.getResourceFor(self))
        except Exception:  # noqa: BLE001  the end of the line
            self.processingFailed(Failure())

    def answer(self, response: Response | Streamed) -> None:
        """Write ``response``, unless nobody is there any more: whole, or as it comes."""
        if isinstance(response, Streamed):
            self._stream(response)
        elif not self.gone:
            self._write_whole(response)

    def _stream(self, response: Streamed) -> None:
        if self.gone:
            response.source.ended()
            return
        put = self.responseHeaders.setRawHeaders
        put(b"Content-Type", [response.content_type])
        put(b"Cache-Control", [b"no-store"])
        put(b"Access-Control-Allow-Origin", [b"*"])
        for name, value in response.headers:
            put(name, [value])
        if self.method == b"HEAD":
            response.source.ended()
            self.finish()
        else:
            self._sink = Sink(self, response.source)
            self._sink.begin()

    def _write_whole(self, response: Response) -> None:
        if response.status != HTTPStatus.OK:
            self.setResponseCode(response.status)
        put = self.responseHeaders.setRawHeaders
        if response.status != HTTPStatus.NO_CONTENT:
            put(b"Content-Type", [response.content_type])
            put(b"Content-Length", [b"%d" % len(response.body)])
        put(b"Cache-Control", [b"no-store"])
        if self.method in READS:
            put(b"Access-Control-Allow-Origin", [b"*"])
        for name, value in response.headers:
            put(name, [value])
        if response.body:
            self.write(response.body)
        self.finish()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Called when the request is whole."""
        if self._refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def connectionLost(self, reason: Failure) -> None:
        """Called when the client goes away before it is answered."""
        self.gone = True
        if self._sink is not None:
            self._sink.gone()
        super().connectionLost(reason)

    def _refuse(self) -> None:
        self._refused = True
        self.content = BytesIO()
        self.requestHeaders.removeHeader(b"Expect")  # the body is not wanted
        self.channel.refuse_body()


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
        self._answered: Request | None = None
        self._body_bytes = 0
        self._successor: Protocol | None = None

    def connectionMade(self) -> None:
        self.site.connections += 1
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.connections -= 1
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
        lines = [b"%b %b %b" % (version, code, reason), _ON_EVERY_ANSWER]
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

    def _say(self, status: HTTPStatus, message: str) -> None:
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
        self.connections = 0
        self.waiting_for_readers = 0  # connections whose client is behind with reading
        self._max_connections = settings.max_connections

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A channel, or what turns the client away."""
        if self.connections >= self._max_connections:
            return _Full()
        return super().buildProtocol(addr)

    def startFactory(self) -> None:
        """Without Twisted's clock for the access log, which ticks each second."""

    def stopFactory(self) -> None:
        """The counterpart."""

    def log(self, request: http.Request) -> None:
        """Nothing."""


def _encoded_segments(path: bytes) -> list[bytes]:
    """The segments of a request's path as they came, in ASCII.

    ``path`` may be in the absolute form (RFC 9112 section 3.2.2), of which only the path counts.
    """
    if not path.startswith(b"/"):
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    if not path.isascii():  # what should have been encoded, and now is
        path = quote(path, safe=string.punctuation).encode("ascii")
    return path[1:].split(b"/")


def _last_answer(status: HTTPStatus, message: str) -> bytes:
    """A whole answer on the wire, after which the connection closes."""
    body = problem(status, message).body
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n{_ON_EVERY_ANSWER.decode()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
