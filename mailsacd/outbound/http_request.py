"""One request to a URL that users choose, or strangers, and the head of its answer.

Whoever answers is nobody to be trusted. The connection goes to the very address that was checked,
and is used once; no proxy is asked; of the answer the status and the header fields are read, and of
the rest a little, which is thrown away.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsacd.core.http_url import HttpUrl
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.one_shot import OneShot
from mailsacd.outbound.tcp_endpoint import TcpEndpoint
from mailsacd.outbound.tls import ClientTls, check_identity

CONNECT_TIMEOUT_S: Final = 5.0
MAX_ADDRESSES: Final = 3
"""So many addresses of a host are tried, one after the other."""

MAX_ANSWER_BYTES: Final = 32_768
"""So much of an answer is read at most; its headers have to fit."""

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?:[ \t][^\r\n]*)?\r?\n")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9-]+\Z")
_FIELD_VALUE: Final = re.compile(r"[ -~]*\Z")


class RequestFailedError(Exception):
    """There was no answer; its text says why."""


class TlsFailedError(RequestFailedError):
    """There was none since TLS could not begin, or its certificate is not good for the host."""


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """The status of an answer, and its header fields as they came."""

    status: int
    fields: bytes

    def field(self, name: str) -> str:
        """The value of the first field called ``name``; ``""`` without one."""
        pattern = rb"^" + re.escape(name.encode("ascii")) + rb":[ \t]*([^\r\n]*)"
        found = re.search(pattern, self.fields, re.IGNORECASE | re.MULTILINE)
        return found[1].decode("latin-1") if found else ""


class Requests:
    """Asks hosts that ``guard`` allows, and whose certificates ``context`` trusts."""

    def __init__(self, guard: Guard, context: SSL.Context, reactor: Any) -> None:
        self._guard = guard
        self._context = context
        self._reactor = reactor

    async def ask(self, to: HttpUrl, request: bytes, *, linger_s: float) -> AnswerHead:
        """Send ``request`` to the host of ``to``, once, and return what its answer begins with.

        After the head, the other side has ``linger_s`` seconds to send the rest, and to hang up.
        Raises RequestFailedError, and what `Guard.addresses` raises.
        """
        addresses = await self._guard.addresses(to.host)
        exchange = await self._connected(to, addresses[:MAX_ADDRESSES], request, linger_s)
        return await exchange.answered()

    async def _connected(
        self, to: HttpUrl, addresses: tuple[str, ...], request: bytes, linger_s: float
    ) -> "_Exchange":
        for place, address in enumerate(addresses, start=1):
            endpoint: Any = TcpEndpoint(self._reactor, address, to.port, CONNECT_TIMEOUT_S)
            if to.secure:
                endpoint = wrapClientTLS(ClientTls(self._context, to.host), endpoint)
            tls_host = to.host if to.secure else None
            exchange = _Exchange(self._reactor, request, tls_host, linger_s)
            try:
                await endpoint.connect(OneShot(exchange))
            except (ConnectError, OSError) as e:
                if place == len(addresses):
                    raise RequestFailedError(f"No connection: {_told(e)}") from e
            else:
                return exchange
        raise RequestFailedError("No connection")


@dataclass(slots=True)
class _Reading:
    """What was read of an answer."""

    data: bytearray = field(default_factory=bytearray)
    looked_at: int = 0
    total: int = 0
    head: AnswerHead | None = None


@implementer(IHandshakeListener)
class _Exchange(Protocol):
    """One request and its answer, on a connection of its own."""

    def __init__(self, reactor: Any, request: bytes, tls_host: str | None, linger_s: float) -> None:
        self._reactor = reactor
        self._request = request
        self._tls_host = tls_host
        self._reading = _Reading()
        self._lingering: Any = None
        self._linger_s = linger_s
        self._over: Deferred[AnswerHead] = Deferred(self._cancelled)
        self._error: RequestFailedError | None = None

    async def answered(self) -> AnswerHead:
        """The head of the answer, when the connection is over. Raises RequestFailedError."""
        return await self._over

    def connectionMade(self) -> None:
        """Called when there is a connection: ask at once, unless TLS comes first."""
        if self._tls_host is None:
            self._ask()

    def handshakeCompleted(self) -> None:  # noqa: N802  Twisted's
        """Called when TLS has begun: ask, if the certificate is one of the host."""
        assert self._tls_host is not None  # noqa: S101  for mypy
        try:
            check_identity(self.transport, self._tls_host)
        except ValueError as e:
            self._give_up(TlsFailedError(f"TLS failed: {e}"))
        else:
            self._ask()

    def dataReceived(self, data: bytes) -> None:
        """Called with what comes: look for the status, throw away what is after the headers."""
        reading = self._reading
        reading.total += len(data)
        if reading.head is None and self._request == b"":
            reading.data += data[: MAX_ANSWER_BYTES - len(reading.data)]
            self._look()
        if reading.total >= MAX_ANSWER_BYTES:
            self._give_up(RequestFailedError("The headers of the answer are too long"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Called at the end, wherever it came from: tell the status, or what failed."""
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        if self._over.called:
            return
        if self._reading.head is not None:
            self._over.callback(self._reading.head)
        else:
            self._over.errback(self._error or _failure(reason.value))

    def _ask(self) -> None:
        assert self.transport is not None  # noqa: S101  for mypy
        request, self._request = self._request, b""
        self.transport.write(request)

    def _look(self) -> None:
        """Find the first answer that is not an interim one (RFC 9110 section 15.2)."""
        reading = self._reading
        while end := _HEAD_END.search(reading.data, max(reading.looked_at - 3, 0)):
            found = _STATUS_LINE.match(reading.data)
            if found is None:
                self._give_up(RequestFailedError("The answer is not HTTP"))
                return
            status, head = int(found[1]), bytes(reading.data[: end.end()])
            del reading.data[: end.end()]
            reading.looked_at = 0
            if status >= 200:
                reading.head = AnswerHead(status, head)
                self._linger()
                return
        reading.looked_at = len(reading.data)

    def _linger(self) -> None:
        if self._linger_s > 0:
            self._lingering = self._reactor.callLater(self._linger_s, self._abort)
        else:
            self._abort()

    def _give_up(self, error: RequestFailedError) -> None:
        self._error = error
        self._abort()

    def _cancelled(self, over: Deferred[AnswerHead]) -> None:
        if self._reading.head is not None:  # it takes its time with the rest
            over.callback(self._reading.head)
        self._abort()

    def _abort(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


def request_head(method: str, to: HttpUrl, fields: Mapping[str, str]) -> bytes:
    """A request up to its body, with ``fields`` after Host.

    Raises RequestFailedError for what would be more than one line.
    """
    whole = {"Host": to.authority, **fields}
    for name, value in whole.items():
        if not (_FIELD_NAME.match(name) and _FIELD_VALUE.match(value)):
            raise RequestFailedError("A field of the request has a character that it cannot have")
    lines = [f"{method} {to.target} HTTP/1.1", *(f"{name}: {v}" for name, v in whole.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _failure(error: BaseException | None) -> RequestFailedError:
    kind = TlsFailedError if isinstance(error, SSL.Error) else RequestFailedError
    return kind(f"No whole answer: {_told(error)}")


def _told(error: BaseException | None) -> str:
    """``error`` in a few words, without what may come from the other side."""
    if isinstance(error, SSL.Error):
        return "TLS failed, its certificate is not trusted or its TLS is too old"
    if isinstance(error, ConnectionLost):
        return "the connection was lost"
    if isinstance(error, CancelledError):
        return "it was given up"
    if isinstance(error, ConnectError | OSError):
        return (str(error) or type(error).__name__).rstrip(".")
    return "the connection was closed"
