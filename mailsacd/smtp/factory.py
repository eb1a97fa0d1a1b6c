"""The SMTP listener: builds a protocol for each connection, and ends them all at the stop."""

from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from operator import itemgetter
from typing import Final, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.errors import ConfigurationError
from mailsacd.smtp.crowd import Crowd
from mailsacd.smtp.outbox import Outbox
from mailsacd.smtp.protocol import SmtpProtocol
from mailsacd.smtp.rules import SessionRules
from mailsacd.smtp.services import SmtpServices
from mailsacd.smtp.shared import Shared

DRAIN_TIMEOUT_S: Final = 10.0
"""So long may messages under way take to be finished at the stop."""
LAST_WORDS_S: Final = 1.0
"""So long may peers then take to read that we stop."""
SWEEP_INTERVAL_S: Final = 1.0
"""Timeouts are looked at so often, for all connections at once: none has a timer of its own."""

_log = Logger()


class SmtpFactory(ServerFactory):
    """One for each listening port."""

    noisy = False

    def __init__(self, services: SmtpServices) -> None:
        """Raises ConfigurationError for a network that is none."""
        settings = services.settings
        self._clock = services.clock
        self._budget = services.ingest.budget
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
            outbox=Outbox(services.clock),
            proxies=tuple(_network(text) for text in settings.proxy_networks),
        )
        self._sweep = LoopingCall(self._check_times)
        self._sweep.clock = services.clock

    def startFactory(self) -> None:
        """The port is opened."""
        self._sweep.start(SWEEP_INTERVAL_S, now=False).addErrback(_log_broken_sweep)

    def stopFactory(self) -> None:
        """The port is closed."""
        self._sweep.stop()

    def buildProtocol(self, addr: IAddress | None) -> SmtpProtocol:
        """A protocol for a new connection."""
        return SmtpProtocol(self._shared, cast(IPv4Address | IPv6Address, addr).host)

    async def drain(self) -> None:
        """End all sessions, and return when they are gone. The port is closed by its owner.

        Idle ones hear 421 at once; messages under way may be finished, for a bounded time.
        """
        crowd = self._crowd
        crowd.stopping = True
        self._stop_all(at_once=False)
        await self._within(DRAIN_TIMEOUT_S, crowd.when_empty(crowd.open))
        self._stop_all(at_once=True)
        await self._within(LAST_WORDS_S, crowd.when_empty(crowd.members))
        for member in tuple(crowd.members):
            member.abort()
        await self._within(LAST_WORDS_S, crowd.when_empty(crowd.members))

    def _stop_all(self, *, at_once: bool) -> None:
        for member in tuple(self._crowd.open):
            member.stop(at_once=at_once)

    async def _within(self, timeout_s: float, done: Deferred[None]) -> None:
        with suppress(DeferredTimeoutError):
            await done.addTimeout(timeout_s, self._clock)

    def _check_times(self) -> None:
        now_s = self._clock.seconds()
        for member in tuple(self._crowd.members):
            member.check_time(now_s)
        if not self._budget.open:
            self._make_room(now_s)

    def _make_room(self, now_s: float) -> None:
        """While new messages wait for memory, nobody keeps them waiting by sending slowly."""
        speeds = ((member.speed(now_s), member) for member in self._crowd.members)
        slow = [(speed, member) for speed, member in speeds if speed is not None]
        for _, member in sorted(slow, key=itemgetter(0)):
            if self._budget.open:
                break
            member.refuse_message()


def _log_broken_sweep(failure: Failure) -> None:
    _log.failure("SMTP timeouts are no longer watched", failure)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as e:
        raise ConfigurationError(f"smtp.proxy_networks: {text!r} is no network: {e}") from e
