"""Connections to PostgreSQL, by txpostgres: the only module that knows the driver.

A connection that breaks is replaced in the background for as long as it takes; none that is known
to be dead is handed out. Callers see `UnavailableError` for what a later try may mend,
`StorageFullError` for a full disk, and `StatementError` for a statement that PostgreSQL refuses.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, parse_dsn
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from txpostgres import txpostgres

from mailsacd.core.errors import (
    ConfigurationError,
    MailsacdError,
    StatementError,
    StorageFullError,
    UnavailableError,
)

T = TypeVar("T")

OLDEST_SERVER: Final = 140_000
START_TIMEOUT_S: Final = 20.0
ACQUIRE_TIMEOUT_S: Final = 5.0
MAX_WAITING: Final = 10_000
STATEMENT_GRACE_S: Final = 5.0  # after the server should have cancelled it, we hang up
RECONNECT_DELAYS_S: Final = (0.0, 0.1, 0.2, 0.5, 1.0)  # the last one again and again

_SWEEP_INTERVAL_S: Final = 0.5
_CONNECTION_DEFAULTS: Final = {
    "application_name": "mailsacd",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_DISK_FULL: Final = "53100"
# Classes and codes of SQLSTATE that say nothing about the statement itself: connection trouble,
# resources, operator's intervention, system errors, deadlocks, a standby after a failover.
_PASSING: Final = ("08", "53", "57", "58", "40", "55P03", "25006", "25P03")
_HOPELESS: Final = (
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "no password",
)

_log = Logger()


class Database:
    """A bounded number of connections, and a bounded line of those who wait for one."""

    def __init__(
        self, dsn: str, *, connections: int, statement_timeout_s: float, reactor: Any
    ) -> None:
        self._dsn = dsn
        self._count = connections
        self._statement_timeout_s = statement_timeout_s
        self._reactor = reactor
        self._open: set[_Connection] = set()
        self._idle: list[_Connection] = []
        self._waiting: deque[tuple[float, Deferred[_Connection]]] = deque()
        self._reconnecting: set[Deferred[None]] = set()
        self._sweeping = LoopingCall(self._sweep)
        self._sweeping.clock = reactor
        self._closed = False

    async def start(self) -> None:
        """Connect. Raises ConfigurationError when that is hopeless, or was in vain for long."""
        deadline = self._reactor.seconds() + START_TIMEOUT_S
        while len(self._open) < self._count:
            try:
                self._put_back(await self._connect())
            except psycopg2.Error as e:
                told = str(e).strip()
                if self._reactor.seconds() > deadline or any(text in told for text in _HOPELESS):
                    raise ConfigurationError(f"cannot connect to the database: {told}") from e
                await deferLater(self._reactor, 0.2)
        self._sweeping.start(_SWEEP_INTERVAL_S, now=False).addErrback(
            lambda f: _log.failure("connections are no longer watched", f)
        )

    async def stop(self) -> None:
        """Close all connections; whoever still waits is told that the database is away."""
        self._closed = True
        if self._sweeping.running:
            self._sweeping.stop()
        for connection in tuple(self._open):
            connection.close()
        self._open.clear()
        self._idle.clear()
        self._refuse_waiting(float("inf"))
        for reconnecting in tuple(self._reconnecting):
            await reconnecting

    async def fetch(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; its rows, if it has any."""
        return (await self.run(sql, params))[0]

    async def run(self, sql: str, params: Any = ()) -> tuple[list[tuple[Any, ...]], int]:
        """As `fetch`, with the number of rows that were found or changed."""
        connection = self._idle.pop() if self._idle else await self._wait()
        try:
            return await connection.run(sql, params)
        except psycopg2.Error as e:
            raise _translated(e) from e
        finally:
            self._put_back(connection)

    async def transaction(self, work: "Callable[[Transaction], Awaitable[T]]") -> T:
        """Run ``work`` in one transaction: committed when it returns, undone when it raises."""
        connection = self._idle.pop() if self._idle else await self._wait()
        try:
            await connection.run("begin", ())
            result = await work(Transaction(connection))
            await connection.run("commit", ())
        except psycopg2.Error as e:
            raise _translated(e) from e
        else:
            return result
        finally:
            await self._end_transaction(connection)
            self._put_back(connection)

    # Handing out

    async def _wait(self) -> "_Connection":
        if self._closed or len(self._waiting) >= MAX_WAITING:
            raise UnavailableError("The database is away, try again later")
        waiting: Deferred[_Connection] = Deferred()
        self._waiting.append((self._reactor.seconds() + ACQUIRE_TIMEOUT_S, waiting))
        return await waiting

    def _put_back(self, connection: "_Connection") -> None:
        connection.began_s = None
        if connection not in self._open:
            return
        if connection.disconnected:
            self._lost(connection)
        elif self._waiting:
            self._waiting.popleft()[1].callback(connection)
        else:
            self._idle.append(connection)

    async def _end_transaction(self, connection: "_Connection") -> None:
        if (
            connection.disconnected
            or connection.get_transaction_status() == TRANSACTION_STATUS_IDLE
        ):
            return
        try:
            await connection.run("rollback", ())
        except psycopg2.Error:
            connection.close()

    def _sweep(self) -> None:
        """Tell those who waited too long, and hang up on a server that does not answer."""
        now = self._reactor.seconds()
        self._refuse_waiting(now)
        limit = self._statement_timeout_s + STATEMENT_GRACE_S
        for connection in tuple(self._open):
            if connection.began_s is not None and now - connection.began_s > limit:
                _log.warn("PostgreSQL does not answer: hanging up")
                connection.close()

    def _refuse_waiting(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            waiting = self._waiting.popleft()[1]
            waiting.errback(UnavailableError("The database is away, try again later"))

    # Connecting

    async def _connect(self) -> "_Connection":
        connection = _Connection(self._reactor, self._lost)
        try:
            await connection.connect(**(_CONNECTION_DEFAULTS | parse_dsn(self._dsn)))
        except psycopg2.ProgrammingError as e:
            raise ConfigurationError(f"database.dsn: {str(e).strip()}") from None
        if connection.server_version < OLDEST_SERVER:
            connection.close()
            raise ConfigurationError("PostgreSQL 14 or later is needed")
        milliseconds = int(self._statement_timeout_s * 1000)
        # Not by the option "options": a connection pooler between may not know it
        await connection.run(
            f"set statement_timeout = {milliseconds};"
            f"set idle_in_transaction_session_timeout = {milliseconds};"
            "set timezone = 'UTC'",
            (),
        )
        connection.began_s = None
        self._open.add(connection)
        return connection

    def _lost(self, connection: "_Connection") -> None:
        if connection not in self._open:
            return
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if not self._closed:
            reconnecting = ensureDeferred(self._reconnect())
            self._reconnecting.add(reconnecting)
            reconnecting.addErrback(lambda f: _log.failure("a connection was given up", f))
            reconnecting.addBoth(lambda _: self._reconnecting.discard(reconnecting))

    async def _reconnect(self) -> None:
        attempt = 0
        while not self._closed:
            delay = RECONNECT_DELAYS_S[min(attempt, len(RECONNECT_DELAYS_S) - 1)]
            await deferLater(self._reactor, delay)
            attempt += 1
            if self._closed:
                return
            try:
                connection = await self._connect()
            except (psycopg2.Error, ConfigurationError) as e:
                if attempt == len(RECONNECT_DELAYS_S):
                    _log.warn("the database is away: {why}", why=str(e).strip())
                continue
            if self._closed:
                connection.close()
            else:
                self._put_back(connection)
            return


class Transaction:
    """A transaction under way: statements see each other's effects."""

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection

    async def fetch(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement; its rows, if it has any."""
        return (await self.run(sql, params))[0]

    async def run(self, sql: str, params: Any = ()) -> tuple[list[tuple[Any, ...]], int]:
        """As `fetch`, with the number of rows that were found or changed."""
        try:
            return await self._connection.run(sql, params)
        except psycopg2.Error as e:
            raise _translated(e) from e


class _Connection(txpostgres.Connection):  # type: ignore[misc]  # txpostgres has no types
    """A connection that tells its pool when it is lost, in silence otherwise."""

    def __init__(self, reactor: Any, lost: "Callable[[_Connection], None]") -> None:
        super().__init__(reactor)
        self._tell_lost = lost
        self.began_s: float | None = None

    async def run(self, sql: str, params: Any) -> tuple[list[tuple[Any, ...]], int]:
        """Run one statement: its rows and their number. Raises psycopg2.Error."""
        self.began_s = self.reactor.seconds()
        cursor = self.cursor()
        try:
            await cursor.execute(sql, params)
        except Exception as e:
            if self.disconnected and not isinstance(e, psycopg2.Error):
                raise psycopg2.OperationalError("the connection was closed") from e
            raise
        return (cursor.fetchall() if cursor.description else [], cursor.rowcount)

    def doRead(self) -> Exception | None:
        """Read notices of the server; an error closes the connection without a traceback."""
        try:
            super().doRead()
        except psycopg2.Error as e:
            broken: Exception = e
            return broken
        return None

    def connectionLost(self, reason: Any) -> None:
        """The server hung up, or died."""
        super().connectionLost(reason)
        if not self.disconnected:
            self._connection.close()
        self._tell_lost(self)


def _translated(error: psycopg2.Error) -> MailsacdError:
    code = error.pgcode or ""
    if code == _DISK_FULL:
        return StorageFullError("There is no room left to store anything, try again later")
    if code.startswith(_PASSING) or (
        not code and isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    ):
        return UnavailableError("The database is away, try again later")
    return StatementError("The database refused a statement")
