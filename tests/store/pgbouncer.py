"""PgBouncer as operators put it before PostgreSQL: it lends out sessions for a transaction each."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from psycopg2.extensions import parse_dsn

from mailsacd.embedded.account import postgres_user
from tests.data_directory import open_directory

_PORT: Final = 6432
_STOP_S: Final = 10
_LOOK_EVERY_S: Final = 0.01
_CONFIGURATION: Final = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr =
listen_port = {own_port}
unix_socket_dir = {directory}
auth_type = trust
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = {sessions}
logfile = {directory}/log
"""


@contextmanager
def pgbouncer(dsn: str, *, sessions: int) -> Iterator[str]:
    """A PgBouncer before the embedded server at ``dsn``, with so many sessions of it: its own DSN.

    Debian's package ``pgbouncer`` has to be installed; `make test` sees to it.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "the tests need PgBouncer: apt-get install pgbouncer"
    server = parse_dsn(dsn)
    with open_directory() as directory:
        (directory / "users").write_text(f'"{server["user"]}" ""\n')
        configuration = directory / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(**server, own_port=_PORT, directory=directory, sessions=sessions)
        )
        command = [program, "-q", str(configuration)]
        if os.geteuid() == 0:  # as whoever may use the server's socket
            user = postgres_user(existing=Path(server["host"]))
            os.chown(directory, user.uid, user.gid)
            command += ["-u", user.name]
        with subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL) as running:
            while not _accepts(directory / f".s.PGSQL.{_PORT}"):
                assert running.poll() is None, (directory / "log").read_text()
                time.sleep(_LOOK_EVERY_S)
            try:
                yield f"{dsn} host={directory} port={_PORT}"
            finally:
                running.terminate()
                running.wait(_STOP_S)


def _accepts(path: Path) -> bool:
    """Whether somebody listens on the socket at ``path``: that it is there is not enough."""
    with socket.socket(socket.AF_UNIX) as trying:
        return trying.connect_ex(str(path)) == 0
