"""What all connections together may cost: how many, what is held for them, and how they end.

One for each site. Its connections and requests ask it; it knows of a connection only what it has
to do to it.
"""

from contextlib import suppress
from http import HTTPStatus
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from mailsacd.core.connection_figures import (
    declare_connections,
    opened_connections,
    refused_connections,
)
from mailsacd.core.limit_memory import LimitMemory
from mailsacd.core.open_counts import OpenCounts
from mailsacd.core.peer import network_of
from mailsacd.http.server.answer import Response, problem
from mailsacd.http.server.notes import Notes
from mailsacd.http.server.proxies import Proxies
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.settings import HttpSettings

IN_TRANSIT_S: Final = 0.1
"""At the stop: what was sent before its sender could know has so long to come in."""
LAST_ANSWERS_S: Final = 5.0
"""So long may answers then take that are under way."""
RETRY_AFTER_S: Final = 5
"""After so long may those come again for whom there was no connection."""


_PORT: Final = "http"  # what is told of, its twin with TLS included
_TOO_MANY: Final = "too-many"
_TOO_MANY_FROM_PEER: Final = "too-many-from-peer"


class BoundedConnection(Protocol):
    """One connection, as its bounds see it (http.server.channel)."""

    @property
    def busy(self) -> bool:
        """Whether something was asked, at least in part, that is not answered to its end."""

    @property
    def owes_an_answer(self) -> bool:
        """Whether something was asked, at least in part, whose answer has an end."""

    def stop(self) -> None:
        """Take no further request: close the connection, once what was asked is answered."""

    def abort(self) -> None:
        """Close without a word; nothing is held for the connection any more."""


class Memory:
    """Counts the bytes of bodies that are not whole, and of answers that are not read.

    One answer may be megabytes, and thousands of clients may ask for one and read none of it.
    Whoever would be over the bound has the connection closed that stands still for longest.
    """

    def __init__(self, max_bytes: int) -> None:
        self.held_bytes = 0
        self._max_bytes = max_bytes
        self._of: dict[BoundedConnection, int] = {}  # who has moved most recently comes last

    def hold(self, holder: BoundedConnection, count: int) -> None:
        """Count ``count`` bytes (0: none) as held for ``holder``, which has just moved.

        The last one is never closed: what is within the limits of one request may be held.
        """
        self.held_bytes += count - self._of.pop(holder, 0)
        if count:
            self._of[holder] = count
        while self.held_bytes > self._max_bytes and len(self._of) > 1:
            stuck = next(iter(self._of))
            self.held_bytes -= self._of.pop(stuck)
            stuck.abort()


class Bounds:
    """The limits of the settings, and who is connected within them."""

    def __init__(self, settings: HttpSettings, clock: IReactorTime) -> None:
        self.max_body_bytes: Final = settings.max_body_bytes
        self.idle_timeout_s: Final = settings.idle_timeout_s
        self.memory: Final = Memory(settings.buffer_bytes)
        self.connections: Final[dict[BoundedConnection, str | None]] = {}
        """All of them, those that were handed over among them, and as whose each is counted."""
        self.stopping = False
        """Whether no further request is taken."""
        self.waiting_for_readers = 0
        """Connections whose client is behind with reading."""
        self._max_connections = settings.max_connections
        self._max_per_peer = settings.max_connections_per_peer
        self._counts = OpenCounts()
        self.proxies: Final = Proxies(settings.proxy_networks, settings.public_url)
        """They tell whose a request is, and where its client sees the server."""
        self.notes: Final = Notes(self.proxies, clock.seconds)
        """Whom each answer is told to."""
        self._clock = clock
        self._owing: set[BoundedConnection] = set()
        self._all_settled: Deferred[None] | None = None
        self.declare(Telemetry())

    def declare(self, telemetry: Telemetry) -> None:
        """Have ``telemetry`` tell of connections, and of the calls that are in `notes`."""
        figures = telemetry.figures
        self.notes.declare(telemetry)
        declare_connections(figures, _PORT, self.connections)
        self._opened = opened_connections(figures, _PORT)
        self._refused = {
            reason: refused_connections(figures, _PORT, reason)
            for reason in (_TOO_MANY, _TOO_MANY_FROM_PEER)
        }

    def count_in(self, limits: LimitMemory) -> None:
        """Count each peer's connections with those to the node's other workers, from now on."""
        self._counts = OpenCounts("http", limits)

    def refusal(self, address: str) -> Response | None:
        """What another connection from the IP ``address`` is refused with; None if it may come."""
        if len(self.connections) >= self._max_connections:
            status, message = HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections"
            self._refused[_TOO_MANY].add()
        elif (peer := self._peer(address)) and self._counts.of(peer) >= self._max_per_peer:
            status, message = HTTPStatus.TOO_MANY_REQUESTS, "Too many connections from you"
            self._refused[_TOO_MANY_FROM_PEER].add()
        else:
            return None
        headers = ((b"Retry-After", b"%d" % RETRY_AFTER_S),)
        return problem(status, f"{message}, come back later", headers=headers)

    def enter(self, connection: BoundedConnection, address: str) -> None:
        """Count ``connection``, which is open, comes from the IP ``address``, and will `leave`."""
        self._opened.add()
        peer = self.connections[connection] = self._peer(address)
        if peer is not None:
            self._counts.add(peer)

    def leave(self, connection: BoundedConnection) -> None:
        """Forget ``connection``, which is closed, and what was held for it."""
        peer = self.connections.pop(connection)
        if peer is not None:
            self._counts.leave(peer)
        self.memory.hold(connection, 0)
        self.settled(connection)

    def settled(self, connection: BoundedConnection) -> None:
        """Note that ``connection`` owes no answer that has an end."""
        self._owing.discard(connection)
        waiting = self._all_settled
        if waiting is not None and not waiting.called and not self._owing:
            waiting.callback(None)

    async def drain(self) -> None:
        """Answer what was asked, for a bounded time, and close the connections.

        To be called once the port is closed. Those who write answers without an end end them.
        """
        self.stopping = True
        for connection in tuple(self.connections):
            if connection.busy:
                connection.stop()
        await deferLater(self._clock, IN_TRANSIT_S)
        for connection in tuple(self.connections):
            connection.stop()
        self._owing.update(each for each in self.connections if each.owes_an_answer)
        if self._owing:
            self._all_settled = Deferred()
            with suppress(DeferredTimeoutError):
                await self._all_settled.addTimeout(LAST_ANSWERS_S, self._clock)
        for connection in tuple(self._owing):
            connection.abort()

    def _peer(self, address: str) -> str | None:
        """As whose the connection is counted. Whoever comes by a proxy of ours is one of many."""
        return None if self.proxies.includes(address) else network_of(address)
