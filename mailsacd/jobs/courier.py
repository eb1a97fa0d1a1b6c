"""Connections to other hosts: so many to each, one after the other used by all who wait for it.

Domains whose mail goes by one host, as all do by a smarthost, share its connections.
"""

from typing import Final, Protocol

from twisted.internet.defer import DeferredSemaphore

from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.outbound.smtp.transmission import Transmission

MAX_SILENT: Final = 2
"""After so many transmissions in a row without any reply a host gets nothing more for a while."""


class Connection(Protocol):
    """A session with a host (outbound.smtp.connection)."""

    @property
    def is_usable(self) -> bool:
        """Whether another transmission may follow."""

    async def send(self, transmission: Transmission) -> tuple[Outcome, ...]:
        """Return an outcome for each recipient."""

    async def close(self) -> None:
        """End the session in bounded time."""


class Hosts(Protocol):
    """Finds and connects to the hosts for a domain (outbound.smtp.relays)."""

    def destination(self, domain: str) -> str:
        """The same for all domains whose mail goes by the same host."""

    async def connect(self, domain: str) -> Connection:
        """Return a connection. Raises RouteError."""


class _Destination:
    def __init__(self, most: int) -> None:
        self.slots = DeferredSemaphore(most)
        self.idle: list[Connection] = []
        self.users = 0


class Couriers:
    """Hands out couriers; of those for one destination ``most`` are connected at a time."""

    def __init__(self, hosts: Hosts, most: int) -> None:
        self._hosts = hosts
        self._most = most
        self._destinations: dict[str, _Destination] = {}

    def courier(self, domain: str) -> "Courier":
        """One for ``domain``, which connects when it has something to send."""
        return Courier(self, domain)

    async def enter(self, domain: str) -> Connection | None:
        """Wait for a slot at the domain's destination; an idle connection comes along."""
        name = self._hosts.destination(domain)
        destination = self._destinations.setdefault(name, _Destination(self._most))
        destination.users += 1
        try:
            await destination.slots.acquire()
        except BaseException:
            await self._left(name, destination)
            raise
        while destination.idle:
            connection = destination.idle.pop()
            if connection.is_usable:
                return connection
        return None

    async def connect(self, domain: str) -> Connection:
        """Connect to a host of the domain. Raises RouteError."""
        return await self._hosts.connect(domain)

    async def leave(self, domain: str, connection: Connection | None) -> None:
        """Give the slot back. The connection is for who waits for the slot, or closed."""
        name = self._hosts.destination(domain)
        destination = self._destinations[name]
        if connection is not None and connection.is_usable and destination.slots.waiting:
            destination.idle.append(connection)
            connection = None
        destination.slots.release()
        if connection is not None:
            await connection.close()
        await self._left(name, destination)

    async def _left(self, name: str, destination: _Destination) -> None:
        destination.users -= 1
        if not destination.users:
            del self._destinations[name]
            for connection in destination.idle:
                await connection.close()


class Courier:
    """Sends what one line has for its domain, by one connection after the other."""

    def __init__(self, couriers: Couriers, domain: str) -> None:
        self._couriers = couriers
        self._domain = domain
        self._entered = False
        self._connection: Connection | None = None
        self._silent = 0
        self.gave_up: Outcome | None = None
        """Why nothing more is sent: no host takes a connection, or answers."""

    async def send(self, transmission: Transmission) -> tuple[Outcome, ...]:
        """Return an outcome for each recipient; raises nothing for what other hosts do."""
        if self.gave_up is None:
            try:
                connection = await self._connected()
            except RouteError as e:
                self.gave_up = e.outcome
        if self.gave_up is not None:
            return (self.gave_up,) * len(transmission.recipients)
        outcomes = await connection.send(transmission)
        self._silent = 0 if any(one.code is not None for one in outcomes) else self._silent + 1
        if self._silent >= MAX_SILENT:
            self.gave_up = outcomes[0]
        return outcomes

    async def close(self) -> None:
        """End: the connection is closed, unless somebody waits for it."""
        if self._entered:
            self._entered = False
            connection, self._connection = self._connection, None
            await self._couriers.leave(self._domain, connection)

    async def _connected(self) -> Connection:
        if not self._entered:
            self._connection = await self._couriers.enter(self._domain)
            self._entered = True
        if self._connection is not None and not self._connection.is_usable:
            used, self._connection = self._connection, None
            await used.close()
        if self._connection is None:
            self._connection = await self._couriers.connect(self._domain)
        return self._connection
