"""Connections to PostgreSQL, shared by all that need one.

A pool begins with one connection and opens more when somebody waits. One that breaks is replaced in
the background for as long as it takes; none that is known to be dead is handed out. Callers see
`UnavailableError` for what a later try may mend, `StorageFullError` for a full disk, and
`StatementError` for a statement that PostgreSQL refuses.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Any, ClassVar, Final, TypeVar

from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError, OverloadedError, UnavailableError
from mailsacd.core.figures import Figures
from mailsacd.store.connection import Connection
from mailsacd.store.failures import AWAY, DriverError, translated
from mailsacd.store.pool_figures import PoolFigures
from mailsacd.store.session import usual_settings
from mailsacd.store.sql import Executor, Result, Statement
from mailsacd.store.target import Target, is_hopeless
from mailsacd.store.transaction import Transaction
from mailsacd.store.waiting_line import WaitingLine
from mailsacd.work.loop import Loop
from mailsacd.work.threads import Lane

T = TypeVar("T")

START_TIMEOUT_S: Final = 20.0
ACQUIRE_TIMEOUT_S: Final = 5.0
MAX_WAITING: Final = 10_000
STATEMENT_GRACE_S: Final = 5.0  # after the server should have cancelled it, we hang up
RECONNECT_DELAYS_S: Final = (0.1, 0.2, 0.5, 1.0)  # the last one again and again
SPARE_FOR_S: Final = 20.0
"""A connection that was not needed for so long is closed, unless it is the last one."""

_SWEEP_INTERVAL_S: Final = 0.5
_GROW_AFTER_S: Final = 0.01
_RETRY_START_S: Final = 0.2

_log = Logger()


class Database:
    """The database, by connections that are bounded in number, as is the line for one of them."""

    _target_class: ClassVar[type[Target]] = Target

    def __init__(
        self,
        dsn: str,
        lookups: Lane,
        *,
        connections: int,
        statement_timeout_s: float,
        reactor: Any,
    ) -> None:
        """Open nothing yet, and at most ``connections`` at a time.

        ``dsn`` is as libpq takes it, and ``lookups`` the lane in which its hosts are looked up.
        Raises ConfigurationError for a ``dsn`` that cannot be read.
        """
        self.target: Final = self._target_class(dsn, lookups)
        """Where it is."""
        self._most = connections
        self._statement_timeout_s = statement_timeout_s
        self._patience_s = statement_timeout_s + STATEMENT_GRACE_S
        self._reactor = reactor
        self._open: set[Connection] = set()
        self._idle: list[tuple[float, Connection]] = []  # since when; the last one is next
        self._waiting = WaitingLine()
        self.declare(Figures(), "")
        self._handing_out = False
        self._is_connecting = False
        self._attempts = 0  # to connect, since it last succeeded
        self._connecting = Loop(
            "connect to the database", self._connect, every_s=1.0, clock=reactor, cancels=True
        )
        self._sweeping = Loop(
            "watch connections", self._sweep, every_s=_SWEEP_INTERVAL_S, clock=reactor
        )
        self._is_away = self._closed = False
        self.is_direct = self.is_distributed = False
        """Whether no pooler is between, and as of an Executor; both are known once started."""

    def declare(self, figures: Figures, name: str) -> None:
        """Have ``figures`` tell how the pool stands, which ``name`` tells from others."""
        self._figures = PoolFigures(figures, name, self._open, self._idle, self._waiting)

    async def start(self) -> None:
        """Open the first connection.

        Raises ConfigurationError when that is hopeless, or was in vain for START_TIMEOUT_S.
        """
        deadline = self._reactor.seconds() + START_TIMEOUT_S
        told = ""
        while not self._open:
            try:
                await self._add_connection()
            except (*DriverError, OSError) as e:
                before, told = told, f"cannot use the {self.target}: {' '.join(str(e).split())}"
                if is_hopeless(e) or self._reactor.seconds() > deadline:
                    raise ConfigurationError(told) from e
                if told != before:
                    _log.warn("{why} (trying for up to {s:.0f} s)", why=told, s=START_TIMEOUT_S)
                await deferLater(self._reactor, _RETRY_START_S)
        self._sweeping.start()

    async def stop(self) -> None:
        """Close all connections; who waits for one gets UnavailableError or OverloadedError."""
        self._closed = True
        self._sweeping.halt()
        for connection in tuple(self._open):
            connection.drop("the daemon stops")
        self._waiting.refuse(inf, self._no_connection)
        await self._connecting.stop()

    async def ping(self) -> None:
        """Return when the database has answered. Raises UnavailableError when it does not."""
        await self.run("select 1")

    async def fetch(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own and return its rows.

        ``params`` are as psycopg2 takes them; without any a ``%`` stands for itself.
        """
        return (await self.run(sql, params))[0]

    async def run(self, sql: str, params: Any = ()) -> Result:
        """Run as `fetch` does. Returns the rows, and how many rows were found or changed."""
        return await self._on_any(lambda on, until_s: on.run(sql, params, until_s))

    async def execute(self, statement: Statement, values: Sequence[object]) -> Result:
        """Run a declared statement with ``values`` for its numbered parameters.

        Connections keep it prepared where the session is theirs.
        """
        return await self._on_any(lambda on, until_s: on.execute(statement, values, until_s))

    async def transaction(
        self,
        work: Callable[[Transaction], Awaitable[T]],
        *,
        statement_timeout_s: float | None = None,
    ) -> T:
        """Run ``work`` in one transaction: committed when it returns, undone when it raises.

        The transaction has a connection to itself until then, so ``work`` may wait for nothing but
        its statements. ``statement_timeout_s`` is for these instead of the usual one.
        """
        timeout_s = statement_timeout_s or self._statement_timeout_s
        connection = await self._take()
        transaction = Transaction(connection, self._reactor, timeout_s + STATEMENT_GRACE_S)
        try:
            await transaction.begin(timeout_s, is_usual=statement_timeout_s is None)
            result = await work(transaction)
            await transaction.commit()
        except BaseException:
            await self._undo(connection)
            raise
        else:
            return result
        finally:
            self._put_back(connection)

    async def together(self, work: Callable[[Executor], Awaitable[T]]) -> T:
        """Run ``work`` in a transaction of its own."""
        return await self.transaction(work)

    async def reading(self, work: Callable[[Executor], Awaitable[T]]) -> T:
        """As of a Reader: each statement by itself."""
        return await work(self)

    async def _on_any(self, start: Callable[[Connection, float], Awaitable[Result]]) -> Result:
        connection = self._idle.pop()[1] if self._idle else await self._take()
        try:
            return await start(connection, self._deadline_s())
        except DriverError as e:
            raise translated(e) from e
        finally:
            self._put_back(connection)

    def _deadline_s(self) -> float:
        return float(self._reactor.seconds()) + self._patience_s

    # Handing out

    async def _take(self) -> Connection:
        if self._idle:
            return self._idle.pop()[1]
        if self._closed:
            raise UnavailableError(AWAY)
        if len(self._waiting) >= MAX_WAITING:
            raise self._no_connection()
        waiting = self._waiting.join(self._reactor.seconds() + ACQUIRE_TIMEOUT_S)
        self._ask_for_another()
        return await self._figures.timed(waiting, self._reactor.seconds)

    def _put_back(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        if not connection.usable:  # the caller gave up, the statement still runs
            connection.when_free(lambda: self._put_back(connection))
            return
        self._idle.append((self._reactor.seconds(), connection))
        if self._handing_out:
            return  # to the loop further up the stack: a long line makes no deep stack
        self._handing_out = True
        while self._idle and (waiting := self._waiting.leave()) is not None:
            waiting.callback(self._idle.pop()[1])
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
        """Tell those who waited too long, spare, and hang up on a server that is of no use."""
        now = self._reactor.seconds()
        self._waiting.refuse(now, self._no_connection)
        for connection in tuple(self._open):
            if connection.deadline_s < now:
                connection.drop("no answer in time")
            elif connection.usable and connection.is_to_be_left:
                connection.drop("the server is another one now")
        while len(self._idle) > 1 and self._idle[0][0] < now - SPARE_FOR_S:
            self._idle[0][1].drop("it is not needed")

    def _no_connection(self) -> UnavailableError:
        if self._open:
            return OverloadedError("Too much waits for the database, try again later")
        return UnavailableError(AWAY)

    # Connecting

    async def _add_connection(self) -> None:
        connection = Connection(self._reactor, self._lost)
        await connection.open(self.target, session=usual_settings(self._statement_timeout_s))
        if self._closed:
            connection.drop("the daemon stops")
            return
        self.is_direct = connection.is_direct
        self.is_distributed = connection.is_distributed
        self._open.add(connection)
        self._put_back(connection)

    def _lost(self, connection: Connection) -> None:
        if connection not in self._open:
            return
        self._open.discard(connection)
        self._idle[:] = [(since, idle) for since, idle in self._idle if idle is not connection]
        self._ask_for_another()

    def _ask_for_another(self) -> None:
        """Have another connection opened, unless that is under way.

        What waits for a moment only, such as for a step of another loop, needs none.
        """
        if self._needs_another and not self._is_connecting:
            self._is_connecting = True
            self._connecting.start(_GROW_AFTER_S if self._open else 0.0)

    @property
    def _needs_another(self) -> bool:
        has_room = not self._closed and len(self._open) < self._most
        return has_room and (bool(self._waiting) or not self._open)

    async def _connect(self) -> float:
        """Open another connection if one is needed; when to look again."""
        if not self._needs_another:
            self._is_connecting = False
            self._attempts = 0
            return inf
        try:
            await self._add_connection()
        except (*DriverError, OSError, ConfigurationError) as e:
            delay_s = RECONNECT_DELAYS_S[min(self._attempts, len(RECONNECT_DELAYS_S) - 1)]
            self._attempts += 1
            if self._attempts > 1 and not self._is_away:
                self._is_away = True
                _log.warn("the {t} is away: {why}", t=str(self.target), why=str(e).strip())
            # Nodes that lost one server do not come back in step
            return delay_s * random.uniform(0.7, 1.0)  # noqa: S311
        if self._is_away:
            self._is_away = False
            _log.info("the {t} is back", t=str(self.target))
        self._attempts = 0
        return 0.0
