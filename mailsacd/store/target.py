"""Which database is meant: libpq's connection string, read with the driver's help."""

import socket
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from mailsacd.core.errors import ConfigurationError
from mailsacd.store.failures import says_primary, says_read_only
from mailsacd.work.threads import Lane

_DEFAULTS: Final = {
    "application_name": "mailsacd",
    "client_encoding": "UTF8",
    "target_session_attrs": "read-write",  # of several servers the primary, and of one no standby
    # A server whose machine vanished is noticed soon, idle or not
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
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

    _setting: ClassVar = "database.dsn"
    _wanted: ClassVar[Mapping[str, str]] = {}
    """Parameters that hold whatever the connection string says."""

    def __init__(self, dsn: str, lookups: Lane) -> None:
        """Read ``dsn``. Its host is looked up in the lane ``lookups``.

        Raises ConfigurationError, which does not quote it: it may hold a password.
        """
        self._lookups = lookups
        self._turn = 0
        try:
            self._parameters: dict[str, str] = {**_DEFAULTS, **parse_dsn(dsn), **self._wanted}
        except psycopg2.Error:
            raise ConfigurationError(
                f"{self._setting} is no connection string of PostgreSQL, such as "
                "'host=db.example.com dbname=mailsacd user=mailsacd password=…' or "
                "'postgresql://mailsacd@db.example.com/mailsacd'"
            ) from None
        if "@" in self._parameters.get("host", "")[1:]:
            raise ConfigurationError(
                f"{self._setting}: an @ in the password is to be written as %40"
            )

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

    @property
    def has_several_hosts(self) -> bool:
        """Whether it names more than one server."""
        return "," in self._parameters.get("host", "")

    def is_left(self, connection: Any) -> bool:
        """Return whether the server of the driver's ``connection`` says that it is another one.

        That is one which has become a standby, or where nothing can be written.
        """
        return says_read_only(connection)

    def environment(self) -> dict[str, str]:
        """Return the variables by which PostgreSQL's own programs find the database."""
        given = {"dbname": self._parameters.get("user", "")} | self._parameters
        return {_VARIABLES[name]: value for name, value in given.items() if name in _VARIABLES}

    async def parameters(self) -> Mapping[str, str]:
        """Return libpq's parameters with the addresses of each host.

        Libpq would block while it asks DNS. Raises OSError when no host has an address, and
        OverloadedError when too many are being looked up.
        """
        given = self._parameters
        hosts = given.get("host", "").split(",")
        if "hostaddr" in given or (len(hosts) == 1 and _is_local(hosts[0])):
            return given
        ports = given.get("port", "").split(",")
        if len(ports) == 1:
            ports *= len(hosts)
        places = [
            (host, address, port)
            for host, port in zip(hosts, ports, strict=True)
            for address in await self._addresses(host, is_only=len(hosts) == 1)
        ]
        if not places:
            raise OSError(f"none of {', '.join(hosts)} has an address")
        first = self._turn % len(places)
        columns = zip(*places[first:], *places[:first], strict=True)
        return given | dict(zip(("host", "hostaddr", "port"), map(",".join, columns), strict=True))

    def failed(self) -> None:
        """Have the next connection begin with another address: this time it was in vain.

        Libpq tries them in turn, and may wait at the first one, whose machine is gone, for as long
        as it is let.
        """
        self._turn += 1

    async def _addresses(self, host: str, *, is_only: bool) -> list[str]:
        if _is_local(host):
            return [""]
        look_up = partial(socket.getaddrinfo, host, 0, type=socket.SOCK_STREAM)
        try:
            found = await self._lookups.run_in_thread(look_up)
        except OSError:
            if is_only:
                raise
            return []  # the others may have one
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class StandbyTarget(Target):
    """Which standbys: a server is taken while it is one."""

    _setting: ClassVar = "database.replica_dsn"
    _wanted: ClassVar[Mapping[str, str]] = {"target_session_attrs": "standby"}

    def is_left(self, connection: Any) -> bool:
        """Return whether the server says that it has become a primary."""
        return says_primary(connection)


def _is_local(host: str) -> bool:
    """Whether it is the directory of a socket, or none, which needs no address."""
    return not host or host.startswith(("/", "@"))


def dsn_for_schema(dsn: str, schema: str, *, application_name: str) -> str:
    """Return ``dsn`` for sessions that make and find their tables in ``schema``.

    It is to lead past any connection pooler. The server shows them under ``application_name``.
    """
    options = f"{parse_dsn(dsn).get('options', '')} -c search_path={schema}".strip()
    return str(make_dsn(dsn, options=options, application_name=application_name))


def is_hopeless(error: Exception) -> bool:
    """Return whether connecting failed for a reason that waiting does not mend."""
    return any(text in str(error) for text in _HOPELESS)
