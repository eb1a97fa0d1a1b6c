"""Connections to PostgreSQL, shared by all that need one.

A connection that breaks is replaced in the background for as long as it takes; none that is known
to be dead is handed out. Callers see `UnavailableError` for what a later try may mend,
`StorageFullError` for a full disk, and `StatementError` for a statement that PostgreSQL refuses.
"""

import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError, StatementError, UnavailableError
from mailsacd.store.connection import Connection
from mailsacd.store.failures import AWAY, DriverError, translated
from mailsacd.store.sql import Result, Statement
from mailsacd.store.target import Target, is_hopeless
from mailsacd.work.loop import Loop

T = TypeVar("T")

START_TIMEOUT_S: Final = 20.0
ACQUIRE_TIMEOUT_S: Final = 5.0
MAX_WAITING: Final = 10_000
STATEMENT_GRACE_S: Final = 5.0  # after the server should have cancelled it, we hang up
RECONNECT_DELAYS_S: Final = (0.0, 0.1, 0.2, 0.5, 1.0)  # the last one again and again

_SWEEP_INTERVAL_S: Final = 0.5
_RETRY_START_S: Final = 0.2

# Not by the parameter "options": a connection pooler between may not know it
_SESSION: Final = """
    set statement_timeout = {ms};
    set idle_in_transaction_session_timeout = {ms};
    set timezone = 'UTC';
    set standard_conforming_strings = on;
    -- declared statements find rows by their keys: no value of a parameter asks for another plan,
    -- and one made while a table was small must not read it whole when it has grown
    set plan_cache_mode = force_generic_plan;
    set enable_seqscan = off"""

_log = Logger()


class Database:
    """A bounded number of connections, and a bounded line of those who wait for one."""

    def __init__(
        self, dsn: str, *, connections: int, statement_timeout_s: float, reactor: Any
    ) -> None:
        self._target = Target(dsn)
        self._count = connections
        self._statement_timeout_s = statement_timeout_s
        self._patience_s = statement_timeout_s + STATEMENT_GRACE_S
        self._reactor = reactor
        self._open: set[Connection] = set()
        self._idle: list[Connection] = []  # the last one used is the next one used
        self._waiting: deque[tuple[float, Deferred[Connection]]] = deque()
        self._handing_out = False
        self._attempts = 0  # to connect, since it last succeeded
        self._reconnecting = Loop(
            "connect to the database",
            self._reconnect,
            every_s=RECONNECT_DELAYS_S[-1],
            clock=reactor,
            cancels=True,
        )
        self._sweeping = Loop(
            "watch connections", self._sweep, every_s=_SWEEP_INTERVAL_S, clock=reactor
        )
        self._is_away = False
        self._closed = False

    async def start(self) -> None:
        """Connect. Raises ConfigurationError when that is hopeless, or was in vain for long."""
        deadline = self._reactor.seconds() + START_TIMEOUT_S
        told = ""
        while len(self._open) < self._count:
            try:
                await self._add_connection()
            except (*DriverError, OSError) as e:
                before, told = told, f"cannot use the {self._target}: {' '.join(str(e).split())}"
                if is_hopeless(e) or self._reactor.seconds() > deadline:
                    raise ConfigurationError(told) from e
                if told != before:
                    _log.warn("{why} (trying for up to {s:.0f} s)", why=told, s=START_TIMEOUT_S)
                await deferLater(self._reactor, _RETRY_START_S)
        self._sweeping.start()

    async def stop(self) -> None:
        """Close all connections; whoever still waits is told that the database is away."""
        self._closed = True
        self._sweeping.halt()
        for connection in tuple(self._open):
            connection.drop("the daemon stops")
        self._refuse_waiting(float("inf"))
        await self._reconnecting.stop()

    async def ping(self) -> None:
        """Raises UnavailableError when the database does not answer."""
        await self.run("select 1")

    async def fetch(self, sql: str | bytes, params: Any = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; its rows, if it has any."""
        return (await self.run(sql, params))[0]

    async def run(self, sql: str | bytes, params: Any = ()) -> Result:
        """As `fetch`, with the number of rows that were found or changed.

        ``sql`` as bytes is UTF-8. Without ``params`` a ``%`` stands for itself.
        """
        return await self._on_any(lambda on, until_s: on.run(sql, params, until_s))

    async def run_binary(self, sql: bytes, values: Sequence[bytes]) -> Result:
        """As `run`, with bytes for the parameters $1, $2 …: they go as they are (store.libpq)."""
        return await self._on_any(lambda on, until_s: on.run_binary(sql, values, until_s))

    async def execute(self, statement: Statement, values: Sequence[object]) -> Result:
        """As `run`, for a declared statement, which connections keep prepared."""
        return await self._on_any(lambda on, until_s: on.execute(statement, values, until_s))

    async def _on_any(self, start: Callable[[Connection, float], Awaitable[Result]]) -> Result:
        connection = self._idle.pop() if self._idle else await self._wait()
        try:
            return await start(connection, self._deadline_s())
        except DriverError as e:
            raise translated(e) from e
        finally:
            self._put_back(connection)

    async def transaction(
        self,
        work: "Callable[[Transaction], Awaitable[T]]",
        *,
        statement_timeout_s: float | None = None,
    ) -> T:
        """Run ``work`` in one transaction: committed when it returns, undone when it raises.

        ``statement_timeout_s`` is for its statements instead of the usual one.
        """
        connection = self._idle.pop() if self._idle else await self._wait()
        begin, patience_s = "begin", self._patience_s
        if statement_timeout_s is not None:
            begin += f"; set local statement_timeout = {int(statement_timeout_s * 1000)}"
            patience_s = statement_timeout_s + STATEMENT_GRACE_S
        transaction = Transaction(connection, self._reactor, patience_s)
        try:
            await transaction.run(begin)
            result = await work(transaction)
            await transaction.commit()
        except BaseException:
            await self._undo(connection)
            raise
        else:
            return result
        finally:
            self._put_back(connection)

    def _deadline_s(self) -> float:
        return float(self._reactor.seconds()) + self._patience_s

    # Handing out

    async def _wait(self) -> Connection:
        if self._closed or len(self._waiting) >= MAX_WAITING:
            raise UnavailableError(AWAY)
        waiting: Deferred[Connection] = Deferred()
        self._waiting.append((self._reactor.seconds() + ACQUIRE_TIMEOUT_S, waiting))
        return await waiting

    def _put_back(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        if not connection.usable:  # the caller gave up, the statement still runs
            connection.when_free(lambda: self._put_back(connection))
            return
        self._idle.append(connection)
        if self._handing_out:
            return  # to the loop further up the stack: a long line makes no deep stack
        self._handing_out = True
        while self._idle and self._waiting:
            waiting = self._waiting.popleft()[1]
            if not waiting.called:  # it is, when the caller gave up
                waiting.callback(self._idle.pop())
        self._handing_out = False

    async def _undo(self, connection: Connection) -> None:
        if not connection.usable:  # lost, or still running what the caller gave up
            connection.drop("a transaction was given up")
        elif connection.in_transaction:
            try:
                await connection.run("rollback", (), self._deadline_s())
            except DriverError:
                connection.drop("a transaction could not be rolled back")

    def _sweep(self) -> None:
        """Tell those who waited too long, and hang up on a server that does not answer."""
        now = self._reactor.seconds()
        self._refuse_waiting(now)
        for connection in tuple(self._open):
            if connection.deadline_s < now:
                connection.drop("no answer in time")

    def _refuse_waiting(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            waiting = self._waiting.popleft()[1]
            if not waiting.called:
                waiting.errback(UnavailableError(AWAY))

    # Connecting

    async def _add_connection(self) -> None:
        connection = Connection(self._reactor, self._lost)
        session = _SESSION.format(ms=int(self._statement_timeout_s * 1000))
        await connection.open(self._target, session)
        if self._closed:
            connection.drop("the daemon stops")
            return
        self._open.add(connection)
        self._put_back(connection)

    def _lost(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._closed:
            return
        self._reconnecting.start(self._delay_s())

    def _delay_s(self) -> float:
        """How long to wait before the next attempt to connect.

        Nodes that lost one server do not come back in step.
        """
        delay_s = RECONNECT_DELAYS_S[min(self._attempts, len(RECONNECT_DELAYS_S) - 1)]
        return delay_s * random.uniform(0.7, 1.0)  # noqa: S311  it is no secret

    async def _reconnect(self) -> float:
        """Add a connection, unless there are enough of them."""
        if len(self._open) >= self._count:
            return inf
        self._attempts += 1
        try:
            await self._add_connection()
        except (*DriverError, OSError, ConfigurationError) as e:
            if self._attempts > 1 and not self._is_away:
                self._is_away = True
                _log.warn("the {t} is away: {why}", t=str(self._target), why=str(e).strip())
        else:
            self._attempts = 0
            if self._is_away:
                self._is_away = False
                _log.info("the {t} is back", t=str(self._target))
        return self._delay_s()


class Transaction:
    """A transaction under way: statements see each other's effects."""

    def __init__(self, connection: Connection, reactor: Any, patience_s: float) -> None:
        self._connection = connection
        self._reactor = reactor
        self._patience_s = patience_s

    async def fetch(self, sql: str | bytes, params: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement; its rows, if it has any."""
        return (await self.run(sql, params))[0]

    async def run(self, sql: str | bytes, params: Any = ()) -> Result:
        """As `fetch`, with the number of rows that were found or changed."""
        return await self._translating(self._connection.run(sql, params, self._deadline_s()))

    async def run_binary(self, sql: bytes, values: Sequence[bytes]) -> Result:
        """As `run`, with bytes for the parameters $1, $2 …: they go as they are (store.libpq)."""
        running = self._connection.run_binary(sql, values, self._deadline_s())
        return await self._translating(running)

    async def execute(self, statement: Statement, values: Sequence[object]) -> Result:
        """As `run`, for a declared statement, which connections keep prepared."""
        running = self._connection.execute(statement, values, self._deadline_s())
        return await self._translating(running)

    async def commit(self) -> None:
        """End it. Raises StatementError when a statement failed and that was passed over."""
        if self._connection.transaction_failed:  # PostgreSQL would take the commit, and undo all
            raise StatementError("The database refused a statement")
        await self.run("commit")

    def _deadline_s(self) -> float:
        return float(self._reactor.seconds()) + self._patience_s

    async def _translating(self, running: Awaitable[Result]) -> Result:
        try:
            return await running
        except DriverError as e:
            raise translated(e) from e
