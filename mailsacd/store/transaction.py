"""A transaction under way: its statements see each other's effects."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from mailsacd.core.errors import StatementError
from mailsacd.store.connection import Connection
from mailsacd.store.failures import DriverError, translated
from mailsacd.store.sql import Executor, Result, Statement

T = TypeVar("T")


class Transaction:
    """A transaction on one connection.

    It runs one statement at a time, and raises what a Database raises.
    """

    def __init__(self, connection: Connection, reactor: Any, patience_s: float) -> None:
        """Use ``connection``, which nobody else uses meanwhile.

        A statement that takes ``patience_s`` seconds has the connection given up.
        """
        self._connection = connection
        self._reactor = reactor
        self._patience_s = patience_s
        self.is_distributed = connection.is_distributed
        """As of an Executor."""

    async def begin(self, statement_timeout_s: float, *, is_usual: bool) -> None:
        """Begin the transaction.

        Its statements are cancelled after ``statement_timeout_s`` seconds. ``is_usual`` tells that
        the session has that limit anyway, if it is ours alone.
        """
        begin = "begin"
        if not is_usual or not self._connection.is_direct:
            ms = int(statement_timeout_s * 1000)
            begin += f"; set local statement_timeout = {ms}"
            begin += f"; set local idle_in_transaction_session_timeout = {ms}"
        await self.run(begin)

    async def fetch(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement with ``params`` as psycopg2 takes them, and return its rows."""
        return (await self.run(sql, params))[0]

    async def run(self, sql: str, params: Any = ()) -> Result:
        """Run as `fetch` does. Returns the rows, and how many rows were found or changed."""
        return await self._translating(self._connection.run(sql, params, self._deadline_s()))

    async def execute(self, statement: Statement, values: Sequence[object]) -> Result:
        """Run a declared statement with ``values`` for its numbered parameters."""
        running = self._connection.execute(statement, values, self._deadline_s())
        return await self._translating(running)

    async def together(self, work: Callable[[Executor], Awaitable[T]]) -> T:
        """Run ``work`` in this transaction."""
        return await work(self)

    async def commit(self) -> None:
        """Commit the transaction.

        Raises StatementError when a statement failed and that was passed over.
        """
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
