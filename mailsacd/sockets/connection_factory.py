"""A listener of connections: watches their deadlines, and ends them all at the stop."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, Generic

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.sockets.connections import Connections, M
from mailsacd.work.loop import Loop

DRAIN_TIMEOUT_S: Final = 10.0
"""So long may what is under way take to be finished at the stop."""
LAST_WORDS_S: Final = 1.0
"""So long may peers then take to read that we stop."""
SWEEP_INTERVAL_S: Final = 1.0
"""Timeouts are looked at so often, for all connections at once: none has a timer of its own."""

_log = Logger()


class ConnectionFactory(ServerFactory, Generic[M]):
    """Makes the connections of a listening port, watches their time, and ends them at the stop.

    A subclass has `buildProtocol`. ``connections`` are to be those that it makes.
    """

    noisy = False

    def __init__(self, connections: Connections[M], clock: IReactorTime) -> None:
        self._connections = connections
        self._clock = clock
        self._sweeping = Loop("watch timeouts", self._sweep, every_s=SWEEP_INTERVAL_S, clock=clock)

    def startFactory(self) -> None:
        """Begin to watch the time of connections: the port is open."""
        self._sweeping.start()

    def stopFactory(self) -> None:
        """Watch no more: the port is closed."""
        self._sweeping.halt()

    def make_room(self, now_s: float) -> None:
        """Do what else is to be done in time: a subclass may have some.

        Called every SWEEP_INTERVAL_S, at the clock's time ``now_s``.
        """

    async def drain(self) -> None:
        """End all sessions, and return when they are gone. The port is closed by its owner.

        Idle ones hear it at once; what is under way may be finished within DRAIN_TIMEOUT_S.
        """
        connections = self._connections
        connections.stopping = True
        self._stop_all(at_once=False)
        await self._within(DRAIN_TIMEOUT_S, connections.when_empty(connections.open))
        self._stop_all(at_once=True)
        await self._within(LAST_WORDS_S, connections.when_empty(connections.members))
        self._for_each(connections.members, lambda member: member.abort())
        await self._within(LAST_WORDS_S, connections.when_empty(connections.members))

    def _stop_all(self, *, at_once: bool) -> None:
        self._for_each(self._connections.open, lambda member: member.stop(at_once=at_once))

    def _sweep(self) -> None:
        now_s = self._clock.seconds()
        self._for_each(self._connections.members, lambda member: member.check_time(now_s))
        self.make_room(now_s)

    def _for_each(self, members: Iterable[M], call: Callable[[M], None]) -> None:
        """``call`` for each of them. One connection's defect is not the others': it is aborted."""
        for member in tuple(members):
            try:
                call(member)
            except Exception:  # noqa: BLE001  whatever it is, the others have their turn
                _log.failure("a connection broke")
                member.abort()

    async def _within(self, timeout_s: float, done: Deferred[None]) -> None:
        with suppress(DeferredTimeoutError):
            await done.addTimeout(timeout_s, self._clock)


async def drain_all(factories: Iterable[ConnectionFactory[Any]]) -> None:
    """End the sessions of all ``factories`` at the same time; return when they are gone."""
    await gatherResults([Deferred.fromCoroutine(each.drain()) for each in factories])


def proxy_networks(texts: Iterable[str], setting: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read a list of networks, such as ``10.0.0.0/8``, from the ``setting`` of that name.

    Raises ConfigurationError, which names the setting and the text that is no network.
    """
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError as e:
            raise ConfigurationError(f"{setting}: {text!r} is no network: {e}") from e
    return tuple(networks)
