"""The functions of libpq that psycopg2 has no calls for: values beside a statement, not within it.

psycopg2 writes values into the text of a statement and reads results out of text. libpq has
parameters, prepared statements and binary results; psycopg2 gives its connection to whoever calls
libpq (``pgconn_ptr``). The functions are called by ctypes, in the very libpq that psycopg2 is
linked with. They are described in PostgreSQL's manual, chapter "libpq - C Library".
"""

import ctypes
from ctypes import c_char_p, c_int, c_uint, c_void_p
from functools import cache
from typing import Any, Final

import psycopg2

from mailsacd.core.errors import ConfigurationError

BINARY: Final = 1
"""The format code of values that are not text."""

SQLSTATE: Final = ord("C")
"""Field of an error: PG_DIAG_SQLSTATE."""

COMMAND_OK: Final = 1
TUPLES_OK: Final = 2
"""Of ExecStatusType: a statement without rows, and one with rows, went well."""


class Libpq:
    """Functions of libpq. Arguments and results are those of C; pointers are integers."""

    def __init__(self, path: str) -> None:
        """Find them in the library at ``path``, or in one that it is linked with.

        Raises ConfigurationError when they are not to be had there.
        """
        try:
            # With the lock of the interpreter held: none of them waits for the server
            self._library = ctypes.PyDLL(path)
            self._find()
        except (OSError, AttributeError) as e:
            raise ConfigurationError(
                f"psycopg2 gives no access to its libpq ({e}): install psycopg2-binary"
            ) from e

    def _find(self) -> None:
        values = (c_int, c_void_p, c_void_p, c_void_p, c_int)
        find = self._function
        self.send_prepare = find(
            "PQsendPrepare", c_int, c_void_p, c_char_p, c_char_p, c_int, c_void_p
        )
        self.send_prepared = find("PQsendQueryPrepared", c_int, c_void_p, c_char_p, *values)
        self.send_params = find(
            "PQsendQueryParams", c_int, c_void_p, c_char_p, c_int, c_void_p, *values[1:]
        )
        self.flush = find("PQflush", c_int, c_void_p)
        self.consume_input = find("PQconsumeInput", c_int, c_void_p)
        self.is_busy = find("PQisBusy", c_int, c_void_p)
        self.next_result = find("PQgetResult", c_void_p, c_void_p)
        self.connection_error = find("PQerrorMessage", c_char_p, c_void_p)
        self.status = find("PQresultStatus", c_int, c_void_p)
        self.error = find("PQresultErrorMessage", c_char_p, c_void_p)
        self.error_field = find("PQresultErrorField", c_char_p, c_void_p, c_int)
        self.row_count = find("PQntuples", c_int, c_void_p)
        self.column_count = find("PQnfields", c_int, c_void_p)
        self.column_type = find("PQftype", c_uint, c_void_p, c_int)
        self.changed_count = find("PQcmdTuples", c_char_p, c_void_p)
        self.is_null = find("PQgetisnull", c_int, c_void_p, c_int, c_int)
        self.length = find("PQgetlength", c_int, c_void_p, c_int, c_int)
        self.value = find("PQgetvalue", c_void_p, c_void_p, c_int, c_int)
        self.clear = find("PQclear", None, c_void_p)

    def _function(self, name: str, result: Any, *arguments: Any) -> Any:
        function = getattr(self._library, name)
        function.restype, function.argtypes = result, arguments
        return function


@cache
def libpq() -> Libpq:
    """Return the libpq that psycopg2 is linked with. Raises ConfigurationError as Libpq does."""
    return Libpq(psycopg2._psycopg.__file__)  # noqa: SLF001  what it is linked with is found by it
