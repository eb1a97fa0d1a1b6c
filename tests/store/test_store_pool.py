"""The pool against a real PostgreSQL: sharing, transactions, errors, settings that cannot work."""

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, ensureDeferred, gatherResults
from twisted.internet.task import deferLater

from mailsacd.core.errors import (
    ConfigurationError,
    MailsacdError,
    StatementError,
    StorageFullError,
    UnavailableError,
)
from mailsacd.store import connection, pool
from mailsacd.store.pool import Database
from mailsacd.store.sql import column, one
from mailsacd.store.target import Target
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.patience import PATIENCE_S
from tests.store.conftest import Server

Connect = Callable[..., Database]

_echo: one[str] = one(column, "select %(value)s::text")


class _OnPurposeError(Exception):
    """Raised by work that is to be undone."""


async def table(database: Database) -> None:
    """An empty table ``t`` for one test."""
    await database.run("drop table if exists t; create table t (n int primary key)")


async def numbers(database: Database) -> list[int]:
    """What is in it."""
    return [n for (n,) in await database.fetch("select n from t order by n")]


async def eventually(database: Database) -> None:
    """Return when a statement works again."""

    async def trying() -> None:
        while True:
            try:
                await database.fetch("select 1")
            except UnavailableError:
                await deferLater(reactor, 0.01)
            else:
                return

    await ensureDeferred(trying()).addTimeout(PATIENCE_S, reactor)


# Sharing


@pytest_twisted.ensureDeferred
async def test_each_of_many_callers_gets_its_own_answer(server: Server, connect: Connect) -> None:
    database = connect(server.dsn, 3)
    await database.start()
    texts = [f"it's number {n}" for n in range(500)]
    found = await gatherResults([ensureDeferred(_echo(database, value=t)) for t in texts])
    assert found == texts


@pytest_twisted.ensureDeferred
async def test_the_line_of_those_who_wait_is_bounded(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MAX_WAITING", 2)
    database = connect(server.dsn)
    await database.start()
    running = [ensureDeferred(database.fetch("select pg_sleep(0.02)")) for _ in range(3)]
    with pytest.raises(UnavailableError):
        await database.fetch("select 1")
    await gatherResults(running)


@pytest_twisted.ensureDeferred
async def test_a_long_line_of_statements_that_cannot_be_sent_makes_no_deep_stack(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    running = [ensureDeferred(database.run("select 1"))]
    running += [ensureDeferred(database.run("select '\0'")) for _ in range(3_000)]
    for each in running[1:]:
        each.addCallbacks(lambda _: None, lambda failure: failure.trap(StatementError))
    assert await running[0] == ([(1,)], 1)
    await gatherResults(running[1:])
    assert await database.fetch("select 2") == [(2,)]


@pytest_twisted.ensureDeferred
async def test_statements_and_answers_larger_than_any_buffer(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    text = "x" * 5_000_000
    assert await _echo(database, value=text) == text


@pytest_twisted.ensureDeferred
async def test_a_percent_sign_stands_for_itself(server: Server, connect: Connect) -> None:
    database = connect(server.dsn)
    await database.start()
    assert await database.fetch("select 'a' like '%' and 7 % 4 = 3") == [(True,)]
    assert await one(column, "select 7 % %(n)s")(database, n=4) == 3


# How many

_connected = one(
    int,
    """select count(*) from pg_stat_activity
       where backend_type = 'client backend' and pid <> pg_backend_pid()""",
)


@pytest_twisted.ensureDeferred
async def test_connections_are_opened_when_somebody_waits_and_closed_when_nobody_does(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "SPARE_FOR_S", 0.05)
    monkeypatch.setattr(pool, "_SWEEP_INTERVAL_S", 0.02)
    database, operator = connect(server.dsn, 3), connect(server.dsn)
    await operator.start()
    await database.start()
    await _until(operator, 1)
    running = [ensureDeferred(database.fetch("select pg_sleep(0.1)")) for _ in range(9)]
    await _until(operator, 3)
    await gatherResults(running)
    await _until(operator, 1)
    assert await database.fetch("select 1") == [(1,)]


async def _until(operator: Database, count: int) -> None:
    """Return when there are so many connections beside the operator's."""

    async def looking() -> None:
        while await _connected(operator) != count:
            await deferLater(reactor, 0.01)

    await ensureDeferred(looking()).addTimeout(PATIENCE_S, reactor)


# Transactions


@pytest_twisted.ensureDeferred
async def test_a_transaction_is_committed_as_a_whole_or_undone_as_a_whole(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    await table(database)

    async def work(transaction: Transaction) -> str:
        await transaction.run("insert into t values (1)")
        await transaction.run("insert into t values (2)")
        return "done"

    async def broken(transaction: Transaction) -> None:
        await transaction.run("insert into t values (3)")
        raise _OnPurposeError

    assert await database.transaction(work) == "done"
    with pytest.raises(_OnPurposeError):
        await database.transaction(broken)
    assert await numbers(database) == [1, 2]


@pytest_twisted.ensureDeferred
async def test_an_error_that_work_passes_over_does_not_look_like_a_commit(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    await table(database)

    async def work(transaction: Transaction) -> None:
        await transaction.run("insert into t values (1)")
        with pytest.raises(StatementError):
            await transaction.run("insert into t values (1)")

    with pytest.raises(StatementError):
        await database.transaction(work)
    assert await numbers(database) == []


@pytest_twisted.ensureDeferred
async def test_no_failure_of_a_transaction_costs_a_connection(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()

    async def refused(transaction: Transaction) -> None:
        await transaction.run("select no_such_column")

    async def killed(transaction: Transaction) -> None:
        await transaction.run("select pg_terminate_backend(pg_backend_pid())")

    async def killed_unnoticed(transaction: Transaction) -> None:
        with pytest.raises(UnavailableError):
            await killed(transaction)

    for work, error in (
        (refused, StatementError),
        (killed, UnavailableError),
        (killed_unnoticed, UnavailableError),
    ):
        for _ in range(3):
            with pytest.raises(error):
                await database.transaction(work)
            await eventually(database)


# Giving up


class _LateReactor:
    """The reactor, but what is to be called in its next turn is called when the test says so."""

    def __init__(self) -> None:
        self.next_turn: list[Callable[[], object]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)

    def callLater(  # noqa: N802  Twisted's
        self, delay_s: float, call: Callable[..., Any], *given: Any
    ) -> Any:
        if delay_s:
            return reactor.callLater(delay_s, call, *given)
        self.next_turn.append(lambda: call(*given))
        return None


@pytest_twisted.ensureDeferred
async def test_connecting_can_be_given_up_when_it_has_come_to_its_end(server: Server) -> None:
    late, lost = _LateReactor(), list[connection.Connection]()
    connecting = connection.Connection(late, lost.append)
    opening = ensureDeferred(connecting.open(Target(server.dsn, LANES.rest)))
    while not late.next_turn:
        await deferLater(reactor, 0.01)
    opening.cancel()
    with pytest.raises(CancelledError):
        await opening
    [call] = late.next_turn
    call()
    assert lost == [connecting]
    assert connecting not in reactor.getReaders()


@pytest_twisted.ensureDeferred
async def test_a_cancelled_statement_frees_its_caller_at_once_and_its_connection_later(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    sleeping = ensureDeferred(database.fetch("select pg_sleep(0.2)"))
    sleeping.cancel()
    with pytest.raises(CancelledError):
        await sleeping
    assert await database.fetch("select 1") == [(1,)]


@pytest_twisted.ensureDeferred
async def test_a_caller_that_is_cancelled_in_the_line_takes_no_connection(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    first = ensureDeferred(database.fetch("select 1 from pg_sleep(0.2)"))
    second = ensureDeferred(database.fetch("select 2"))
    second.cancel()
    with pytest.raises(CancelledError):
        await second
    assert await first == [(1,)]
    assert await database.fetch("select 3") == [(3,)]


@pytest_twisted.ensureDeferred
async def test_a_cancelled_transaction_is_undone(server: Server, connect: Connect) -> None:
    database = connect(server.dsn)
    await database.start()
    await table(database)

    async def work(transaction: Transaction) -> None:
        await transaction.run("insert into t values (1)")
        await transaction.run("select pg_sleep(0.2)")

    running = ensureDeferred(database.transaction(work))
    await deferLater(reactor, 0.05)
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    await eventually(database)
    assert await numbers(database) == []


@pytest_twisted.ensureDeferred
async def test_a_statement_over_its_time_may_be_tried_again(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn, statement_timeout_s=0.1)
    await database.start()
    with pytest.raises(UnavailableError):
        await database.fetch("select pg_sleep(60)")
    assert await database.fetch("select 1") == [(1,)]


# Outages


@pytest_twisted.ensureDeferred
async def test_connections_that_the_server_closes_are_replaced_again_and_again(
    server: Server, connect: Connect
) -> None:
    database, other = connect(server.dsn, 2), connect(server.dsn)
    await database.start()
    await other.start()
    for _ in range(10):
        await other.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )
        await eventually(database)
    running = [ensureDeferred(database.fetch("select 1")) for _ in range(20)]
    assert await gatherResults(running) == [[(1,)]] * 20


@pytest_twisted.ensureDeferred
async def test_a_stopped_server_is_found_again(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "ACQUIRE_TIMEOUT_S", 0.05)
    database = connect(server.dsn, 2)
    await database.start()
    running = ensureDeferred(database.fetch("select pg_sleep(60)"))
    await server.stop()
    with pytest.raises(UnavailableError):
        await running
    while not database._is_away:  # it has tried, and more than once
        with pytest.raises(UnavailableError):
            await database.fetch("select 1")
    await server.start()
    await eventually(database)
    # However long the server was away
    assert max(pool.RECONNECT_DELAYS_S) + connection.CONNECT_TIMEOUT_S < 10


@pytest_twisted.ensureDeferred
async def test_stopping_ends_at_once_while_the_server_is_away(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn, 2)
    await database.start()
    await server.stop()
    waiting = [ensureDeferred(database.fetch("select 1")) for _ in range(3)]
    await database.stop()
    for each in waiting:
        with pytest.raises(UnavailableError):
            await each
    with pytest.raises(UnavailableError):
        await database.fetch("select 1")


@pytest_twisted.ensureDeferred
async def test_a_frozen_server_is_hung_up_on(frozen: tuple[Database, int]) -> None:
    database, pid = frozen
    with pytest.raises(UnavailableError):
        await database.fetch("select 1")
    await eventually(database)
    assert (await database.fetch("select pg_backend_pid()"))[0] != (pid,)


# Errors


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("53100", StorageFullError),
        ("53200", UnavailableError),
        ("40001", UnavailableError),
        ("40P01", UnavailableError),
        ("55P03", UnavailableError),
        ("57P01", UnavailableError),
        ("58030", UnavailableError),
        ("22001", StatementError),
        ("23505", StatementError),
        ("42P01", StatementError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_raised_for_an_error_of_the_server(
    server: Server, connect: Connect, state: str, error: type[MailsacdError]
) -> None:
    database = connect(server.dsn)
    await database.start()
    with pytest.raises(MailsacdError) as raised:
        await database.run(f"do $$ begin raise sqlstate '{state}'; end $$")
    assert type(raised.value) is error
    assert await database.fetch("select 1") == [(1,)]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
@pytest_twisted.ensureDeferred
async def test_a_text_that_postgresql_cannot_hold_is_refused(
    server: Server, connect: Connect, text: str
) -> None:
    database = connect(server.dsn)
    await database.start()
    with pytest.raises(StatementError):
        await _echo(database, value=text)
    assert await _echo(database, value="\U0001f4e7 \\' \"") == "\U0001f4e7 \\' \""


@pytest_twisted.ensureDeferred
async def test_a_server_that_turned_read_only_is_left(server: Server, connect: Connect) -> None:
    database = connect(server.dsn)
    await database.start()
    await table(database)
    await database.run("set default_transaction_read_only = on")  # of this connection
    with pytest.raises(UnavailableError):
        await database.run("insert into t values (1)")
    await eventually(database)
    await database.run("insert into t values (1)")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("dbname=nowhere", 'database "nowhere" does not exist'),
        ("user=nobody-known", "nobody-known"),
        ("sslmode=perhaps", "sslmode"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_hopeless_settings_are_told_at_once(
    server: Server, connect: Connect, change: str, part: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        await connect(f"{server.dsn} {change}").start()
    assert part in refused.value.public


@pytest_twisted.ensureDeferred
async def test_a_wrong_password_is_told_at_once_and_not_shown(
    server: Server, connect: Connect
) -> None:
    operator = connect(server.dsn)
    await operator.start()
    await operator.run("create role guarded login password 'right'")
    access = server.directory / "postgres" / "pg_hba.conf"
    before = access.read_text()
    access.write_text("local all guarded scram-sha-256\n" + before)
    await operator.run("select pg_reload_conf()")
    try:
        with pytest.raises(ConfigurationError) as refused:
            await connect(f"{server.dsn} user=guarded password=wr0ng").start()
        assert "authentication failed" in refused.value.public
        assert "wr0ng" not in f"{refused.value!r} {refused.value.__cause__!r}"
        await connect(f"{server.dsn} user=guarded password=right").start()
    finally:
        access.write_text(before)
        await operator.run("select pg_reload_conf()")


@pytest.mark.parametrize(
    "dsn",
    [
        "host=/tmp password=my s3cret",
        "postgresql://me:%s3cret@/x",
        "postgresql://me:s3@cret@db.example/x",
        "s3cret",
    ],
)
def test_a_dsn_that_cannot_be_read_is_not_quoted(connect: Connect, dsn: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        connect(dsn)
    assert "database.dsn" in refused.value.public
    assert "cret" not in refused.value.public


@pytest_twisted.ensureDeferred
async def test_too_old_a_server_is_refused(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "OLDEST_SERVER", 990_000)
    with pytest.raises(ConfigurationError, match="and 99 or later is needed"):
        await connect(server.dsn).start()


@pytest_twisted.ensureDeferred
async def test_a_database_that_cannot_hold_every_text_is_refused(
    server: Server, connect: Connect
) -> None:
    operator = connect(server.dsn)
    await operator.start()
    await operator.run("create database narrow encoding 'LATIN1' template template0")
    with pytest.raises(ConfigurationError, match="encoding LATIN1"):
        await connect(f"{server.dsn} dbname=narrow").start()
    await operator.run("drop database narrow with (force)")


@pytest_twisted.ensureDeferred
async def test_a_server_that_stays_away_is_told(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "START_TIMEOUT_S", 0)
    await server.stop()
    with pytest.raises(ConfigurationError, match="cannot use the database"):
        await connect(server.dsn).start()
