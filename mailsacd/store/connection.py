"""One connection to PostgreSQL, by txpostgres. Only this module and `target` know the driver.

txpostgres opens the connection. Statements then take a shorter way than its cursors: the socket
stays in the reactor from connect to close, and an answer is given in the turn in which it is read.
"""

import os
from collections.abc import Callable, Sequence
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

from mailsacd.core.errors import (
    ConfigurationError,
    MailsacdError,
    StatementError,
    StorageFullError,
    UnavailableError,
)
from mailsacd.store.literal import literal
from mailsacd.store.sql import Result, Statement
from mailsacd.store.target import Target

CONNECT_TIMEOUT_S: Final = 5.0
OLDEST_SERVER: Final = 140_000

AWAY: Final = "The database is away, try again later"

_DISK_FULL: Final = "53100"
# Classes and codes of SQLSTATE that say nothing about the statement itself: connection trouble,
# resources, operator's intervention, system errors, deadlocks, a standby after a failover.
_PASSING: Final = ("08", "53", "57", "58", "40", "55P03", "25006", "25P03", "26000", "42P05")
_READ_ONLY: Final = "25006"
# No such prepared statement, or one of that name already: a connection pooler has put another
# server process behind the connection
_PREPARED_ELSEWHERE: Final = ("26000", "42P05")
DriverError = (psycopg2.Error, ValueError)
"""What `Connection.run` fails with; ValueError is for NUL and lone surrogates in a text."""


class Connection(txpostgres.Connection):  # type: ignore[misc]  # txpostgres has no types
    """Runs one statement at a time. ``lost`` is called once, when it is of no use any more."""

    def __init__(self, reactor: Any, lost: "Callable[[Connection], None]") -> None:
        super().__init__(reactor)
        self._tell_lost = lost
        self._pollingD: Deferred[Any] | None = None
        self._is_open = False
        self._is_lost = False
        self._socket = -1
        self._cursor: Any = None
        self._answer: Deferred[Result] | None = None
        self._when_free: Callable[[], None] | None = None
        self.deadline_s = float("inf")
        self._prepared: set[str] | None = set()  # names; None where a pooler forbids it

    async def open(self, target: Target, session: str) -> None:
        """Connect, and run the SQL ``session``, which settles what all statements rely on.

        Raises psycopg2.Error or OSError; ConfigurationError for a server that will not do.
        """
        parameters = await target.parameters(self.reactor)
        giving_up = self.reactor.callLater(CONNECT_TIMEOUT_S, self.drop, "no answer in time")
        try:
            await self.connect(**parameters)
            self._check_server(target)
            self._watch()
            await self.run(session, (), float("inf"))
        except BaseException:
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
    def in_transaction(self) -> bool:
        """Whether a transaction is under way or has failed and not been rolled back."""
        return bool(self._connection.get_transaction_status() != TRANSACTION_STATUS_IDLE)

    @property
    def transaction_failed(self) -> bool:
        """Whether a statement of the transaction failed, so that a commit would undo it all."""
        return bool(self._connection.get_transaction_status() == TRANSACTION_STATUS_INERROR)

    def run(self, sql: str | bytes, params: Any, deadline_s: float) -> Deferred[Result]:
        """Start a statement, which should end before ``deadline_s`` of the reactor's clock.

        ``sql`` as bytes is UTF-8. Without ``params`` a ``%`` stands for itself.
        Fails with DriverError. Cancelling gives up the answer, not the statement: until that ends
        the connection is not usable, see `when_free`.
        """
        answer: Deferred[Result] = Deferred()
        if not self.usable:
            answer.errback(psycopg2.InterfaceError("the connection is busy or closed"))
            return answer
        try:
            if isinstance(sql, bytes) and b"\0" in sql:
                raise ValueError("a statement for PostgreSQL has no NUL")
            cursor = self._connection.cursor()
            cursor.execute(sql, params or None)
        except DriverError:
            if self._connection.closed:
                self.drop("closed before it was used")
            answer.errback(Failure())
            return answer
        self._cursor, self._answer, self.deadline_s = cursor, answer, deadline_s
        self._advance()
        return answer

    async def execute(
        self, statement: Statement, values: Sequence[object], deadline_s: float
    ) -> Result:
        """As `run`, for a declared statement, which is prepared at its first use here."""
        given = [literal(value) for value in values]
        if self._prepared is not None:
            try:
                if statement.name not in self._prepared:
                    prepare = f"prepare {statement.name} as {statement.text}"
                    await self.run(prepare, (), deadline_s)
                    self._prepared.add(statement.name)
                arguments = f"({','.join(given)})" if given else ""
                return await self.run(f"execute {statement.name}{arguments}", (), deadline_s)
            except psycopg2.Error as e:
                if e.pgcode not in _PREPARED_ELSEWHERE:
                    raise
                self._prepared = None
                if self.transaction_failed:
                    raise
        return await self.run(statement.with_values(given), (), deadline_s)

    def when_free(self, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` once the running statement has ended, or the connection is lost."""
        self._when_free = go_on

    def drop(self, why: str | Exception) -> None:
        """Close at once; whoever waits for an answer is told."""
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

    # What the reactor calls

    def fileno(self) -> int:
        """The socket; -1 when there is none."""
        if self._is_open or self._connection is None:
            return self._socket
        return int(super().fileno())

    def doRead(self) -> None:
        """There is something to read: an answer, a notification, or the end."""
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
        """There is room to write the rest of a long statement."""
        if not self._is_open:
            self._go_on_connecting()
            return
        self.reactor.removeWriter(self)
        if self._answer is not None:
            self._advance()

    def connectionLost(self, reason: Failure) -> None:
        """The server hung up, or died; while connecting, the next of its addresses is tried."""
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

    def _cancel(self, _: Any) -> None:
        """Connecting is given up."""
        self.drop("given up")

    def _advance(self) -> None:
        """Move the running statement on, as far as the socket lets it."""
        try:
            state = self._connection.poll()
            if state == POLL_OK:
                cursor = self._cursor
                rows = cursor.fetchall() if cursor.description else []
                self._end((rows, cursor.rowcount))
            elif state == POLL_WRITE:
                self.reactor.addWriter(self)
        except DriverError as e:
            if self._connection.closed or getattr(e, "pgcode", None) == _READ_ONLY:
                self.drop(e)  # gone, or to a server that is no longer the primary
            else:
                self._end(e)

    def _end(self, outcome: Result | Exception) -> None:
        answer, self._answer, self._cursor = self._answer, None, None
        self.deadline_s = float("inf")
        if answer is not None:
            if isinstance(outcome, Exception):
                answer.errback(outcome)
            else:
                answer.callback(outcome)
        go_on, self._when_free = self._when_free, None
        if go_on is not None:
            go_on()


def translated(error: Exception) -> MailsacdError:
    """What the rest of the daemon is told of a DriverError."""
    code = getattr(error, "pgcode", None) or ""
    if code == _DISK_FULL:
        return StorageFullError("There is no room left to store anything, try again later")
    if code.startswith(_PASSING) or (
        not code and isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    ):
        return UnavailableError(AWAY)
    return StatementError("The database refused a statement")
