"""What all connections together may cost: how many, what is held for them, and how they end.

One for each site. Its connections and requests ask it; it knows of a connection only what it has
to do to it.
"""

from contextlib import suppress
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from mailsacd.settings import HttpSettings

IN_TRANSIT_S: Final = 0.1
"""At the stop: what was sent before its sender could know has so long to come in."""
LAST_ANSWERS_S: Final = 5.0
"""So long may answers then take that are under way."""


class Connection(Protocol):
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
        self._of: dict[Connection, int] = {}  # who has moved most recently comes last

    def hold(self, holder: Connection, count: int) -> None:
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
        self.connections: Final[set[Connection]] = set()
        """All of them, those that were handed over among them."""
        self.stopping = False
        """Whether no further request is taken."""
        self.waiting_for_readers = 0
        """Connections whose client is behind with reading."""
        self._max_connections = settings.max_connections
        self._clock = clock
        self._owing: set[Connection] = set()
        self._all_settled: Deferred[None] | None = None

    @property
    def full(self) -> bool:
        """Whether another connection would be one too many."""
        return len(self.connections) >= self._max_connections

    def enter(self, connection: Connection) -> None:
        """Count ``connection``, which is open, and will `leave`."""
        self.connections.add(connection)

    def leave(self, connection: Connection) -> None:
        """Forget ``connection``, which is closed, and what was held for it."""
        self.connections.discard(connection)
        self.memory.hold(connection, 0)
        self.settled(connection)

    def settled(self, connection: Connection) -> None:
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
