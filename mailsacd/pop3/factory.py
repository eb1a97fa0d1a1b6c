"""POP3 on Twisted: a protocol for each connection of a port, and room in memory for them."""

from operator import itemgetter
from typing import Final, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from mailsacd.pop3.notes import PortNotes
from mailsacd.pop3.rules import SessionRules
from mailsacd.pop3.runner import SessionRunner
from mailsacd.pop3.services import Pop3Services, Shared
from mailsacd.sockets.connection import Connection
from mailsacd.sockets.connection_factory import ConnectionFactory, proxy_networks
from mailsacd.sockets.connections import Connections
from mailsacd.sockets.listener_options import ListenerOptions

STUCK_S: Final = 10.0
"""Who does not read for so long is closed when others wait for the memory."""


class Pop3Protocol(Connection):
    """One POP3 connection. Its factory asks how much it keeps from others."""

    _handler: SessionRunner

    def __init__(self, shared: Shared, peer_ip: str) -> None:
        super().__init__(shared.options, peer_ip)
        self._handler = SessionRunner(shared, self)

    def stuck_s(self, now_s: float) -> float:
        """Return for how many seconds, at ``now_s``, its peer has not read what is held for it."""
        return self._handler.sending.stuck_s(now_s)


class Pop3Factory(ConnectionFactory[Pop3Protocol]):
    """Makes the connections of one POP3 port, and sees to room in memory for their messages."""

    def __init__(self, services: Pop3Services) -> None:
        """Raises ConfigurationError when a network of proxies is none."""
        settings = services.settings
        connections: Connections[Pop3Protocol] = Connections(
            max_connections=settings.max_connections,
            max_per_peer=settings.max_connections_per_peer,
            figures=services.telemetry.figures,
            port=services.port,
            limits=services.limits,
        )
        super().__init__(connections, services.clock)
        self._budget = services.budget
        self._shared = Shared(
            services=services,
            rules=SessionRules(
                hostname=services.hostname,
                version=services.version,
                login_delay_s=settings.login_delay_s,
            ),
            notes=PortNotes(services.telemetry, services.port),
            options=ListenerOptions(
                connections=connections,
                clock=services.clock,
                tls=services.tls,
                tls_at_once=services.tls_at_once,
                plain_login=settings.plain_login,
                starttls=settings.starttls,
                self_signed=services.self_signed,
                proxies=proxy_networks(settings.proxy_networks, "pop3.proxy_networks"),
            ),
        )

    def buildProtocol(self, addr: IAddress | None) -> Pop3Protocol:
        """Make the protocol of a new connection from the address ``addr``."""
        return Pop3Protocol(self._shared, cast(IPv4Address | IPv6Address, addr).host)

    def offers_tls(self, host: str) -> bool:
        """Tell whether a client that connects to ``host``, a name or IP address, may say STLS."""
        options = self._shared.options
        return options.offers_tls(host, needed=not options.trusts(host))

    def make_room(self, now_s: float) -> None:
        """Close the connections that have not read for longest while others wait for the memory."""
        if self._budget.open:
            return
        stuck = [(member.stuck_s(now_s), member) for member in self._connections.members]
        for stuck_s, member in sorted(stuck, key=itemgetter(0), reverse=True):
            if self._budget.open or stuck_s < STUCK_S:
                break
            member.abort()
