"""Which database is meant: libpq's connection string, read with the driver's help."""

import socket
from collections.abc import Mapping
from functools import partial
from typing import Final

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from mailsacd.core.errors import ConfigurationError
from mailsacd.work.threads import Lane

_DEFAULTS: Final = {
    "application_name": "mailsacd",
    "client_encoding": "UTF8",
    # A server whose machine vanished is noticed within a minute, idle or not
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_HOPELESS: Final = (
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "no password supplied",
    "invalid",
)


# What libpq's programs take from the environment: others may see a process's arguments.
_VARIABLES: Final = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


class Target:
    """Which database: a libpq connection string, read once."""

    def __init__(self, dsn: str, lookups: Lane) -> None:
        """Read ``dsn``. Its host is looked up in the lane ``lookups``.

        Raises ConfigurationError, which does not quote it: it may hold a password.
        """
        self._lookups = lookups
        try:
            self._parameters: dict[str, str] = _DEFAULTS | parse_dsn(dsn)
        except psycopg2.Error:
            raise ConfigurationError(
                "database.dsn is no connection string of PostgreSQL, such as "
                "'host=db.example.com dbname=mailsacd user=mailsacd password=…' or "
                "'postgresql://mailsacd@db.example.com/mailsacd'"
            ) from None
        if "@" in self._parameters.get("host", "")[1:]:
            raise ConfigurationError("database.dsn: an @ in the password is to be written as %40")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and self._parameters == other._parameters

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        given = self._parameters
        where = given.get("host") or given.get("hostaddr") or "the local socket"
        port = f" port {given['port']}" if "port" in given else ""
        name = given.get("dbname") or given.get("user") or "(default)"
        return f"database {name} at {where}{port}"

    def environment(self) -> dict[str, str]:
        """Return the variables by which PostgreSQL's own programs find the database."""
        given = {"dbname": self._parameters.get("user", "")} | self._parameters
        return {_VARIABLES[name]: value for name, value in given.items() if name in _VARIABLES}

    async def parameters(self) -> Mapping[str, str]:
        """Return libpq's parameters with the host's addresses.

        Libpq would block while it asks DNS. Raises OSError when the host has no address, and
        OverloadedError when too many are being looked up.
        """
        given = self._parameters
        host = given.get("host", "")
        if not host or host.startswith(("/", "@")) or "," in host or "hostaddr" in given:
            return given
        look_up = partial(socket.getaddrinfo, host, 0, type=socket.SOCK_STREAM)
        found = await self._lookups.run_in_thread(look_up)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        return given | {
            "host": ",".join([host] * len(addresses)),
            "hostaddr": ",".join(addresses),
        }


def dsn_for_schema(dsn: str, schema: str, *, application_name: str) -> str:
    """Return ``dsn`` for sessions that make and find their tables in ``schema``.

    It is to lead past any connection pooler. The server shows them under ``application_name``.
    """
    options = f"{parse_dsn(dsn).get('options', '')} -c search_path={schema}".strip()
    return str(make_dsn(dsn, options=options, application_name=application_name))


def is_hopeless(error: Exception) -> bool:
    """Return whether connecting failed for a reason that waiting does not mend."""
    return any(text in str(error) for text in _HOPELESS)
