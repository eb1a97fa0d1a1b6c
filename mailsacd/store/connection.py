"""One connection to PostgreSQL, by txpostgres.

txpostgres opens the connection. Statements then take a shorter way than its cursors: the socket
stays in the reactor from connect to close, and an answer is given in the turn in which it is read.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import psycopg2
from psycopg2.extensions import (
    POLL_OK,
    POLL_WRITE,
    TRANSACTION_STATUS_IDLE,
    TRANSACTION_STATUS_INERROR,
)
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from txpostgres import txpostgres

from mailsacd.core.errors import ConfigurationError
from mailsacd.store.failures import READ_ONLY, DriverError
from mailsacd.store.libpq import libpq
from mailsacd.store.query import Preparation, Script, UnderWay, executing
from mailsacd.store.session import settling
from mailsacd.store.sql import Result, Statement
from mailsacd.store.target import Target

CONNECT_TIMEOUT_S: Final = 5.0
OLDEST_SERVER: Final = 140_000
POOLED: Final = (
    "a connection pooler stands before the {0}, and passes no notices on: set database.direct_dsn "
    "to a way to the same database that leads past the pooler"
)


class Connection(txpostgres.Connection):  # type: ignore[misc]  # txpostgres has no types
    """A connection that runs one statement at a time.

    ``lost`` is called once, when it is of no use any more.
    """

    def __init__(self, reactor: Any, lost: "Callable[[Connection], None]") -> None:
        super().__init__(reactor)
        self._tell_lost = lost
        self._pollingD: Deferred[Any] | None = None
        self._target: Target | None = None
        self._is_open = False
        self._is_lost = False
        self._socket = -1
        self._statement: UnderWay | None = None
        self._answer: Deferred[Result] | None = None
        self._when_free: Callable[[], None] | None = None
        self.deadline_s = float("inf")
        self._prepared: set[str] = set()
        self.is_direct = False
        """Whether the session at the server is this connection's own: nothing between gives it to
        others too, so what is set, prepared or listened for in it stays."""
        self.is_distributed = False
        """Whether the database says that its raw messages are (store.distribution)."""

    async def open(
        self,
        target: Target,
        *,
        session: Mapping[str, str] = MappingProxyType({}),
        channels: Iterable[str] = (),
    ) -> None:
        """Connect, set the settings in ``session`` if `is_direct`, and listen on ``channels``.

        Raises psycopg2.Error or OSError; ConfigurationError for a server, or a psycopg2, that will
        not do, and where ``channels`` are to be listened to and the connection is not direct.
        """
        libpq()
        self._target = target
        parameters = await target.parameters()
        giving_up = self.reactor.callLater(CONNECT_TIMEOUT_S, self.drop, "no answer in time")
        try:
            await self.connect(**parameters)
            self._check_server(target)
            self._watch()
            await self._settle(session)
            await self._listen(target, channels)
        except BaseException:
            target.failed()
            self.drop("not connected")
            raise
        finally:
            if giving_up.active():
                giving_up.cancel()

    @property
    def usable(self) -> bool:
        """Whether a statement may be run now."""
        return self._is_open and not self._is_lost and self._answer is None

    @property
    def is_to_be_left(self) -> bool:
        """Whether the server has said that it is no longer what the target asks for."""
        return self._target is not None and self._target.is_left(self._connection)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is under way or has failed and not been rolled back."""
        return bool(self._connection.get_transaction_status() != TRANSACTION_STATUS_IDLE)

    @property
    def transaction_failed(self) -> bool:
        """Whether a statement of the transaction failed, so that a commit would undo it all."""
        return bool(self._connection.get_transaction_status() == TRANSACTION_STATUS_INERROR)

    def run(self, sql: str, params: Any, deadline_s: float) -> Deferred[Result]:
        """Start a statement, or several, with ``params`` as psycopg2 takes them.

        Without any a ``%`` stands for itself. It should end before ``deadline_s`` of the reactor's
        clock. Fails with DriverError. Cancelling gives up the answer, not the statement: until that
        ends the connection is not usable, see `when_free`.
        """
        return self._start(lambda: Script(self._connection, sql, params), deadline_s)

    async def execute(
        self, statement: Statement, values: Sequence[object], deadline_s: float
    ) -> Result:
        """As `run`, for a declared statement: prepared at its first use if `is_direct`.

        ``values`` are those of its numbered parameters. Raises TypeError for one that has no form
        for PostgreSQL (store.binary).
        """
        if self.is_direct and statement.name not in self._prepared:
            await self._start(
                lambda: Preparation(self._connection, statement, self._prepared), deadline_s
            )
        return await self._start(
            lambda: executing(self._connection, statement, values, prepared=self.is_direct),
            deadline_s,
        )

    def when_free(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` once the running statement has ended, or the connection is lost."""
        self._when_free = go_on

    def drop(self, why: str | Exception) -> None:
        """Close at once. Whoever waits gets an OperationalError with ``why``, or ``why`` itself."""
        if self._is_lost:
            return
        self._is_lost = True
        error = psycopg2.OperationalError(f"hung up: {why}") if isinstance(why, str) else why
        self.reactor.removeReader(self)
        self.reactor.removeWriter(self)
        if self._is_open:
            os.close(self._socket)
            self._socket = -1
        if self._connection is not None:
            self._connection.close()
        connecting, self._pollingD = self._pollingD, None  # set by txpostgres' connect
        if connecting is not None:
            connecting.errback(error)
        self._end(error)
        self._tell_lost(self)

    # What txpostgres and the reactor call

    def poll(self) -> Deferred[Any]:
        """Go on until there is a connection, or it is given up.

        txpostgres tells of the end a turn after it: who has given up in between is not told.
        """
        connected: Deferred[Any] = Deferred(lambda _: self.drop("given up"))
        super().poll().addBoth(lambda end: None if connected.called else connected.callback(end))
        return connected

    def fileno(self) -> int:
        """Return the socket's number; -1 when there is none."""
        if self._is_open or self._connection is None:
            return self._socket
        return int(super().fileno())

    def doRead(self) -> None:
        """Take in what can be read: an answer, a notice, or the end."""
        if not self._is_open:
            self._go_on_connecting()
        elif self._answer is not None:
            self._advance()
        else:
            try:
                self._connection.poll()
            except psycopg2.Error:
                self.drop("the server closed it")
            else:
                self.checkForNotifies()

    def doWrite(self) -> None:
        """Write the rest of a long statement, as far as there is room."""
        if not self._is_open:
            self._go_on_connecting()
            return
        self.reactor.removeWriter(self)
        if self._answer is not None:
            self._advance()

    def connectionLost(self, reason: Failure) -> None:
        """Give up what the server has closed; while connecting, try the next of its addresses."""
        if not self._is_open:
            super().connectionLost(reason)
            return
        if self._answer is not None:
            self._advance()  # there may be an answer, or a last word, before the end
        self.drop(str(reason.value))

    def _check_server(self, target: Target) -> None:
        version = self._connection.server_version
        if version < OLDEST_SERVER:
            raise ConfigurationError(
                f"the {target} is PostgreSQL {version // 10_000}, and "
                f"{OLDEST_SERVER // 10_000} or later is needed"
            )
        encoding = self._connection.get_parameter_status("server_encoding")
        if encoding != "UTF8":
            raise ConfigurationError(
                f"the {target} has the encoding {encoding}: create it with encoding UTF8"
            )

    def _watch(self) -> None:
        """From here on the socket stays in the reactor.

        A duplicate of it, because libpq closes its own when the server is gone, and the reactor
        would then keep a number that the next socket gets.
        """
        self.reactor.removeReader(self)
        self._socket = os.dup(self._connection.fileno())
        self._is_open = True
        self.reactor.addReader(self)

    def _go_on_connecting(self) -> None:
        self.reactor.removeReader(self)  # first: the next step may be on another socket
        self.reactor.removeWriter(self)
        self.continuePolling()

    async def _settle(self, session: Mapping[str, str]) -> None:
        """Find out whether the session is ours alone, and settle it then, in one statement."""
        sql = settling(self._connection.get_backend_pid(), session)
        [row], _ = await self.run(sql, (), float("inf"))
        self.is_direct, self.is_distributed = row[:2]

    async def _listen(self, target: Target, channels: Iterable[str]) -> None:
        listen = "; ".join(f"listen {channel}" for channel in channels)
        if listen and not self.is_direct:
            raise ConfigurationError(POOLED.format(target))
        if listen:
            await self.run(listen, (), float("inf"))

    def _start(self, send: Callable[[], UnderWay], deadline_s: float) -> Deferred[Result]:
        answer: Deferred[Result] = Deferred()
        if not self.usable:
            answer.errback(psycopg2.InterfaceError("the connection is busy or closed"))
            return answer
        try:
            self._statement = send()
        except DriverError:
            if self._is_gone:
                self.drop("closed before it was used")
            answer.errback(Failure())
            return answer
        self._answer, self.deadline_s = answer, deadline_s
        self._advance()
        return answer

    @property
    def _is_gone(self) -> bool:
        """Whether the driver, or libpq below it, has given the connection up."""
        return bool(self._connection.closed or self._connection.info.status)

    def _advance(self) -> None:
        """Move the running statement on, as far as the socket lets it."""
        assert self._statement is not None  # noqa: S101  for mypy: somebody waits for its answer
        try:
            state = self._statement.poll()
            if state == POLL_OK:
                self._end(self._statement.result())
            elif state == POLL_WRITE:
                self.reactor.addWriter(self)
        except DriverError as e:
            if self._is_gone or getattr(e, "pgcode", None) == READ_ONLY:
                self.drop(e)  # gone, or to a server that is no longer the primary
            else:
                self._end(e)

    def _end(self, outcome: Result | Exception) -> None:
        answer, self._answer, self._statement = self._answer, None, None
        self.deadline_s = float("inf")
        if answer is not None:
            if isinstance(outcome, Exception):
                answer.errback(outcome)
            else:
                answer.callback(outcome)
        go_on, self._when_free = self._when_free, None
        if go_on is not None:
            go_on()
