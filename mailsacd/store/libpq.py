"""Statements whose bytes go to PostgreSQL, and come from it, as they are.

psycopg2 writes values into the text of a statement, and PostgreSQL reads that text character by
character: of a raw message that was a quarter of all that it did. libpq has binary parameters and
results; psycopg2 gives its connection to whoever calls libpq (``pgconn_ptr``). The functions are
called by ctypes, in the very libpq that psycopg2 is linked with.
"""

import ctypes
import struct
from collections.abc import Callable, Mapping, Sequence
from ctypes import c_char_p, c_int, c_uint, c_void_p
from typing import Any, Final

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

from mailsacd.store.sql import Result

_BINARY: Final = 1
_SQLSTATE: Final = ord("C")  # PG_DIAG_SQLSTATE
_COMMAND_OK, _TUPLES_OK = 1, 2  # of ExecStatusType

_BYTEA: Final = 17  # types by their oids, as PostgreSQL's pg_type.dat has them


def _texts(value: bytes) -> list[str | None]:
    """A ``text[]`` of one dimension: a head of 20 bytes, each text after its length."""
    texts: list[str | None] = []
    place = 20
    while place < len(value):
        (length,) = struct.unpack_from("!i", value, place)
        place += 4
        texts.append(None if length < 0 else value[place : place + length].decode())
        place += max(length, 0)
    return texts


_READERS: Final[Mapping[int, Callable[[bytes], Any]]] = {
    16: lambda value: value == b"\1",  # bool
    _BYTEA: bytes,
    20: lambda value: struct.unpack("!q", value)[0],  # bigint
    23: lambda value: struct.unpack("!i", value)[0],  # integer
    25: bytes.decode,  # text
    1009: _texts,  # text[]
}

# With the lock of the interpreter held: none of them waits for the server
_libpq = ctypes.PyDLL(psycopg2._psycopg.__file__)  # noqa: SLF001  what it is linked with is found by it


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(_libpq, name)
    function.restype, function.argtypes = result, arguments
    return function


_send = _function(
    "PQsendQueryParams",
    *(c_int, c_void_p, c_char_p, c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_int),
)
_flush = _function("PQflush", c_int, c_void_p)
_consume_input = _function("PQconsumeInput", c_int, c_void_p)
_is_busy = _function("PQisBusy", c_int, c_void_p)
_next_result = _function("PQgetResult", c_void_p, c_void_p)
_connection_error = _function("PQerrorMessage", c_char_p, c_void_p)
_status = _function("PQresultStatus", c_int, c_void_p)
_error = _function("PQresultErrorMessage", c_char_p, c_void_p)
_error_field = _function("PQresultErrorField", c_char_p, c_void_p, c_int)
_row_count = _function("PQntuples", c_int, c_void_p)
_column_count = _function("PQnfields", c_int, c_void_p)
_column_type = _function("PQftype", c_uint, c_void_p, c_int)
_changed_count = _function("PQcmdTuples", c_char_p, c_void_p)
_is_null = _function("PQgetisnull", c_int, c_void_p, c_int, c_int)
_length = _function("PQgetlength", c_int, c_void_p, c_int, c_int)
_value = _function("PQgetvalue", c_void_p, c_void_p, c_int, c_int)
_clear = _function("PQclear", None, c_void_p)


class RefusedError(psycopg2.DatabaseError):  # type: ignore[misc]  # psycopg2 has no types
    """What the server said, with its SQLSTATE."""

    pgcode: str | None = None

    def __init__(self, message: str, pgcode: str) -> None:
        super().__init__(message)
        self.pgcode = pgcode


class BinaryStatement:
    """One statement under way on an asynchronous connection of psycopg2, which has no other.

    ``values``, 65,535 at most, are its parameters $1, $2 …, all of them ``bytea``. Its rows may
    have the types ``bool``, ``bytea``, ``bigint``, ``integer``, ``text`` and ``text[]`` (of one
    dimension). It may not be a ``copy``: that has no end here.
    """

    def __init__(self, connection: Any, sql: bytes, values: Sequence[bytes]) -> None:
        """Send it, or what the socket takes of it. Raises psycopg2.OperationalError."""
        self._pg = connection.pgconn_ptr
        self._outcome: Result = ([], 0)
        self._error: psycopg2.Error | None = None
        count = len(values)
        sent = _send(
            self._pg,
            sql,
            count,
            (c_uint * count)(*[_BYTEA] * count),
            (c_char_p * count)(*values),
            (c_int * count)(*map(len, values)),
            (c_int * count)(*[_BINARY] * count),
            _BINARY,
        )
        if not sent:
            raise self._broken()

    def poll(self) -> int:
        """How far it is, as ``poll`` of psycopg2 says it. Raises psycopg2.Error when it failed."""
        unsent = _flush(self._pg)
        if not _consume_input(self._pg):
            raise self._broken()
        while not _is_busy(self._pg):
            result = _next_result(self._pg)
            if not result:
                if self._error is not None:
                    raise self._error
                return int(POLL_OK)
            try:
                self._take(result)
            finally:
                _clear(result)
        return int(POLL_WRITE if unsent else POLL_READ)

    def result(self) -> Result:
        """Its rows, and how many it found or changed, once it is done."""
        return self._outcome

    def _take(self, result: int) -> None:
        status = _status(result)
        if status == _TUPLES_OK:
            types = [_column_type(result, column) for column in range(_column_count(result))]
            if not _READERS.keys() >= set(types):
                self._error = psycopg2.NotSupportedError(f"binary results of types {types}")
                return
            rows = _rows(result, [_READERS[oid] for oid in types])
            self._outcome = (rows, len(rows))
        elif status == _COMMAND_OK:
            self._outcome = ([], int(_changed_count(result) or 0))
        else:
            message = _error(result).decode(errors="replace")
            sqlstate = _error_field(result, _SQLSTATE)
            self._error = (
                RefusedError(message, sqlstate.decode())
                if sqlstate
                else psycopg2.OperationalError(message)
            )

    def _broken(self) -> psycopg2.OperationalError:
        return psycopg2.OperationalError(_connection_error(self._pg).decode(errors="replace"))


def _rows(result: int, readers: Sequence[Callable[[bytes], Any]]) -> list[tuple[Any, ...]]:
    return [
        tuple(_cell(result, row, column, read) for column, read in enumerate(readers))
        for row in range(_row_count(result))
    ]


def _cell(result: int, row: int, column: int, read: Callable[[bytes], Any]) -> Any:
    length = _length(result, row, column)
    if not length and _is_null(result, row, column):
        return None
    return read(ctypes.string_at(_value(result, row, column), length))
