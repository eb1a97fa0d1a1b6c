"""Opens a connection to one address of a host, as well protected as it has to be."""

import ipaddress
from dataclasses import dataclass
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.defer import ensureDeferred
from twisted.internet.error import ConnectError

from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.outbound.one_shot import OneShot
from mailsacd.outbound.smtp.connection import Connection
from mailsacd.outbound.smtp.opening import ClientRules, TlsUse
from mailsacd.outbound.smtp.protocol import SessionProtocol, TlsFailedError
from mailsacd.outbound.smtp.routing import Host, Route
from mailsacd.outbound.smtp.tls_policy import TlsLevel
from mailsacd.outbound.tcp_endpoint import TcpEndpoint
from mailsacd.outbound.tls import ClientTls, trusting_context, verifying_context
from mailsacd.settings import RelaySettings
from mailsacd.work.threads import Lane

MAX_OPENING_S: Final = 300.0
"""For the whole opening, whatever the time limits of its steps add up to."""

UNREACHED: Final = "4.4.1"
"""The status where there is no connection (RFC 3463 section 3.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContexts:
    """``verifying`` takes certificates that a known authority has signed, ``trusting`` any."""

    verifying: SSL.Context
    trusting: SSL.Context


def tls_contexts(settings: RelaySettings) -> TlsContexts:
    """Make them, once. Raises ConfigurationError."""
    return TlsContexts(
        verifying=verifying_context(settings.ca_file, setting="relay.ca_file"),
        trusting=trusting_context(),
    )


class Dialler:
    """``hostname`` is what this server calls itself; messages are made ready in ``lane``."""

    def __init__(
        self,
        settings: RelaySettings,
        hostname: str,
        contexts: TlsContexts,
        lane: Lane,
        reactor: Any,
    ) -> None:
        self._settings = settings
        self._hostname = hostname
        self._contexts = contexts
        self._lane = lane
        self._reactor = reactor

    async def dial(self, host: Host, address: str, level: TlsLevel, route: Route) -> Connection:
        """A connection to ``host`` at ``address``, open for mail. Raises RouteError.

        Where TLS is not required and fails, it is done without (RFC 7435).
        """
        try:
            return await self._opened(host, address, level, route)
        except TlsFailedError:
            if level is not TlsLevel.OPPORTUNISTIC:
                raise
        return await self._opened(host, address, TlsLevel.NEVER, route)

    async def _opened(self, host: Host, address: str, level: TlsLevel, route: Route) -> Connection:
        context = self._contexts.verifying if level.verifies else self._contexts.trusting
        protocol = SessionProtocol(
            self._rules(host, address, level.use, route),
            ClientTls(context, host.name),
            host.name if level.verifies else None,
            self._reactor,
        )
        await self._connect(host, address, protocol)
        opening = ensureDeferred(protocol.opened())
        opening.addTimeout(MAX_OPENING_S, self._reactor)
        try:
            await opening
        except DeferredTimeoutError as e:
            raise _unreached(host, "it takes too long to begin") from e
        return Connection(protocol, host.name, self._lane, self._reactor)

    async def _connect(self, host: Host, address: str, protocol: SessionProtocol) -> None:
        limit_s = self._settings.connect_timeout_s
        endpoint = TcpEndpoint(self._reactor, address, host.port, limit_s)
        try:
            await endpoint.connect(OneShot(protocol))
        except (ConnectError, OSError) as e:
            raise _unreached(host, (str(e) or type(e).__name__).rstrip(".")) from e

    def _rules(self, host: Host, address: str, use: TlsUse, route: Route) -> ClientRules:
        settings = self._settings
        may_log_in = route.is_smarthost
        plain_login = settings.plain_login == "always" or (
            settings.plain_login == "loopback" and ipaddress.ip_address(address).is_loopback
        )
        return ClientRules(
            hostname=self._hostname,
            host=host.name,
            tls=use,
            own_name_is_loop=not route.is_chosen,
            user=settings.smarthost_user if may_log_in else "",
            secret=settings.smarthost_password if may_log_in else "",
            plain_login=plain_login,
        )


def _unreached(host: Host, why: str) -> RouteError:
    text = f"No connection to {host}: {why}"  # senders read it: no address of a smarthost within
    return RouteError(Outcome(code=None, status=UNREACHED, text=text, host=host.name))
