"""SMTP on Twisted: a protocol for each connection of a port, and room in memory for their mail."""

from operator import itemgetter
from typing import cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator

from mailsacd.smtp.notes import PortNotes
from mailsacd.smtp.rules import SessionRules
from mailsacd.smtp.runner import SessionRunner
from mailsacd.smtp.services import Shared, SmtpServices
from mailsacd.smtp.tls_facts import AsksForCertificates
from mailsacd.sockets.connection import Connection
from mailsacd.sockets.connection_factory import ConnectionFactory, proxy_networks
from mailsacd.sockets.connections import Connections
from mailsacd.sockets.listener_options import ListenerOptions


class SmtpProtocol(Connection):
    """One SMTP connection. Its factory asks what the message under way on it means for others."""

    _handler: SessionRunner

    def __init__(self, shared: Shared, peer_ip: str) -> None:
        super().__init__(shared.options, peer_ip)
        self._handler = SessionRunner(shared, self)

    def speed(self, now_s: float) -> float | None:
        """Return how many bytes a second of the message under way have come, at the time ``now_s``.

        None without one, or when it has only just begun.
        """
        return self._handler.speed(now_s)

    def refuse_message(self) -> None:
        """Give up the message under way, whose memory others need: its sender may try again."""
        self._handler.refuse_message()


class SmtpFactory(ConnectionFactory[SmtpProtocol]):
    """Makes the connections of one SMTP port, and sees to room in memory for their mail."""

    def __init__(self, services: SmtpServices) -> None:
        """Raises ConfigurationError when a network of proxies is none."""
        settings = services.settings
        connections: Connections[SmtpProtocol] = Connections(
            max_connections=settings.max_connections,
            max_per_peer=settings.max_connections_per_peer,
            figures=services.telemetry.figures,
            port=services.port,
            limits=services.limits,
        )
        super().__init__(connections, services.clock)
        self._budget = services.ingest.budget
        options = ListenerOptions(
            connections=connections,
            clock=services.clock,
            tls=_asking(services),
            tls_at_once=services.tls_at_once,
            plain_login=services.plain_login,
            starttls=settings.starttls,
            self_signed=services.self_signed,
            proxies=proxy_networks(settings.proxy_networks, f"{services.section}.proxy_networks"),
        )
        self._shared = Shared(
            services=services,
            rules=SessionRules(
                hostname=services.hostname,
                max_message_bytes=services.message.max_bytes,
                max_recipients=services.message.max_recipients,
                refuse_bare_newlines=services.message.refuse_bare_newlines,
                in_tls=services.tls_at_once,
                requires_tls=options.requires_tls,
                requires_auth=services.logins is not None,
                submits=services.submission is not None,
            ),
            options=options,
            notes=PortNotes(services.telemetry, services.port),
        )

    def buildProtocol(self, addr: IAddress | None) -> SmtpProtocol:
        """Make the protocol of a new connection from the address ``addr``."""
        return SmtpProtocol(self._shared, cast(IPv4Address | IPv6Address, addr).host)

    def offers_tls(self, host: str) -> bool:
        """Tell whether a client that connects to ``host``, a name or IP address, may begin TLS."""
        options = self._shared.options
        return options.offers_tls(host, needed=not options.trusts(host))

    def make_room(self, now_s: float) -> None:
        """Refuse the slowest messages under way while new ones wait for their memory."""
        if self._budget.open:
            return
        speeds = ((member.speed(now_s), member) for member in self._connections.members)
        slow = [(speed, member) for speed, member in speeds if speed is not None]
        for _, member in sorted(slow, key=itemgetter(0)):
            if self._budget.open:
                break
            member.refuse_message()


def _asking(services: SmtpServices) -> IOpenSSLServerConnectionCreator | None:
    """What begins TLS: it asks for certificates where transcripts are to tell of them."""
    transcripts = services.transcripts
    if services.tls is None or transcripts is None:
        return services.tls
    return AsksForCertificates(services.tls, lambda: transcripts.wanted)
