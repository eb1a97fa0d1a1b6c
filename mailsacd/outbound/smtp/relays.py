"""Finds the next host on the way to a domain that takes a connection."""

import ipaddress
from typing import Any, Final

from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.defer import ensureDeferred

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.errors import LookupFailedError
from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.smtp.connection import Connection
from mailsacd.outbound.smtp.dialler import UNREACHED, Dialler
from mailsacd.outbound.smtp.routing import Host, Route, Routing
from mailsacd.outbound.smtp.tls_policy import TlsPolicies, TlsPolicy

MAX_ADDRESSES: Final = 4
"""So many addresses of one host are tried."""

MAX_CONNECT_S: Final = 900.0
"""`Relays.connect` takes no longer, whatever hosts there are to try."""


DEAD_S: Final = 300.0
"""So long a host to which there was no connection comes after the others."""

MAX_DEAD: Final = 5_000


class Relays:
    """``guard`` says where hosts may be that the operator did not name."""

    def __init__(
        self,
        routing: Routing,
        policies: TlsPolicies,
        dialler: Dialler,
        guard: Guard,
        reactor: Any,
    ) -> None:
        self._routing = routing
        self._policies = policies
        self._dialler = dialler
        self._guard = guard
        self._reactor = reactor
        self._dead: Recent[Host, float] = Recent(MAX_DEAD)

    def destination(self, domain: str) -> str:
        """What domains have in common that may share a connection: the host that the operator
        named for them. For others it is the domain itself."""
        return self._routing.destination(domain)

    async def connect(self, domain: str) -> Connection:
        """A connection on which mail for ``domain`` (normal, or an address literal) may be sent.

        Raises RouteError when no host takes one: permanent only if that is so of each.
        """
        connecting = ensureDeferred(self._connect(domain))
        connecting.addTimeout(MAX_CONNECT_S, self._reactor)
        try:
            return await connecting
        except DeferredTimeoutError as e:
            text = f"The hosts of {domain} take too long"
            raise RouteError(Outcome(code=None, status=UNREACHED, text=text)) from e

    async def _connect(self, domain: str) -> Connection:
        route = await self._routing.route(domain)
        policy = await self._policies.policy(domain, route)
        failures: list[RouteError] = []
        for host in sorted(route.hosts, key=self._is_dead):
            try:
                return await self._connect_to(host, route, policy)
            except RouteError as e:
                failures.append(e)
                if e.outcome.status == UNREACHED:
                    self._dead.remember(host, self._reactor.seconds() + DEAD_S)
        temporary = [e for e in failures if e.outcome.kind == "temporary"]
        raise (temporary or failures)[-1]

    def _is_dead(self, host: Host) -> bool:
        """Whether there was no connection to ``host`` a moment ago (RFC 5321 section 4.5.4.1)."""
        until_s = self._dead.get(host)
        return until_s is not UNKNOWN and self._reactor.seconds() < until_s

    async def _connect_to(self, host: Host, route: Route, policy: TlsPolicy) -> Connection:
        """By the first of its addresses that leads to an open session. Raises RouteError."""
        if not policy.allows(host.name):
            raise _failed(host, "4.7.5", f"{host.name} is none of its policy's hosts (MTA-STS)")
        failure: RouteError | None = None
        for address in await self._addresses(host, route):
            level = self._policies.level(policy, host, address)
            try:
                return await self._dialler.dial(host, address, level, route)
            except RouteError as e:
                failure = e
                if e.outcome.code is not None:  # it has spoken for all its addresses
                    break
        assert failure is not None  # noqa: S101  there is one address at least
        raise failure

    async def _addresses(self, host: Host, route: Route) -> list[str]:
        """One at least. Those that the connection may go to are checked here, and it goes to
        these very addresses: a name may stand for something else a moment later."""
        try:
            found = await self._guard.look_up(host.name)
        except LookupFailedError as e:
            raise _failed(host, "4.4.3", e.public) from e
        if not found:
            raise _failed(host, "5.4.4", f"{host.name} has no address")
        if not route.is_chosen:
            found = tuple(a for a in found if self._guard.allows(ipaddress.ip_address(a)))
        if not found:
            raise _failed(host, "5.4.4", f"{host.name} is not on the public Internet")
        return list(found[:MAX_ADDRESSES])


def _failed(host: Host, status: str, text: str) -> RouteError:
    return RouteError(Outcome(code=None, status=status, text=text, host=host.name))
