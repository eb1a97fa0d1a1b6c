"""Servers that are gone after the test, and what connects to them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.names import dns

from mailsacd.core.dns import Dns
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.smtp.dialler import Dialler, tls_contexts
from mailsacd.outbound.smtp.relays import Relays
from mailsacd.outbound.smtp.routing import Routing
from mailsacd.outbound.smtp.sts_policies import StsPolicies
from mailsacd.outbound.smtp.tls_policy import TlsPolicies
from mailsacd.settings import RelaySettings
from tests.lanes import LANES
from tests.outbound.name_server import Network
from tests.outbound.smtp.server import Behaviour, Server

reactor: Any = the_reactor

Serve = Callable[..., Server]
MakeRelays = Callable[..., Relays]
HURRY = 1_000


class Hurried:
    """The reactor, for which time limits are up HURRY times as soon, once it is ``hurrying``."""

    def __init__(self, *, hurrying: bool = True) -> None:
        self.hurrying = hurrying
        self._calls: list[Any] = []

    def callLater(self, delay: float, *args: Any, **kw: Any) -> Any:  # noqa: N802  Twisted's
        call = reactor.callLater(delay / HURRY if self.hurrying else delay, *args, **kw)
        self._calls.append(call)
        return call

    def pending(self) -> int:
        """How many time limits are running."""
        return sum(call.active() for call in self._calls)

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


@pytest_twisted.async_yield_fixture
async def serve() -> AsyncIterator[Serve]:
    """Makes servers: the fields of a `Behaviour`, and ``interface`` and ``port``."""
    servers: list[Server] = []

    def make(*, interface: str = "127.0.0.1", port: int = 0, **behaviour: Any) -> Server:
        made = Server(reactor, Behaviour(**behaviour), interface=interface, port=port)
        servers.append(made)
        return made

    yield make
    for server in servers:
        await server.stop()


@pytest.fixture
def make_relays(network: Network) -> MakeRelays:
    """Makes relays: settings of the section, and ``own_names``, ``sts``, ``clock``."""

    def make(
        *,
        own_names: tuple[str, ...] = ("me.example",),
        sts: StsPolicies | None = None,
        clock: Any = reactor,
        asked: Dns | None = None,
        **section: Any,
    ) -> Relays:
        chosen = {"allowed_networks": ("127.0.0.0/8", "::1/128"), **section}
        settings = RelaySettings(**chosen)
        names = asked or network.resolver()
        return Relays(
            Routing(settings, own_names, names),
            TlsPolicies(settings, sts),
            Dialler(settings, "me.example", tls_contexts(settings), LANES.rest, clock),
            Guard(names, settings.allowed_networks, setting="relay.allowed_networks"),
            clock,
        )

    return make


def at(network: Network, domain: str, *mx: tuple[int, str, str]) -> None:
    """MX records of ``domain``: preference, host, and the IPv4 address of the host."""
    answers = network.usual.answers
    for preference, host, address in mx:
        answers.add(domain, dns.Record_MX(preference, host))
        if address:
            answers.add(host, dns.Record_A(address))
