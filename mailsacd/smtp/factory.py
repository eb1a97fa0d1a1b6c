"""The SMTP listener: builds a protocol for each connection, and makes room in memory."""

from operator import itemgetter
from typing import cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from mailsacd.smtp.protocol import SmtpProtocol
from mailsacd.smtp.rules import SessionRules
from mailsacd.smtp.services import SmtpServices
from mailsacd.smtp.shared import Shared
from mailsacd.sockets.connection_factory import ConnectionFactory, proxy_networks
from mailsacd.sockets.connections import Connections
from mailsacd.sockets.listener_options import ListenerOptions


class SmtpFactory(ConnectionFactory[SmtpProtocol]):
    """One for each listening port."""

    def __init__(self, services: SmtpServices) -> None:
        """Raises ConfigurationError for a network that is none."""
        settings = services.settings
        section = "smtp" if services.capture is None else "capture"
        connections: Connections[SmtpProtocol] = Connections(
            max_connections=settings.max_connections,
            max_per_peer=settings.max_connections_per_peer,
        )
        super().__init__(connections, services.clock)
        self._budget = services.ingest.budget
        self._shared = Shared(
            services=services,
            rules=SessionRules(
                hostname=services.hostname,
                max_message_bytes=services.message.max_bytes,
                max_recipients=services.message.max_recipients,
                refuse_bare_newlines=services.message.refuse_bare_newlines,
                offers_tls=services.tls is not None and not services.tls_at_once,
                in_tls=services.tls_at_once,
                requires_auth=services.capture is not None,
            ),
            options=ListenerOptions(
                connections=connections,
                clock=services.clock,
                tls=services.tls,
                tls_at_once=services.tls_at_once,
                proxies=proxy_networks(settings.proxy_networks, f"{section}.proxy_networks"),
            ),
        )

    def buildProtocol(self, addr: IAddress | None) -> SmtpProtocol:
        """A protocol for a new connection."""
        return SmtpProtocol(self._shared, cast(IPv4Address | IPv6Address, addr).host)

    def sweep(self) -> None:
        """Look at the time, and at the memory, of all connections."""
        super().sweep()
        if not self._budget.open:
            self._make_room(self._clock.seconds())

    def _make_room(self, now_s: float) -> None:
        """While new messages wait for memory, nobody keeps them waiting by sending slowly."""
        speeds = ((member.speed(now_s), member) for member in self._connections.members)
        slow = [(speed, member) for speed, member in speeds if speed is not None]
        for _, member in sorted(slow, key=itemgetter(0)):
            if self._budget.open:
                break
            member.refuse_message()
