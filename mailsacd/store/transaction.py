"""A transaction under way: its statements see each other's effects."""

from collections.abc import Awaitable, Sequence
from typing import Any

from mailsacd.core.errors import StatementError
from mailsacd.store.connection import Connection
from mailsacd.store.failures import DriverError, translated
from mailsacd.store.sql import Result, Statement


class Transaction:
    """Runs statements in a transaction, one at a time. They raise what a Database's raise."""

    def __init__(self, connection: Connection, reactor: Any, patience_s: float) -> None:
        """Use ``connection``, which nobody else does meanwhile.

        ``patience_s`` is how long a statement may take before the connection is given up.
        """
        self._connection = connection
        self._reactor = reactor
        self._patience_s = patience_s

    async def begin(self, statement_timeout_s: float, *, is_usual: bool) -> None:
        """Begin it. A statement is cancelled after ``statement_timeout_s``.

        ``is_usual`` tells that this is what the session has anyway, if it is ours alone.
        """
        begin = "begin"
        if not is_usual or not self._connection.is_direct:
            ms = int(statement_timeout_s * 1000)
            begin += f"; set local statement_timeout = {ms}"
            begin += f"; set local idle_in_transaction_session_timeout = {ms}"
        await self.run(begin)

    async def fetch(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement with ``params`` as psycopg2 takes them; its rows, if it has any."""
        return (await self.run(sql, params))[0]

    async def run(self, sql: str, params: Any = ()) -> Result:
        """As `fetch`, with the number of rows that were found or changed."""
        return await self._translating(self._connection.run(sql, params, self._deadline_s()))

    async def execute(self, statement: Statement, values: Sequence[object]) -> Result:
        """Run a declared statement with ``values`` for its numbered parameters."""
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
