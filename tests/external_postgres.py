"""A PostgreSQL that mailsacd did not start, as an operator's: on a Unix socket, with standbys."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg2
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred

from mailsacd.embedded.account import SystemUser
from mailsacd.embedded.binaries import Binaries, choose_binaries
from tests.data_directory import copy_data
from tests.patience import PATIENCE_S

FIRST_PORT: Final = 5441  # a part of the socket's name
_USER: Final = "mailsacd"
_STOP_S: Final = 30
_LOOK_EVERY_S: Final = 0.05


class ExternalPostgres:
    """A server on the data in ``directory``/data, which is there already."""

    def __init__(
        self, directory: Path, binaries: Path, user: SystemUser, port: int = FIRST_PORT
    ) -> None:
        """``binaries`` has PostgreSQL's programs, and ``user`` runs them."""
        self.directory = directory
        self.port = port
        self._binaries = binaries
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._standbys: list[ExternalPostgres] = []

    @property
    def dsn(self) -> str:
        """How libpq reaches it."""
        return f"host={self.directory} port={self.port} user={_USER} dbname=postgres"

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        settings = {
            "listen_addresses": "", "unix_socket_directories": self.directory, "port": self.port,
            "max_connections": 60, "shared_buffers": "32MB", "wal_retrieve_retry_interval": "200ms",
            "dynamic_shared_memory_type": "mmap",
        }  # fmt: skip
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._binaries / "postgres"), "-D", str(self._data), *words]
        deadline_s = time.monotonic() + PATIENCE_S
        self._process = self._launch(command)
        while True:
            with suppress(psycopg2.OperationalError):
                psycopg2.connect(self.dsn).close()
                return
            assert time.monotonic() < deadline_s, (self.directory / "log").read_text()
            time.sleep(_LOOK_EVERY_S)
            if self._process.poll() is not None:  # those of one that was killed are still there
                self._process = self._launch(command)

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen(self._user.launcher(command), stdout=log, stderr=log, cwd="/")

    def start_again(self) -> None:
        """Start it if it was killed."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def kill(self) -> None:
        """kill -9, as when the machine loses its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_S)

    def end(self) -> None:
        """End it, and the standbys that were made of it."""
        for each in (self, *self._standbys):
            each.kill()

    def standby(self, directory: Path, *, synchronous: bool = True) -> "ExternalPostgres":
        """Make and start a standby in ``directory``.

        If it is ``synchronous``, commits wait to be sent to it.
        """
        self._give(directory)
        self._run(
            "pg_basebackup", "--pgdata", str(directory / "data"), "--host", str(self.directory),
            "--port", str(self.port), "--username", _USER, "--write-recovery-conf",
            "--checkpoint", "fast",
        )  # fmt: skip
        standby = ExternalPostgres(directory, self._binaries, self._user, self.port + 1)
        self._standbys.append(standby)
        standby.start()
        if synchronous:
            self.run("alter system set synchronous_standby_names = '*'")
            self.run("select pg_reload_conf()")
        state = "sync" if synchronous else "async"
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.run(f"select 1 from pg_stat_replication where sync_state = '{state}'"):
            assert time.monotonic() < deadline_s, "the standby does not follow"
            time.sleep(_LOOK_EVERY_S)
        return standby

    def promote(self) -> None:
        """Make the standby a primary, to which nobody is a standby."""
        settings = self._data / "postgresql.auto.conf"
        text = settings.read_text()
        settings.write_text(text + "synchronous_standby_names = ''\n")
        self._run("pg_ctl", "promote", "--pgdata", str(self._data))

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements in one session, as its operator would; returns the last one's rows."""
        connection = psycopg2.connect(self.dsn)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _give(self, directory: Path) -> None:
        directory.mkdir()
        shutil.chown(directory, self._user.uid, self._user.gid)

    def _run(self, program: str, *words: str) -> None:
        command = self._user.launcher([str(self._binaries / program), *words])
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == 0, done.stderr


@contextmanager
def running_external(migrated: Path, workspace: Path) -> Iterator[ExternalPostgres]:
    """A server in ``workspace`` on a copy of the data directory ``migrated``, as it was set up."""
    source = migrated / "postgres"
    user = owner_of(source)
    major = int((source / "PG_VERSION").read_text())
    wanted = os.environ.get("TEST_POSTGRES_BIN_DIR", "")

    async def choose() -> Binaries:
        return await choose_binaries(
            user, reactor, wanted=wanted, existing_major=major, copy_to=workspace / "binaries"
        )

    binaries: Binaries = pytest_twisted.blockon(ensureDeferred(choose()))
    directory = workspace / "external"
    directory.mkdir()
    shutil.chown(directory, user.uid, user.gid)
    copy_data(source, directory / "data")
    server = ExternalPostgres(directory, binaries.directory, user)
    server.start()
    try:
        yield server
    finally:
        server.end()


def both(*servers: ExternalPostgres) -> str:
    """Return the connection string that names all of ``servers``."""
    hosts = ",".join(str(server.directory) for server in servers)
    ports = ",".join(str(server.port) for server in servers)
    return f"host={hosts} port={ports} user={_USER} dbname=postgres"


def owner_of(directory: Path) -> SystemUser:
    """Return whose ``directory`` is: PostgreSQL has its data to itself."""
    found = directory.stat()
    assert os.geteuid() in {0, found.st_uid}
    return SystemUser(name="", uid=found.st_uid, gid=found.st_gid)
