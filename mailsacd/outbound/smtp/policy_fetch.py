"""Reads the MTA-STS policy of a domain by HTTPS (RFC 8461 section 3.3).

No redirect is followed and no cache asked, the certificate has to be good, and what comes is
bounded in bytes and time. Twisted's `Agent` does the HTTP: an answer is read here, not only its
status.
"""

from typing import Any, Final, cast

from OpenSSL import SSL
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import (
    IHandshakeListener,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import Agent, ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from mailsacd.core.errors import MailsacdError
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.smtp.mta_sts import MAX_POLICY_BYTES, BadPolicyError
from mailsacd.outbound.tcp_endpoint import TcpEndpoint
from mailsacd.outbound.tls import ClientTls, check_identity

HTTPS_PORT: Final = 443
TIMEOUT_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 10.0
MAX_HEAD_BYTES: Final = 16_384
"""So many bytes of header fields are read, and of what TLS has put into records of HTTP."""


class PolicyFetcher:
    """``guard`` says where a policy may come from, ``context`` whose certificates are good."""

    def __init__(
        self,
        guard: Guard,
        context: SSL.Context,
        reactor: Any,
        *,
        agent: str,
        port: int = HTTPS_PORT,
    ) -> None:
        self._guard = guard
        self._context = context
        self._reactor = reactor
        self._agent = agent
        self._port = port

    async def fetch(self, domain: str) -> str:
        """The text of the policy of ``domain`` (normal). Raises BadPolicyError."""
        fetching = ensureDeferred(self._fetch(f"mta-sts.{domain}"))
        fetching.addTimeout(TIMEOUT_S, self._reactor)
        try:
            return await fetching
        except MailsacdError as e:
            raise BadPolicyError(e.public) from e
        except DeferredTimeoutError as e:
            raise BadPolicyError("it takes too long") from e
        except (ConnectError, ConnectionClosed, ResponseFailed, SSL.Error, OSError) as e:
            raise BadPolicyError(f"it cannot be read: {type(e).__name__}") from e

    async def _fetch(self, host: str) -> str:
        address = (await self._guard.addresses(host))[0]
        endpoint = TcpEndpoint(self._reactor, address, self._port, CONNECT_TIMEOUT_S)
        tls = wrapClientTLS(ClientTls(self._context, host), endpoint)
        bounded = _Bounded(tls, host)
        try:
            return await self._asked(
                Agent.usingEndpointFactory(self._reactor, _Always(bounded)), host
            )
        finally:
            bounded.close()

    async def _asked(self, agent: Agent, host: str) -> str:
        url = f"https://{host}/.well-known/mta-sts.txt".encode("ascii")
        answer = await agent.request(b"GET", url, Headers({"User-Agent": [self._agent]}))
        if answer.code != 200:
            raise BadPolicyError(f"it is answered {answer.code}")
        kinds = answer.headers.getRawHeaders("content-type") or [""]
        if kinds[0].partition(";")[0].strip().lower() != "text/plain":
            raise BadPolicyError("it is not text/plain")
        body = _Body()
        answer.deliverBody(body)
        text = await body.whole
        if len(text) > MAX_POLICY_BYTES:
            raise BadPolicyError("it is too long")
        return text.decode("utf-8", "replace")


class _Body(Protocol):
    """Gathers a body; how much that may be the connection sees to."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.whole: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        """Called with a piece of the body."""
        self._data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Called when it is whole, or will never be."""
        if self.whole.called:  # it was given up
            return
        if reason.check(ResponseDone):
            self.whole.callback(bytes(self._data))
        else:
            self.whole.errback(BadPolicyError("its end cannot be read"))


@implementer(IAgentEndpointFactory)
class _Always:
    """The one endpoint, whatever the URL."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: Any) -> IStreamClientEndpoint:  # noqa: N802, ARG002  Twisted's
        """The endpoint for ``uri``."""
        return self._endpoint


@implementer(IStreamClientEndpoint)
class _Bounded:
    """An endpoint over which not too much is read, and that from ``host`` alone."""

    def __init__(self, endpoint: IStreamClientEndpoint, host: str) -> None:
        self._endpoint = endpoint
        self._host = host
        self._connections: list[ProtocolWrapper] = []

    def close(self) -> None:
        """Hang up, whatever is still to come."""
        for connection in self._connections:
            connection.abortConnection()

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[Any]":  # noqa: N803  Twisted's
        """Connect, and return the factory's protocol, which is within what bounds it."""
        wrapping = _BoundedFactory(protocolFactory)
        wrapping.host = self._host
        connecting = cast("Deferred[Any]", self._endpoint.connect(wrapping))
        return connecting.addCallback(self._connected)

    def _connected(self, wrapper: ProtocolWrapper) -> Any:
        self._connections.append(wrapper)
        return wrapper.wrappedProtocol


@implementer(IHandshakeListener)
class _BoundedProtocol(ProtocolWrapper):
    left = MAX_POLICY_BYTES + MAX_HEAD_BYTES

    def handshakeCompleted(self) -> None:  # noqa: N802  Twisted's
        """Called when TLS has begun: hang up, unless the certificate is one of the host."""
        try:
            check_identity(self.transport, cast("_BoundedFactory", self.factory).host)
        except ValueError:
            self.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Called with what comes: hang up when it is too much."""
        self.left -= len(data)
        if self.left < 0:
            self.abortConnection()
        else:
            super().dataReceived(data)


class _BoundedFactory(WrappingFactory):
    protocol = _BoundedProtocol
    noisy = False
    host = ""
