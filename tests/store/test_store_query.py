"""Declared statements on a connection: rows, errors, connections that break, libpq out of reach."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import psycopg2
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
from mailsacd.store.libpq import libpq
from mailsacd.store.pool import Database
from mailsacd.store.sql import column, many, none, one
from mailsacd.store.transaction import Transaction
from tests.patience import PATIENCE_S
from tests.store.conftest import Server

Connect = Callable[..., Database]

_echo: one[bytes] = one(column, "select %(value)s::bytea")
_pid: one[int] = one(column, "select pg_backend_pid()")
_sleep: one[str] = one(column, "select pg_sleep(%(s)s::float8)::text")


@pytest_twisted.ensureDeferred
async def test_without_rows_it_is_told_how_many_were_changed(database: Database) -> None:
    insert = none("insert into t values (%(first)s), (%(second)s)")

    async def work(transaction: Transaction) -> list[Any]:
        await transaction.run("create temporary table t (body bytea) on commit drop")
        return [
            await insert(transaction, first=b"a", second=b"b"),
            await many(column, "select body from t where false")(transaction),
            await many(column, "select body from t order by body")(transaction),
        ]

    assert await database.transaction(work) == [2, [], [b"a", b"b"]]


@pytest_twisted.ensureDeferred
async def test_a_statement_is_prepared_once_on_each_connection(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    for n in range(3):
        assert await _echo(database, value=b"%d" % n) == b"%d" % n
    prepared = "select count(*) from pg_prepared_statements"
    assert await database.fetch(prepared) == [(1,)]


@pytest_twisted.ensureDeferred
async def test_a_statement_whose_preparing_was_given_up_works_all_the_same(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    preparing = ensureDeferred(_echo(database, value=b"never"))
    preparing.cancel()
    with suppress(CancelledError):  # on a busy machine it is answered before that
        await preparing
    assert await _echo(database, value=b"now") == b"now"


@pytest_twisted.ensureDeferred
async def test_texts_and_declared_statements_take_turns_on_one_connection(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()

    async def plain(n: int) -> bytes:
        ((found,),) = await database.fetch(f"select '{n}'::bytea")
        return bytes(found)

    running = [
        ensureDeferred(_echo(database, value=b"%d" % n) if n % 2 else plain(n)) for n in range(100)
    ]
    assert await gatherResults(running) == [b"%d" % n for n in range(100)]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("do $$ begin raise sqlstate '53100'; end $$", StorageFullError),
        ("do $$ begin raise sqlstate '40P01'; end $$", UnavailableError),
        ("do $$ begin raise sqlstate '23505'; end $$", StatementError),
        ("select nonsense", StatementError),
        ("select 'of a type that is not read'::point", StatementError),
        ("select 1; select 2", StatementError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_errors_are_those_of_other_statements(
    server: Server, connect: Connect, sql: str, error: type[MailsacdError]
) -> None:
    database = connect(server.dsn)
    await database.start()
    before = await _pid(database)
    for _ in range(2):
        with pytest.raises(MailsacdError) as raised:
            await one(column, sql)(database)
        assert type(raised.value) is error
    assert await _pid(database) == before


@pytest_twisted.ensureDeferred
async def test_a_server_process_that_dies_is_replaced(server: Server, connect: Connect) -> None:
    database, other = connect(server.dsn), connect(server.dsn)
    await database.start()
    await other.start()
    pid = await _pid(database)
    running = ensureDeferred(_sleep(database, s="60"))
    await other.fetch(f"select pg_terminate_backend({pid})")
    with pytest.raises(UnavailableError):
        await running
    assert await _pid(database) != pid


@pytest_twisted.ensureDeferred
async def test_a_connection_that_broke_unnoticed_is_told(server: Server, connect: Connect) -> None:
    database, other = connect(server.dsn), connect(server.dsn)
    await database.start()
    await other.start()
    pid = await _pid(database)
    await other.fetch(f"select pg_terminate_backend({pid}, 5000)")
    failed = 0
    for _ in range(20):
        try:
            await _echo(database, value=bytes(1_000_000))
        except UnavailableError:
            failed += 1
    assert failed <= 1


@pytest_twisted.ensureDeferred
async def test_a_frozen_server_is_hung_up_on_in_the_middle_of_a_large_value(
    frozen: tuple[Database, int],
) -> None:
    database, _ = frozen
    with pytest.raises(UnavailableError):
        await _echo(database, value=bytes(20_000_000))

    async def echo() -> bytes:
        while True:  # a busy machine is not as quick as these have to be
            with suppress(UnavailableError):
                return await _echo(database, value=b"again")

    assert await ensureDeferred(echo()).addTimeout(PATIENCE_S, reactor) == b"again"


@pytest_twisted.ensureDeferred
async def test_giving_up_frees_the_caller_at_once_and_the_connection_later(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    await _sleep(database, s="0")
    sleeping = ensureDeferred(_sleep(database, s="0.2"))
    await deferLater(reactor, 0)
    sleeping.cancel()
    with pytest.raises(CancelledError):
        await sleeping
    assert await _echo(database, value=b"1") == b"1"


@pytest_twisted.ensureDeferred
async def test_a_psycopg2_that_hides_its_libpq_is_told_in_one_line(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg2._psycopg, "__file__", msgspec._core.__file__)  # which has no libpq
    libpq.cache_clear()
    try:
        with pytest.raises(ConfigurationError) as refused:
            await connect(server.dsn).start()
    finally:
        libpq.cache_clear()
    assert "install psycopg2-binary" in refused.value.public
    assert "\n" not in refused.value.public
