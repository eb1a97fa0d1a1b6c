"""Binary parameters and results: bytes go and come as they are, and errors as from text."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, ensureDeferred, gatherResults
from twisted.internet.task import deferLater

from mailsacd.core.errors import MailsacdError, StatementError, StorageFullError, UnavailableError
from mailsacd.store.pool import Database, Transaction
from mailsacd.store.sql import column, many, one
from tests.store.conftest import Server

Connect = Callable[..., Database]

_CHANCE = random.Random(1939)
_bytes_of: one[bytes] = one(column, "select decode(%(hex)s::text, 'hex')", binary=True)


@pytest.mark.parametrize(
    "value",
    [b"", b"\0", b"'\\", bytes(range(256)), _CHANCE.randbytes(70_000), bytes(20_000_000)],
    ids=len,
)
@pytest_twisted.ensureDeferred
async def test_any_bytes_come_back(database: Database, value: bytes) -> None:
    rows, count = await database.run_binary(b"select $1, length($1)", [value])
    assert (rows, count) == ([(value, len(value))], 1)


@pytest_twisted.ensureDeferred
async def test_many_values_go_at_once_and_stay_in_order(database: Database) -> None:
    values = [_CHANCE.randbytes(_CHANCE.randrange(5_000)) for _ in range(200)]
    numbered = ",".join(f"(${n})" for n in range(1, 201))
    rows, _ = await database.run_binary(f"select * from (values {numbered}) v".encode(), values)
    assert [row for (row,) in rows] == values


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("null::text", None),
        ("''", ""),
        ("'\U0001f4e7 ä'", "\U0001f4e7 ä"),
        ("null::bytea", None),
        ("true", True),
        ("false", False),
        ("-1", -1),
        ("(-9223372036854775808)::bigint", -(2**63)),
        ("2147483647", 2**31 - 1),
        ("'{}'::text[]", []),
        ("array['a','','ä',null]", ["a", "", "ä", None]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_values_of_each_type(database: Database, sql: str, expected: object) -> None:
    assert await database.run_binary(f"select {sql}".encode(), ()) == ([(expected,)], 1)


@pytest_twisted.ensureDeferred
async def test_without_rows_it_is_told_how_many_were_changed(database: Database) -> None:
    async def work(transaction: Transaction) -> list[Any]:
        create = b"create temporary table t (body bytea) on commit drop"
        return [
            await transaction.run_binary(create, ()),
            await transaction.run_binary(b"insert into t values ($1), ($2)", [b"a", b"b"]),
            await transaction.run_binary(b"select body from t where false", ()),
        ]

    assert await database.transaction(work) == [([], 0), ([], 2), ([], 0)]


@pytest_twisted.ensureDeferred
async def test_declared_statements_with_binary_rows(server: Server, connect: Connect) -> None:
    pairs: many[tuple[str, bytes]] = many(
        lambda name, body: (name, body),
        "select name, convert_to(name, 'UTF8') from unnest(%(names)s::text[]) as t (name)",
        binary=True,
    )
    database = connect(server.dsn)
    await database.start()
    for _ in range(2):
        assert await pairs(database, names=["it's", "ä"]) == [
            ("it's", b"it's"),
            ("ä", "ä".encode()),
        ]
    await database.run("deallocate all")  # as behind a connection pooler
    assert await _bytes_of(database, hex="00ff") == b"\0\xff"
    assert await pairs(database, names=[]) == []


@pytest_twisted.ensureDeferred
async def test_texts_and_binary_take_turns_on_one_connection(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    running = [
        ensureDeferred(
            database.run_binary(b"select $1", [b"%d" % n])
            if n % 2
            else database.run(f"select '{n}'::bytea")
        )
        for n in range(100)
    ]
    found = await gatherResults(running)
    assert [bytes(rows[0][0]) for rows, _ in found] == [b"%d" % n for n in range(100)]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("do $$ begin raise sqlstate '53100'; end $$", StorageFullError),
        ("do $$ begin raise sqlstate '40P01'; end $$", UnavailableError),
        ("do $$ begin raise sqlstate '23505'; end $$", StatementError),
        ("select nonsense", StatementError),
        ("select 'of a type that is not read'::point", StatementError),
        ("select now()", StatementError),
        ("select '\0'", StatementError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_errors_are_those_of_other_statements(
    server: Server, connect: Connect, sql: str, error: type[MailsacdError]
) -> None:
    database = connect(server.dsn)
    await database.start()
    ((before,),) = await database.fetch("select pg_backend_pid()")
    with pytest.raises(MailsacdError) as raised:
        await database.run_binary(sql.encode(), ())
    assert type(raised.value) is error
    assert await database.run_binary(b"select pg_backend_pid()", ()) == ([(before,)], 1)


@pytest_twisted.ensureDeferred
async def test_a_server_process_that_dies_is_replaced(server: Server, connect: Connect) -> None:
    database, other = connect(server.dsn), connect(server.dsn)
    await database.start()
    await other.start()
    ((pid,),) = await database.fetch("select pg_backend_pid()")
    running = ensureDeferred(database.run_binary(b"select $1, pg_sleep(60)::text", [b"x"]))
    await other.fetch(f"select pg_terminate_backend({pid})")
    with pytest.raises(UnavailableError):
        await running
    ((now,),), _ = await database.run_binary(b"select pg_backend_pid()", ())
    assert now != pid


@pytest_twisted.ensureDeferred
async def test_a_connection_that_broke_unnoticed_is_told(server: Server, connect: Connect) -> None:
    database, other = connect(server.dsn), connect(server.dsn)
    await database.start()
    await other.start()
    ((pid,),) = await database.fetch("select pg_backend_pid()")
    ended = other.fetch(f"select pg_terminate_backend({pid}, 5000)")
    await ended
    failed = 0
    for _ in range(20):
        try:
            await database.run_binary(b"select $1", [bytes(1_000_000)])
        except UnavailableError:
            failed += 1
    assert failed <= 1


@pytest_twisted.ensureDeferred
async def test_a_frozen_server_is_hung_up_on_in_the_middle_of_a_large_value(
    frozen: tuple[Database, int],
) -> None:
    database, _ = frozen
    with pytest.raises(UnavailableError):
        await database.run_binary(b"select $1", [bytes(20_000_000)])
    assert await database.run_binary(b"select $1", [b"again"]) == ([(b"again",)], 1)


@pytest_twisted.ensureDeferred
async def test_giving_up_frees_the_caller_at_once_and_the_connection_later(
    server: Server, connect: Connect
) -> None:
    database = connect(server.dsn)
    await database.start()
    sleeping = ensureDeferred(database.run_binary(b"select pg_sleep(0.2)::text", ()))
    await deferLater(reactor, 0)
    sleeping.cancel()
    with pytest.raises(CancelledError):
        await sleeping
    assert await database.run_binary(b"select 1", ()) == ([(1,)], 1)
