"""A statement under way on a connection of psycopg2, which has no other meanwhile.

Each kind is sent when it is made, moved on by `poll` as far as the socket lets it, and has a result
once that says POLL_OK.
"""

import ctypes
from collections.abc import Callable, Sequence
from ctypes import c_char_p, c_int
from typing import Any, Protocol

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

from mailsacd.store.binary import READERS, encoded
from mailsacd.store.libpq import BINARY, COMMAND_OK, SQLSTATE, TUPLES_OK, Libpq, libpq
from mailsacd.store.sql import Result, Statement


class UnderWay(Protocol):
    """A statement that was sent and has no result yet."""

    def poll(self) -> int:
        """Move it on, and return one of psycopg2's POLL constants.

        Raises DriverError when it failed.
        """

    def result(self) -> Result:
        """Return its rows and how many it found or changed, once it is done."""


class RefusedError(psycopg2.DatabaseError):  # type: ignore[misc]  # psycopg2 has no types
    """What the server said of a statement that it refused, with its SQLSTATE in ``pgcode``."""

    pgcode: str | None = None

    def __init__(self, message: str, pgcode: str) -> None:
        super().__init__(message)
        self.pgcode = pgcode


class Script:
    """One statement or several that psycopg2 runs. Their values and rows are text."""

    def __init__(self, connection: Any, sql: str, params: Any) -> None:
        """Send ``sql`` with ``params`` as psycopg2 takes them. Raises DriverError."""
        self.poll: Callable[[], int] = connection.poll
        self._cursor = connection.cursor()
        self._cursor.execute(sql, params or None)

    def result(self) -> Result:
        """Return the rows of the last statement, and how many it found or changed."""
        cursor = self._cursor
        return (cursor.fetchall() if cursor.description else [], cursor.rowcount)


class Query:
    """One statement that libpq runs, with values beside it.

    Its rows come in binary, with the types of store.binary. It may not be a ``copy``, which has no
    end here.
    """

    def __init__(self, connection: Any, send: Callable[[Libpq, int], int]) -> None:
        """Have ``send`` (of libpq's functions and the connection's pointer) send it.

        Raises psycopg2.OperationalError when that answers 0.
        """
        self._libpq = libpq()
        self._pg = connection.pgconn_ptr
        self._outcome: Result = ([], 0)
        self._error: psycopg2.Error | None = None
        if not send(self._libpq, self._pg):
            raise self._broken()

    def poll(self) -> int:
        """Move it on, as UnderWay says."""
        unsent = self._libpq.flush(self._pg)
        if not self._libpq.consume_input(self._pg):
            raise self._broken()
        while not self._libpq.is_busy(self._pg):
            result = self._libpq.next_result(self._pg)
            if not result:
                if self._error is not None:
                    raise self._error
                return int(POLL_OK)
            try:
                self._take(result)
            finally:
                self._libpq.clear(result)
        return int(POLL_WRITE if unsent else POLL_READ)

    def result(self) -> Result:
        """Return the outcome, as UnderWay says."""
        return self._outcome

    def _take(self, result: int) -> None:
        status = self._libpq.status(result)
        if status == TUPLES_OK:
            columns = range(self._libpq.column_count(result))
            types = [self._libpq.column_type(result, column) for column in columns]
            if READERS.keys() >= set(types):
                self._outcome = self._rows(result, [READERS[oid] for oid in types])
            else:
                self._error = psycopg2.NotSupportedError(f"results of the types {types}")
        elif status == COMMAND_OK:
            self._outcome = ([], int(self._libpq.changed_count(result) or 0))
        else:
            message = self._libpq.error(result).decode(errors="replace")
            sqlstate = self._libpq.error_field(result, SQLSTATE)
            self._error = (
                RefusedError(message, sqlstate.decode())
                if sqlstate
                else psycopg2.OperationalError(message)
            )

    def _rows(self, result: int, readers: Sequence[Callable[[bytes], Any]]) -> Result:
        rows = [
            tuple([self._cell(result, row, column, read) for column, read in enumerate(readers)])
            for row in range(self._libpq.row_count(result))
        ]
        return rows, len(rows)

    def _cell(self, result: int, row: int, column: int, read: Callable[[bytes], Any]) -> Any:
        length = self._libpq.length(result, row, column)
        if not length and self._libpq.is_null(result, row, column):
            return None
        return read(ctypes.string_at(self._libpq.value(result, row, column), length))

    def _broken(self) -> psycopg2.OperationalError:
        message = self._libpq.connection_error(self._pg)
        return psycopg2.OperationalError(message.decode(errors="replace"))


class Preparation(Query):
    """The preparing of a statement under its name, which lasts as long as the session."""

    def __init__(self, connection: Any, statement: Statement, prepared: set[str]) -> None:
        """Send it.

        When it is done the name is put into ``prepared``, whoever still waits for it.
        """
        self._name, self._prepared = statement.name, prepared
        name, text = statement.name.encode(), statement.text.encode()
        super().__init__(connection, lambda libpq, pg: libpq.send_prepare(pg, name, text, 0, None))

    def result(self) -> Result:
        """Put the name into the set of those that are prepared. There are no rows."""
        self._prepared.add(self._name)
        return super().result()


def executing(
    connection: Any, statement: Statement, values: Sequence[object], *, prepared: bool
) -> Query:
    """Run ``statement``, which was ``prepared`` in this session or not, with ``values``.

    Raises DriverError, and TypeError for a value that has no form for PostgreSQL.
    """
    arguments = _arguments(values)
    if prepared:
        name = statement.name.encode()
        return Query(connection, lambda libpq, pg: libpq.send_prepared(pg, name, *arguments))
    text, (count, *rest) = statement.text.encode(), arguments
    return Query(connection, lambda libpq, pg: libpq.send_params(pg, text, count, None, *rest))


def _arguments(values: Sequence[object]) -> tuple[Any, ...]:
    """What libpq's functions that send a statement with values take as their last arguments."""
    pairs = [encoded(value) for value in values]
    count = len(pairs)
    return (
        count,
        (c_char_p * count)(*[data for data, _ in pairs]),
        (c_int * count)(*[len(data or b"") for data, _ in pairs]),
        (c_int * count)(*[is_binary for _, is_binary in pairs]),
        BINARY,
    )
