"""A server that the tests of the pool may stop, freeze and lock."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred

from mailsacd.embedded.postgres import EmbeddedPostgres
from mailsacd.store import pool
from mailsacd.store.pool import Database
from tests.data_directory import open_directory
from tests.lanes import LANES


class Server:
    """A PostgreSQL that can be stopped and started again, always reached in the same way."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._running: EmbeddedPostgres | None = None
        self.dsn = EmbeddedPostgres(directory, bin_dir="", reactor=reactor).dsn

    async def start(self) -> None:
        """Start it, unless it runs."""
        if self._running is None:
            self._running = EmbeddedPostgres(self.directory, bin_dir="", reactor=reactor)
            await self._running.start()

    async def stop(self) -> None:
        """Stop it, with all connections to it."""
        running, self._running = self._running, None
        if running is not None:
            await running.stop()


@pytest.fixture(scope="session")
def _own_server() -> Iterator[Server]:
    with open_directory() as directory:
        server = Server(directory)
        yield server
        pytest_twisted.blockon(ensureDeferred(server.stop()))


@pytest.fixture
def server(_own_server: Server) -> Server:
    """A running server of these tests alone."""
    pytest_twisted.blockon(ensureDeferred(_own_server.start()))
    return _own_server


@pytest_twisted.async_yield_fixture
async def connect() -> AsyncIterator[Callable[..., Database]]:
    """Makes Databases, not yet started; all are stopped after the test."""
    made: list[Database] = []

    def make(dsn: str, connections: int = 1, statement_timeout_s: float = 10) -> Database:
        made.append(
            Database(
                dsn,
                LANES.rest,
                connections=connections,
                statement_timeout_s=statement_timeout_s,
                reactor=reactor,
            )
        )
        return made[-1]

    yield make
    for database in made:
        await database.stop()


@pytest_twisted.async_yield_fixture
async def frozen(
    server: Server, connect: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Database, int]]:
    """A pool with little patience, and the id of its only server process, which stands still."""
    monkeypatch.setattr(pool, "STATEMENT_GRACE_S", 0.0)
    monkeypatch.setattr(pool, "_SWEEP_INTERVAL_S", 0.02)
    database = connect(server.dsn, statement_timeout_s=0.1)
    await database.start()
    ((pid,),) = await database.fetch("select pg_backend_pid()")
    os.kill(pid, signal.SIGSTOP)
    yield database, pid
    os.kill(pid, signal.SIGCONT)
