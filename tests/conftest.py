"""A real PostgreSQL for all tests of a run, and the rule that no error goes unnoticed."""

import gc
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from mailsacd.embedded.postgres import EmbeddedPostgres
from mailsacd.store.migrate import migrate
from mailsacd.store.pool import Database


@pytest.fixture(scope="session")
def database_dsn() -> Iterator[str]:
    """A PostgreSQL server for the whole run, with the schema in it."""
    directory = Path(tempfile.mkdtemp(prefix="mailsacd-test-"))
    directory.chmod(0o755)  # root's PostgreSQL runs as somebody else
    postgres = EmbeddedPostgres(directory, bin_dir="", reactor=reactor)
    pytest_twisted.blockon(ensureDeferred(postgres.start()))
    pytest_twisted.blockon(ensureDeferred(_prepare(postgres.dsn)))
    yield postgres.dsn
    pytest_twisted.blockon(ensureDeferred(postgres.stop()))
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def _shared_database(database_dsn: str) -> Iterator[Database]:
    database = Database(database_dsn, connections=4, statement_timeout_s=10, reactor=reactor)
    pytest_twisted.blockon(ensureDeferred(database.start()))
    yield database
    pytest_twisted.blockon(ensureDeferred(database.stop()))


@pytest.fixture
def database(_shared_database: Database) -> Database:
    """The database, empty but for its schema."""
    pytest_twisted.blockon(ensureDeferred(_empty(_shared_database)))
    return _shared_database


@pytest.fixture(autouse=True)
def logged_errors() -> Iterator[list[LogEvent]]:
    """Fails a test that left an error in the log; one that expects it clears the list."""
    errors: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "log_failure" in event or event.get("isError"):
            errors.append(event)

    globalLogPublisher.addObserver(observe)
    yield errors
    gc.collect()  # an unhandled Deferred tells of its error when it is collected
    globalLogPublisher.removeObserver(observe)
    assert not errors, [event.get("log_failure") or event for event in errors]


async def _prepare(dsn: str) -> None:
    database = Database(dsn, connections=1, statement_timeout_s=10, reactor=reactor)
    await database.start()
    await migrate(database)
    await database.stop()


async def _empty(database: Database) -> None:
    # Faster than truncate, which makes new files for each table
    for table in ("message", "raw_message", "alternate", "server_secret"):
        await database.run(f"delete from {table}")
