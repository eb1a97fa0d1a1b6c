"""A listener of connections: watches their deadlines, and ends them all at the stop."""

from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, Generic

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.sockets.connections import Connections, M

DRAIN_TIMEOUT_S: Final = 10.0
"""So long may what is under way take to be finished at the stop."""
LAST_WORDS_S: Final = 1.0
"""So long may peers then take to read that we stop."""
SWEEP_INTERVAL_S: Final = 1.0
"""Timeouts are looked at so often, for all connections at once: none has a timer of its own."""

_log = Logger()


class ConnectionFactory(ServerFactory, Generic[M]):
    """One for each listening port, or for several that share their limits."""

    noisy = False

    def __init__(self, connections: Connections[M], clock: IReactorTime) -> None:
        self._connections = connections
        self._clock = clock
        self._sweep = LoopingCall(self.sweep)
        self._sweep.clock = clock

    def startFactory(self) -> None:
        """The port is opened."""
        self._sweep.start(SWEEP_INTERVAL_S, now=False).addErrback(
            lambda f: _log.failure("timeouts are no longer watched", f)
        )

    def stopFactory(self) -> None:
        """The port is closed."""
        self._sweep.stop()

    def sweep(self) -> None:
        """Look at the time of all connections."""
        now_s = self._clock.seconds()
        for member in tuple(self._connections.members):
            member.check_time(now_s)

    async def drain(self) -> None:
        """End all sessions, and return when they are gone. The port is closed by its owner.

        Idle ones hear it at once; what is under way may be finished, for a bounded time.
        """
        connections = self._connections
        connections.stopping = True
        self._stop_all(at_once=False)
        await self._within(DRAIN_TIMEOUT_S, connections.when_empty(connections.open))
        self._stop_all(at_once=True)
        await self._within(LAST_WORDS_S, connections.when_empty(connections.members))
        for member in tuple(connections.members):
            member.abort()
        await self._within(LAST_WORDS_S, connections.when_empty(connections.members))

    def _stop_all(self, *, at_once: bool) -> None:
        for member in tuple(self._connections.open):
            member.stop(at_once=at_once)

    async def _within(self, timeout_s: float, done: Deferred[None]) -> None:
        with suppress(DeferredTimeoutError):
            await done.addTimeout(timeout_s, self._clock)


async def drain_all(factories: Iterable[ConnectionFactory[Any]]) -> None:
    """End the sessions of all of them at the same time."""
    await gatherResults([Deferred.fromCoroutine(each.drain()) for each in factories])


def proxy_networks(texts: Iterable[str], setting: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks of proxies. Raises ConfigurationError that names the ``setting``."""
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError as e:
            raise ConfigurationError(f"{setting}: {text!r} is no network: {e}") from e
    return tuple(networks)
