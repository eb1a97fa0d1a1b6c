"""Behind PgBouncer in transaction mode: nothing relies on a session, and none keeps a trace."""

from collections.abc import Callable, Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.errors import ConfigurationError, UnavailableError
from mailsacd.store.connection import Connection
from mailsacd.store.pool import Database
from mailsacd.store.sql import column, none, one
from mailsacd.store.target import Target
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.store.conftest import Server
from tests.store.pgbouncer import pgbouncer

Connect = Callable[..., Database]

SESSIONS = 2
_ECHOES = [one(column, f"select %(value)s::text || '{n}'") for n in range(5)]


@pytest.fixture
def pooled(server: Server) -> Iterator[str]:
    """The DSN of the server behind a pooler."""
    with pgbouncer(server.dsn, sessions=SESSIONS) as dsn:
        yield dsn


@pytest_twisted.ensureDeferred
async def test_a_pooler_is_noticed(server: Server, pooled: str, connect: Connect) -> None:
    behind, direct = connect(pooled), connect(server.dsn)
    await behind.start()
    await direct.start()
    assert not behind.is_direct
    assert direct.is_direct


@pytest_twisted.ensureDeferred
async def test_statements_and_transactions_of_many_share_few_sessions(
    pooled: str, connect: Connect
) -> None:
    database = connect(pooled, 6)
    await database.start()
    await database.run("drop table if exists t; create table t (n int primary key)")
    insert = none("insert into t values (%(n)s)")
    last: one[int] = one(column, "select n from t where n = %(n)s")

    async def both(n: int) -> None:
        async def work(transaction: Transaction) -> int:
            await insert(transaction, n=n)
            return await last(transaction, n=n)

        assert await database.transaction(work) == n
        assert await _ECHOES[n % 5](database, value="it's") == f"it's{n % 5}"

    await gatherResults([ensureDeferred(both(n)) for n in range(100)])
    assert await database.fetch("select count(*) from t") == [(100,)]


@pytest_twisted.ensureDeferred
async def test_nothing_of_it_stays_in_a_session(pooled: str, connect: Connect) -> None:
    database, operator = connect(pooled, 4, statement_timeout_s=7), connect(pooled)
    await database.start()
    await operator.start()

    async def work(transaction: Transaction) -> None:
        for echo in _ECHOES:
            await echo(transaction, value="x")

    await gatherResults([ensureDeferred(database.transaction(work)) for _ in range(8)])
    for echo in _ECHOES:
        await gatherResults([ensureDeferred(echo(database, value="x")) for _ in range(8)])
    # The pooler sees to these itself, for each of its clients
    told = ["application_name", "client_encoding", "DateStyle", "TimeZone"]
    set_ = "select name from pg_settings where source = 'session' and name <> all(%s)"
    assert await operator.fetch(set_, (told,)) == []
    assert await operator.fetch("select name from pg_prepared_statements") == []


@pytest_twisted.ensureDeferred
async def test_a_transaction_s_statements_have_their_time_all_the_same(
    pooled: str, connect: Connect
) -> None:
    database = connect(pooled, statement_timeout_s=0.1)
    await database.start()
    with pytest.raises(UnavailableError):
        await database.transaction(lambda transaction: transaction.run("select pg_sleep(60)"))
    assert await database.fetch("show statement_timeout") == [("0",)]


@pytest_twisted.ensureDeferred
async def test_listening_behind_a_pooler_is_refused(pooled: str) -> None:
    connection = Connection(reactor, lambda _: None)
    with pytest.raises(ConfigurationError, match=r"set database\.direct_dsn"):
        await connection.open(Target(pooled, LANES.rest), channels=["any"])
