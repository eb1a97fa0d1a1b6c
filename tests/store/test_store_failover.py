"""Another server becomes the primary: the pool finds it, whatever becomes of the former one."""

import socket
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_twisted
from psycopg2.extensions import parse_dsn
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater

from mailsacd.core.errors import UnavailableError
from mailsacd.store import connection, pool
from mailsacd.store.pool import Database
from mailsacd.store.target import Target
from tests.external_postgres import ExternalPostgres, both
from tests.lanes import LANES
from tests.patience import PATIENCE_S, until
from tests.store.conftest import Server

Connect = Callable[..., Database]


async def _insert(database: Database, number: int) -> None:
    """Insert it as soon as that works."""

    async def trying() -> None:
        while True:
            try:
                await database.run("insert into t values (%s) on conflict do nothing", (number,))
            except UnavailableError:
                await deferLater(reactor, 0.05)
            else:
                return

    await ensureDeferred(trying()).addTimeout(PATIENCE_S, reactor)


@pytest_twisted.ensureDeferred
async def test_the_standby_that_becomes_the_primary_is_found_and_no_standby_before(
    external_postgres: ExternalPostgres, connect: Connect
) -> None:
    primary = external_postgres
    standby = primary.standby(primary.directory.with_name("standby"))
    database = connect(both(standby, primary), connections=2)  # the standby is asked first
    await database.start()
    await database.run("create table t (n int primary key)")
    await _insert(database, 1)
    primary.kill()
    with pytest.raises(UnavailableError):
        await database.fetch("select n from t")  # which the standby could tell
    standby.promote()
    await _insert(database, 2)
    assert await database.fetch("select n from t order by n") == [(1,), (2,)]


@pytest_twisted.async_yield_fixture
async def silent() -> AsyncIterator[int]:
    """A port where connections are taken, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest_twisted.ensureDeferred
async def test_a_server_that_says_nothing_does_not_hide_the_others(
    server: Server, connect: Connect, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_S", 0.3)
    words = parse_dsn(server.dsn)
    database = connect(
        f"host=127.0.0.1,{words['host']} port={silent},5432"
        f" user={words['user']} dbname={words['dbname']}"
    )
    await database.start()
    assert await database.fetch("select 1") == [(1,)]


@pytest_twisted.ensureDeferred
async def test_a_server_that_turned_read_only_is_left_by_those_who_only_read(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_SWEEP_INTERVAL_S", 0.02)
    database = connect(server.dsn)
    await database.start()
    ((before,),) = await database.fetch("select pg_backend_pid()")
    await database.run("set default_transaction_read_only = on")  # of this connection
    (left,) = database._open
    await until(lambda: left not in database._open)
    ((after,),) = await database.fetch("select pg_backend_pid()")
    assert after != before


@pytest_twisted.ensureDeferred
async def test_each_of_several_hosts_is_looked_up_and_has_its_turn_to_be_first() -> None:
    target = Target("host=127.0.0.1,/tmp,127.0.0.2,nowhere.invalid port=1,2,3,4", LANES.rest)
    hosts = []
    for _ in range(4):
        found = await target.parameters()
        hosts.append((found["host"], found["hostaddr"], found["port"]))
        target.failed()
    assert hosts[0] == ("127.0.0.1,/tmp,127.0.0.2", "127.0.0.1,,127.0.0.2", "1,2,3")
    assert hosts[1] == ("/tmp,127.0.0.2,127.0.0.1", ",127.0.0.2,127.0.0.1", "2,3,1")
    assert hosts[3] == hosts[0]


@pytest_twisted.ensureDeferred
async def test_of_several_hosts_one_has_to_have_an_address() -> None:
    with pytest.raises(OSError, match=r"none of a\.invalid, b\.invalid has an address"):
        await Target("host=a.invalid,b.invalid", LANES.rest).parameters()
