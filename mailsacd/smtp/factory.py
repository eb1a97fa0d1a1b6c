"""The SMTP listener: builds a protocol for each connection, and ends them all at the stop."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from twisted.internet.error import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory

from mailsacd.core.errors import ConfigurationError
from mailsacd.smtp.crowd import Crowd
from mailsacd.smtp.protocol import Shared, SmtpProtocol
from mailsacd.smtp.rules import SessionRules
from mailsacd.smtp.services import SmtpServices

DRAIN_TIMEOUT_S: Final = 10.0
"""So long may messages under way take to be finished at the stop."""
LAST_WORDS_S: Final = 1.0
"""So long may peers then take to read that we stop."""


class SmtpFactory(ServerFactory):
    """One for each listening port."""

    noisy = False

    def __init__(self, services: SmtpServices) -> None:
        """Raises ConfigurationError for a network that is none."""
        settings = services.settings
        self._clock = services.clock
        self._crowd = Crowd(
            max_connections=settings.max_connections,
            max_per_peer=settings.max_connections_per_peer,
        )
        self._shared = Shared(
            services=services,
            rules=SessionRules(
                hostname=services.hostname,
                max_message_bytes=services.message.max_bytes,
                max_recipients=services.message.max_recipients,
                refuse_bare_newlines=services.message.refuse_bare_newlines,
                offers_tls=services.tls is not None,
            ),
            crowd=self._crowd,
            proxies=tuple(_network(text) for text in settings.proxy_networks),
            tick_s=min(settings.command_timeout_s, settings.data_timeout_s),
        )

    def buildProtocol(self, addr: IAddress | None) -> SmtpProtocol:  # noqa: ARG002
        """A protocol for a new connection."""
        return SmtpProtocol(self._shared)

    async def drain(self) -> None:
        """End all sessions, and return when they are gone. The port is closed by its owner.

        Idle ones hear 421 at once; messages under way may be finished, for a bounded time.
        """
        self._crowd.stopping = True
        for member in tuple(self._crowd.members):
            member.stop(at_once=False)
        if not await self._all_gone(DRAIN_TIMEOUT_S):
            for member in tuple(self._crowd.members):
                member.stop(at_once=True)
        if not await self._all_gone(LAST_WORDS_S):
            for member in tuple(self._crowd.members):
                member.abort()
            await self._all_gone(LAST_WORDS_S)

    async def _all_gone(self, timeout_s: float) -> bool:
        if not self._crowd.members:
            return True
        try:
            await self._crowd.when_empty().addTimeout(timeout_s, self._clock)
        except DeferredTimeoutError:
            return False
        return True


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as e:
        raise ConfigurationError(f"smtp.proxy_networks: {text!r} is no network: {e}") from e
