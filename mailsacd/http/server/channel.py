"""What a client may cost: bounds on connections, header, body, time and unread answers.

Twisted's HTTP channel is safe against malformed requests; this adds what it leaves unbounded, and
answers in the API's form of error where it would answer with an empty 400.
"""

from functools import partial
from http import HTTPStatus
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers

from mailsacd.http.server.answer import ON_EVERY_ANSWER, last_answer, problem
from mailsacd.http.server.bounds import Bounds
from mailsacd.http.server.outlet import Outlet

MAX_HEADER_FIELDS: Final = 100
MAX_HEADER_BYTES: Final = 16_384  # request line and fields together
LINGER_S: Final = 5.0  # how long a body that is refused is still read, so that its sender reads why
CLOSE_TIMEOUT_S: Final = 15.0  # so long may a client take to read the last answer, or to end TLS
BODY_BYTES_PER_TIMEOUT: Final = 16_384  # a body that brings so much gets the whole time again
READ_BYTES: Final = 8_192  # so much is read, and worked through, at a time


class Channel(HTTPChannel):
    """One connection of a client, from when it is made to its end.

    The time runs from when the connection waits for a request until that is whole, not from
    byte to byte: a client that drips its header in does not hold the connection.
    """

    _out: Outlet
    bounds: Bounds  # set, as `site` is, by the site that makes it
    transport: Any  # a TCP transport: ITCPTransport and IPushProducer in one
    maxHeaders = MAX_HEADER_FIELDS
    totalHeadersSize = MAX_HEADER_BYTES

    def __init__(self) -> None:
        super().__init__()
        self._is_secure = False
        self._peer: Any = None
        self._host: Any = None
        self._answered: http.Request | None = None
        self._body_bytes = 0
        self._successor: Protocol | None = None
        self._closing: IDelayedCall | None = None
        self._may_go_on = False  # with another request in this turn of the reactor
        self._next_turn: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._out = Outlet(self.transport, partial(self.bounds.memory.hold, self))
        self._is_secure = bool(super().isSecure())
        carrier = self.transport.transport if self._is_secure else self.transport
        carrier.bufferSize = READ_BYTES
        self._peer, self._host = self.transport.getPeer(), self.transport.getHost()
        self.bounds.enter(self, getattr(self._peer, "host", ""))
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.bounds.leave(self)
        self._out.drop()
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        if self._answered is not None:
            self._forget_answered()
        if self._next_turn is not None:
            self._next_turn.cancel()
        super().connectionLost(reason)
        if self._successor is not None:
            self._successor.connectionLost(reason)

    # Twisted asks for these with each request, and the transport would ask the kernel

    def isSecure(self) -> bool:  # noqa: N802  Twisted's
        """Whether the client came by TLS, to us: proxies are not asked."""
        return self._is_secure

    def getPeer(self) -> Any:
        """The address that the connection comes from, as Twisted has it."""
        return self._peer

    def getHost(self) -> Any:
        """The address that the client connected to, as Twisted has it."""
        return self._host

    def hand_over(self, successor: Protocol, opening: bytes) -> None:
        """Have ``successor`` go on with the connection, which still counts as one here.

        It is given ``opening`` first, then what has come after the request. To be called while
        the request is rendered.
        """
        self.setTimeout(None)
        self.transport.unregisterProducer()
        self.requests.clear()
        successor.makeConnection(self.transport)
        self._successor = successor
        self.settle()
        successor.dataReceived(opening)

    def dataReceived(self, data: bytes) -> None:
        self._may_go_on = True
        if self._successor is not None:
            self._successor.dataReceived(data)
        else:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Called for each line of a header. Folded ones are refused (RFC 9112 section 5.2).

        Twisted would put them together, any number of them, in quadratic time.
        """
        if line.startswith((b" ", b"\t")):
            self._respondToBadRequestAndDisconnect()
        else:
            super().lineReceived(line)

    def allHeadersReceived(self) -> None:
        """Called when a header is whole; its body, if there is one, follows."""
        request = self.requests[-1]
        if _is_ambiguous(request.requestHeaders, self._version):
            request.drop()
            self._respondToBadRequestAndDisconnect()
        else:
            request.head_came(self._command, self._path, self.length)
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        """Called also with what came in one piece with a request that was the last one."""
        if self._successor is not None:
            self._successor.dataReceived(data)
        else:
            super().rawDataReceived(data)

    @property
    def busy(self) -> bool:
        """Whether something was asked, at least in part, that is not answered to its end."""
        return bool(self.requests)

    @property
    def owes_an_answer(self) -> bool:
        """Whether something was asked, at least in part, whose answer has an end."""
        return any(not request.is_endless for request in self.requests)

    def settle(self) -> None:
        """Note that no answer is owed any more that has an end."""
        self.bounds.settled(self)

    def stop(self) -> None:
        """Take no further request: close the connection, once what was asked is answered."""
        if self.requests:
            self.persistent = False
        elif self._successor is None:
            self.loseConnection()

    def loseConnection(self) -> None:  # noqa: N802  Twisted's
        """Close, once what was written is sent and, over TLS, the client agrees to the end.

        It has CLOSE_TIMEOUT_S for both: Twisted would wait for ever.
        """
        super().loseConnection()
        if self._closing is None:
            self._closing = self.callLater(CLOSE_TIMEOUT_S, self.abort)

    def abort(self) -> None:
        """Close the connection without a word; what is unsent is dropped."""
        self._out.drop()
        self.transport.abortConnection()

    def checkPersistence(self, request: http.Request, version: bytes) -> bool:  # noqa: N802  Twisted's
        """Called by Twisted to find out whether another request may follow."""
        return not self.bounds.stopping and bool(super().checkPersistence(request, version))

    def resetTimeout(self) -> None:
        """Called by Twisted for whatever comes in: counts for nothing, as the class says."""

    def body_came(self, count: int, in_all: int) -> None:
        """Give a body that goes on at a bearable pace more time, and count its memory."""
        self._body_bytes += count
        if self._body_bytes >= BODY_BYTES_PER_TIMEOUT:
            self._body_bytes = 0
            self.setTimeout(self.bounds.idle_timeout_s)
        if in_all >= BODY_BYTES_PER_TIMEOUT:
            self.bounds.memory.hold(self, in_all)

    def refuse_body(self, limit: int) -> None:
        """Answer 413 at once, then read and drop what still comes for a short while."""
        self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {limit} bytes")
        self.setTimeout(LINGER_S)

    def requestDone(self, request: http.Request) -> None:
        """Called when an answer is written: look at the next request, but not too early.

        The client has to have read this answer first: Twisted would go on through all that came in
        one read, and a thousand pipelined requests for a large message would have all their answers
        in memory at once. As many for something small would hold up everybody else, so a second one
        in one turn of the reactor waits for the next turn.
        """
        if self._out.is_behind:
            self._answered = request
            self.bounds.waiting_for_readers += 1
            self.setTimeout(self.bounds.idle_timeout_s)
            self.transport.pauseProducing()
        elif self._may_go_on:
            self._may_go_on = False
            self.bounds.memory.hold(self, 0)
            super().requestDone(request)
        else:
            self._next_turn = self.callLater(0, partial(self._go_on, request))

    def _go_on(self, request: http.Request) -> None:
        self._next_turn = None
        self._may_go_on = True
        self.requestDone(request)

    def _forget_answered(self) -> http.Request:
        request, self._answered = self._answered, None
        self.bounds.waiting_for_readers -= 1
        assert request is not None  # noqa: S101  for mypy: its callers looked
        return request

    def pauseProducing(self) -> None:
        """Called by the transport when much is unsent: send no more for now."""
        self._out.pause()
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """Called by the transport when all is sent: send more, or go on with what came."""
        self._out.resume()
        if self._out.is_behind:
            if self._answered is not None:  # its client reads, if slowly
                self.setTimeout(self.bounds.idle_timeout_s)
            return
        super().resumeProducing()
        if self._answered is not None:
            request = self._forget_answered()
            self.setTimeout(None)
            self.requestDone(request)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Write the head of an answer, in one piece, with what every answer has."""
        if not self.persistent:
            headers.setRawHeaders(b"Connection", [b"close"])
        lines = [b"%b %b %b" % (version, code, reason), ON_EVERY_ANSWER]
        for name, values in headers.getAllRawHeaders():
            lines += [b"%b: %b" % (name, value) for value in values]
        self._out.write(b"\r\n".join([*lines, b"", b""]))

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002  Twisted's signature
        """Called for a line longer than MAX_HEADER_BYTES: answer 431, and close."""
        self._say(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The header is too large")
        self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        # Twisted's own name for where every malformed request ends; there is no public one.
        self._say(HTTPStatus.BAD_REQUEST, "This is not an HTTP request as it should be")
        self.loseConnection()

    def send(self, data: bytes) -> None:
        """Send a whole answer, at once where that can be."""
        self._out.send(data)

    def send_large(self, head: bytes, body: bytes) -> None:
        """Send a whole answer piece by piece, as its client reads."""
        self._out.send_large(head, body)

    def _send100Continue(self) -> None:  # noqa: N802  Twisted's name
        self._out.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _say(self, status: HTTPStatus, message: str) -> None:
        self.bounds.notes.refused(status)
        self._out.write(last_answer(problem(status, message)))


def _is_ambiguous(headers: Headers, version: bytes) -> bool:
    """Whether others may read the host, or where the body ends, in another way than we do.

    A request names one host (RFC 9112 section 3.2; before HTTP/1.1 it may name none), and has one
    transfer coding, which is the only one that we know (section 6.1; with two, or one before a
    length, requests are smuggled past proxies).
    """
    hosts = headers.getRawHeaders(b"Host") or ()
    if len(hosts) != 1 and (hosts or version == b"HTTP/1.1"):
        return True
    codings = headers.getRawHeaders(b"Transfer-Encoding")
    return codings is not None and [c.lower() for c in codings] != [b"chunked"]
