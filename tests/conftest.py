"""A real PostgreSQL for all tests of a run, and the rule that no error goes unnoticed."""

import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_twisted
from hypothesis import settings
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from werkzeug.routing import Rule
from zope.interface import implementer

from mailsacd.embedded.postgres import EmbeddedPostgres
from mailsacd.mail.upgrading.schema import bring_up_to_date
from mailsacd.store.distribution import distribute
from mailsacd.store.pool import Database
from mailsacd.store.session import DISTRIBUTED
from tests.data_directory import copy_data, open_directory
from tests.end_to_end.daemon import MakeDaemon, RunningDaemon, running_daemon
from tests.external_postgres import ExternalPostgres, running_external
from tests.lanes import LANES
from tests.outbound.name_server import Network
from tests.outbound.receiver import Receiver

T = TypeVar("T")
Open = Callable[[], Awaitable[Database]]

# What `make test` tries is the same each time, so that its verdict is the change's; `make explore`
# tries what nobody has tried
# without a deadline: that counts what a busy machine does beside the test
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("exploring", derandomize=False, deadline=None)
settings.load_profile("repeatable")

MAX_PROCESSES = 8  # each has a PostgreSQL of its own

ONE_SERVER = "one server"
DISTRIBUTED_FORM = "distributed"

_schemas = count()


@pytest.hookimpl(optionalhook=True)  # a run of a few tests does without xdist
def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes `-n auto` is: two a core, since many tests wait for something."""
    return min(2 * (os.cpu_count() or 1), MAX_PROCESSES)


@pytest.fixture
def without_collecting() -> Iterator[None]:
    """No garbage is collected: what nobody refers to is gone at once, and circles stay."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def workspace() -> Iterator[Path]:
    """A directory of the test alone, which PostgreSQL can enter."""
    with open_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def migrated_data() -> Iterator[Path]:
    """A data directory whose PostgreSQL has the schema and nothing in it. No server runs on it.

    It is to be copied, by `copy_data`: initdb and the migrations take ten times as long.
    """
    with open_directory() as directory:
        postgres = _postgres(directory / "data")
        _wait(postgres.start())
        _wait(_prepare(postgres.dsn))
        _wait(postgres.stop())
        yield directory / "data"


@pytest.fixture(scope="session")
def database_dsn(migrated_data: Path) -> Iterator[str]:
    """A PostgreSQL server for all tests of this process, with the schema in it.

    Where TEST_DISTRIBUTED_DSN leads to an empty database of a cluster of Citus, it is that.
    """
    cluster = os.environ.get("TEST_DISTRIBUTED_DSN")
    if cluster:
        _wait(_prepare(cluster, is_distributed=True))
        yield cluster
        return
    with open_directory() as directory:
        copy_data(migrated_data, directory / "data")
        postgres = _postgres(directory / "data")
        _wait(postgres.start())
        yield postgres.dsn
        _wait(postgres.stop())


@pytest.fixture
def make_daemon(workspace: Path, migrated_data: Path) -> Iterator[MakeDaemon]:
    """Makes daemons, not yet started; none outlives the test.

    Their database is there already, unless they are to be ``fresh``: that takes longer.
    """
    made: list[RunningDaemon] = []

    def make(*options: str, name: str = "data", fresh: bool = False) -> RunningDaemon:
        data_dir = workspace / name
        if not fresh and not data_dir.exists():
            copy_data(migrated_data, data_dir)
        made.append(RunningDaemon(data_dir, options))
        return made[-1]

    yield make
    started = [daemon for daemon in made if hasattr(daemon, "process")]
    for daemon in started:
        daemon.kill()
    for daemon in started:
        daemon.wait_for_postgres_to_end()


@pytest.fixture
def external_postgres(workspace: Path, migrated_data: Path) -> Iterator[ExternalPostgres]:
    """A running PostgreSQL with the schema and nothing in it, to be named by `database.dsn`."""
    with running_external(migrated_data, workspace) as server:
        yield server


@pytest.fixture(scope="session")
def pages_daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    """A daemon whose pages people look at, and at which anybody makes an account."""
    with running_daemon(migrated_data, "--set", "accounts.sign_up=open") as daemon:
        yield daemon


@pytest.fixture(scope="module")
def shared_daemon(migrated_data: Path) -> Iterator[RunningDaemon]:
    """One daemon for all tests of a module that do it no harm."""
    with running_daemon(migrated_data, "--set", "smtp.starttls=offer") as daemon:
        yield daemon


def _postgres(data_dir: Path) -> EmbeddedPostgres:
    # Such as /usr/lib/postgresql/15/bin: all tests once more, on another PostgreSQL
    bin_dir = os.environ.get("TEST_POSTGRES_BIN_DIR", "")
    return EmbeddedPostgres(data_dir, bin_dir=bin_dir, reactor=reactor)


@pytest.fixture(scope="session")
def _shared_database(database_dsn: str) -> Iterator[tuple[Database, str]]:
    database = Database(
        database_dsn, LANES.rest, connections=4, statement_timeout_s=10, reactor=reactor
    )
    _wait(database.start())
    yield database, _wait(_emptying(database))
    _wait(database.stop())


@pytest.fixture
def database(request: pytest.FixtureRequest, _shared_database: tuple[Database, str]) -> Database:
    """The database, empty but for its schema; in either form of its statements."""
    database, emptying = _shared_database
    _wait(database.run(emptying))
    if getattr(request, "param", ONE_SERVER) == DISTRIBUTED_FORM:
        distributed: Database = request.getfixturevalue("_distributed_database")
        return distributed
    return database


@pytest.fixture(scope="session")
def _distributed_database(database_dsn: str) -> Iterator[Database]:
    """The same database for statements in the form for raw messages on several servers."""
    dsn = f"{database_dsn} options='-c {DISTRIBUTED}=on'"
    database = Database(dsn, LANES.rest, connections=4, statement_timeout_s=10, reactor=reactor)
    _wait(database.start())
    yield database
    _wait(database.stop())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of the modules that say ``BOTH_FORMS = True`` once with each form."""
    if getattr(metafunc.module, "BOTH_FORMS", False) and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", [ONE_SERVER, DISTRIBUTED_FORM], indirect=True)


@pytest_twisted.async_yield_fixture
async def stopped_database(database_dsn: str) -> AsyncIterator[Database]:
    """A database that is away: whatever is asked of it fails at once."""
    stopped = Database(
        database_dsn, LANES.rest, connections=1, statement_timeout_s=5, reactor=reactor
    )
    await stopped.start()
    await stopped.stop()
    yield stopped


@pytest_twisted.async_yield_fixture
async def open_empty(database: Database, database_dsn: str) -> AsyncIterator[Open]:
    """Opens the same schema without any table, as often as it is called."""
    schema = f"empty_{next(_schemas)}"
    await database.run(f"drop schema if exists {schema} cascade; create schema {schema}")
    opened = []

    async def make() -> Database:
        empty = Database(
            f"{database_dsn} options='-c search_path={schema}'",
            LANES.rest,
            connections=1,
            statement_timeout_s=10,
            reactor=reactor,
        )
        await empty.start()
        opened.append(empty)
        return empty

    yield make
    for each in opened:
        await each.stop()
    await database.run(f"drop schema {schema} cascade")


@pytest_twisted.async_yield_fixture
async def network() -> AsyncIterator[Network]:
    """Name servers: the usual one, and that of example.com."""
    made = Network(reactor)
    yield made
    await made.stop()


@pytest_twisted.async_yield_fixture
async def receive() -> AsyncIterator[Callable[..., Receiver]]:
    """Makes receivers of webhooks; see `Receiver` for their arguments after the reactor."""
    made: list[Receiver] = []

    def make(*args: Any, **options: Any) -> Receiver:
        made.append(Receiver(reactor, *args, **options))
        return made[-1]

    yield make
    for receiver in made:
        await receiver.stop()


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """A shell's job in the background ignores SIGINT, and so would the daemons that tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _quick_collections() -> None:
    """What is there before the first test is never garbage: not to be looked at after each."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _no_building_of_urls() -> None:
    """Werkzeug makes functions that build URLs, two of each route, which nobody calls.

    A test that makes an application spends most of its time on them.
    """

    def compile_builder(*_: object) -> Callable[..., tuple[str, str]]:
        return _build_url

    patch = pytest.MonkeyPatch()
    patch.setattr(Rule, "_compile_builder", compile_builder)


@pytest.fixture(autouse=True)
def logged_errors() -> Iterator[list[LogEvent]]:
    """Fails a test that left an error in the log; one that expects it clears the list."""
    seen = _Errors()
    globalLogPublisher.addObserver(seen)
    pytest_twisted.blockon(deferLater(reactor, 0))  # lets go of the values the test before had
    gc.collect()  # so that they tell of their errors here, if not before
    gc.freeze()  # what is left belongs to more than a test: it is not looked at after each
    yield seen.events
    gc.collect()  # an unhandled Deferred tells of its error when it is collected
    globalLogPublisher.removeObserver(seen)
    assert not seen.events, [event.get("log_failure") or event for event in seen.events]


def _build_url(*_args: object, **_values: object) -> tuple[str, str]:
    raise AssertionError("werkzeug was asked for a URL")


@implementer(ILogObserver)
class _Errors:
    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if "log_failure" in event or event.get("isError"):
            self.events.append(event)


async def _prepare(dsn: str, *, is_distributed: bool = False) -> None:
    database = Database(dsn, LANES.rest, connections=1, statement_timeout_s=10, reactor=reactor)
    await database.start()
    await bring_up_to_date(database)
    if is_distributed:
        await distribute(database)
    await database.stop()


async def _emptying(database: Database) -> str:
    """Statements that empty every table: deleting is faster than truncate, which makes files."""
    rows = await database.fetch(
        "select tablename from pg_tables where schemaname = 'public'"
        " and tablename <> 'schema_migration'"
    )
    deletes = "".join(f"delete from {table};" for (table,) in rows)
    # without the order that foreign keys ask for
    return f"begin; set local session_replication_role = replica; {deletes} commit"


def _wait(work: Awaitable[T]) -> T:
    async def whole() -> T:
        return await work

    result: T = pytest_twisted.blockon(ensureDeferred(whole()))
    return result
