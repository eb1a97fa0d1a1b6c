"""What the driver fails with, and what the rest of the daemon is told of it."""

from typing import Any, Final

import psycopg2

from mailsacd.core.errors import (
    MailsacdError,
    StatementError,
    StorageFullError,
    UnavailableError,
)

AWAY: Final = "The database is away, try again later"

READ_ONLY: Final = "25006"
"""SQLSTATE: the server is no longer the primary."""

_DISK_FULL: Final = "53100"
_CANCELED: Final = "57014"
# Classes and codes of SQLSTATE that say nothing about the statement itself: connection trouble,
# resources, operator's intervention, system errors, deadlocks, a standby after a failover.
_PASSING: Final = ("08", "53", "57", "58", "40", "55P03", "25006", "25P03")

_HOT_STANDBY: Final = "in_hot_standby"
_READ_ONLY_SERVER: Final = (_HOT_STANDBY, "default_transaction_read_only")
"""What servers report of themselves since PostgreSQL 14; a pooler may not pass it on."""

DriverError = (psycopg2.Error, ValueError)
"""What statements fail with; ValueError is for NUL and lone surrogates in a text."""


def translated(error: Exception) -> MailsacdError:
    """Return what the rest of the daemon is told of a DriverError."""
    code = getattr(error, "pgcode", None) or ""
    if code == _DISK_FULL:
        return StorageFullError("There is no room left to store anything, try again later")
    if code.startswith(_PASSING) or (
        not code and isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    ):
        return UnavailableError(AWAY)
    return StatementError("The database refused a statement")


def took_too_long(error: BaseException) -> bool:
    """Return whether what is `translated` is that the server cancelled a statement for its time."""
    return getattr(error.__cause__, "pgcode", None) == _CANCELED


def says_primary(connection: Any) -> bool:
    """Whether the server of the driver's ``connection`` has told that it is no standby."""
    return bool(connection.get_parameter_status(_HOT_STANDBY) == "off")


def says_read_only(connection: Any) -> bool:
    """Whether the server of the driver's ``connection`` has told that nothing can be written."""
    return any(connection.get_parameter_status(name) == "on" for name in _READ_ONLY_SERVER)
