"""Posts to URLs that users choose, and tells how it went.

The receiver is nobody to be trusted. The connection goes to the very address that was checked, and
is used once; no redirect is followed and no proxy asked; of the answer the status is read, and of
the rest a little, which is thrown away.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsacd.core.delivery import Attempt
from mailsacd.core.errors import MailsacdError
from mailsacd.core.retry_after import retry_after_s
from mailsacd.core.webhook_url import WebhookUrl, parse_webhook_url
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.one_shot import OneShot
from mailsacd.outbound.tls import ClientTls, check_identity

CONNECT_TIMEOUT_S: Final = 5.0
MAX_ADDRESSES: Final = 3
"""So many addresses of a host are tried, one after the other."""

MAX_ANSWER_BYTES: Final = 32_768
"""So much of an answer is read at most; its headers have to fit."""

LINGER_S: Final = 1.0
"""After the headers of an answer, its sender has so long to send the rest, and to hang up."""

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?:[ \t][^\r\n]*)?\r?\n")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_RETRY_AFTER: Final = re.compile(rb"^retry-after:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9-]+\Z")
_FIELD_VALUE: Final = re.compile(r"[ -~]*\Z")


class Poster:
    """``timeout_s`` is for a whole request, from the question to the DNS to the answer."""

    def __init__(
        self, guard: Guard, context: SSL.Context, reactor: Any, *, agent: str, timeout_s: float
    ) -> None:
        self._guard = guard
        self._context = context
        self._reactor = reactor
        self._agent = agent
        self._timeout_s = timeout_s

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """POST ``body`` as JSON, once. Never raises for what the receiver does."""
        posting = ensureDeferred(self._post(url, body, headers))
        posting.addTimeout(self._timeout_s, self._reactor)
        try:
            return await posting
        except DeferredTimeoutError:
            return Attempt(None, f"No answer within {self._timeout_s:g} seconds")
        except MailsacdError as e:
            return Attempt(None, e.public)
        except _FailedError as e:
            return Attempt(None, str(e))

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        try:
            to = parse_webhook_url(url)
        except ValueError as e:
            raise _FailedError(f"The URL {e}") from e
        request = _head(to, len(body), {"User-Agent": self._agent, **headers}) + body
        addresses = await self._guard.addresses(to.host)
        exchange = await self._connected(to, addresses[:MAX_ADDRESSES], request)
        code = await exchange.answered()
        wait_s = retry_after_s(exchange.retry_after, self._reactor.seconds())
        return Attempt(code, retry_after_s=wait_s)

    async def _connected(
        self, to: WebhookUrl, addresses: tuple[str, ...], request: bytes
    ) -> "_Exchange":
        for place, address in enumerate(addresses, start=1):
            kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
            endpoint: Any = kind(self._reactor, address, to.port, timeout=CONNECT_TIMEOUT_S)
            if to.secure:
                endpoint = wrapClientTLS(ClientTls(self._context, to.host), endpoint)
            exchange = _Exchange(self._reactor, request, to.host if to.secure else None)
            try:
                await endpoint.connect(OneShot(exchange))
            except (ConnectError, OSError) as e:
                if place == len(addresses):
                    raise _FailedError(f"No connection: {_told(e)}") from e
            else:
                return exchange
        raise _FailedError("No connection")


@dataclass(slots=True)
class _Reading:
    """What was read of an answer."""

    data: bytearray = field(default_factory=bytearray)
    looked_at: int = 0
    total: int = 0
    status: int | None = None
    retry_after: str = ""


@implementer(IHandshakeListener)
class _Exchange(Protocol):
    """One request and its answer, on a connection of its own."""

    def __init__(self, reactor: Any, request: bytes, tls_host: str | None) -> None:
        self._reactor = reactor
        self._request = request
        self._tls_host = tls_host
        self._reading = _Reading()
        self._lingering: Any = None
        self._over: Deferred[int] = Deferred(self._cancelled)
        self._error = ""

    async def answered(self) -> int:
        """The status of the answer, when the connection is over. Raises _FailedError."""
        return await self._over

    @property
    def retry_after(self) -> str:
        """What stands in the field Retry-After of the answer; empty when it has none."""
        return self._reading.retry_after

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
            self._give_up(f"TLS failed: {e}")
        else:
            self._ask()

    def dataReceived(self, data: bytes) -> None:
        """Called with what comes: look for the status, throw away what is after the headers."""
        reading = self._reading
        reading.total += len(data)
        if reading.status is None and self._request == b"":
            reading.data += data[: MAX_ANSWER_BYTES - len(reading.data)]
            self._look()
        if reading.total >= MAX_ANSWER_BYTES:
            self._give_up("The headers of the answer are too long")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Called at the end, wherever it came from: tell the status, or what failed."""
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        if self._over.called:
            return
        if self._reading.status is not None:
            self._over.callback(self._reading.status)
        else:
            told = self._error or f"No whole answer: {_told(reason.value)}"
            self._over.errback(_FailedError(told))

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
                self._give_up("The answer is not HTTP")
                return
            status, head = int(found[1]), bytes(reading.data[: end.end()])
            del reading.data[: end.end()]
            reading.looked_at = 0
            if status >= 200:
                asked = _RETRY_AFTER.search(head)
                reading.retry_after = asked[1].decode("latin-1") if asked else ""
                reading.status = status
                self._lingering = self._reactor.callLater(LINGER_S, self._abort)
                return
        reading.looked_at = len(reading.data)

    def _give_up(self, error: str) -> None:
        self._error = error
        self._abort()

    def _cancelled(self, over: Deferred[int]) -> None:
        if self._reading.status is not None:  # it takes its time with the rest
            over.callback(self._reading.status)
        self._abort()

    def _abort(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


class _FailedError(Exception):
    """There was no answer; its text says why."""


def _head(to: WebhookUrl, length: int, headers: Mapping[str, str]) -> bytes:
    """The request up to its body. Raises _FailedError for what would be more than one line."""
    fields = {
        "Host": to.authority,
        "Content-Type": "application/json",
        "Content-Length": str(length),
        "Accept": "*/*",
        "Connection": "close",
        **headers,
    }
    for name, value in fields.items():
        if not (_FIELD_NAME.match(name) and _FIELD_VALUE.match(value)):
            raise _FailedError("A field of the request has a character that it cannot have")
    lines = [f"POST {to.target} HTTP/1.1", *(f"{name}: {v}" for name, v in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


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
