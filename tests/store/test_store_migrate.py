"""Migrations from nothing and from each version before, by one daemon and by two."""

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.errors import ConfigurationError, StatementError
from mailsacd.store import migrate as module
from mailsacd.store.migrate import Migration, migrate, migrations
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.conftest import Open

ALL = len(migrations())

# Rows for the tables of a migration, which are there when the next one comes
_DATA = {
    1: """insert into raw_message (id, received, body, size, refs)
          values ('e', now(), '\\xff', 9, 1);
          insert into message (inbox, id, raw_id, domain, received, facts)
          values ('bob@example.com', 'e-0', 'e', 'example.com', now(), '{}')""",
    2: """insert into alternate (local, address) values ('inbox-0', 'bob@example.com');
          insert into server_secret (value) values (decode(repeat('ab', 32), 'hex'))""",
}


async def fill(database: Database, number: int) -> None:
    for made_by, data in _DATA.items():
        if made_by <= number:
            await database.run(data)


async def counts(database: Database, number: int) -> list[int]:
    tables = {1: ("raw_message", "message"), 2: ("alternate", "server_secret")}
    return [
        (await database.fetch(f"select count(*) from {table}"))[0][0]
        for made_by, made in tables.items()
        if made_by <= number
        for table in made
    ]


def test_no_two_migrations_have_a_number_and_none_is_left_out() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, ALL + 1))


@pytest_twisted.ensureDeferred
async def test_an_empty_database_gets_the_whole_schema_once(open_empty: Open) -> None:
    database = await open_empty()
    assert await migrate(database, {}) == ALL
    assert await migrate(database, {}) == 0
    rows = await database.fetch("select number from schema_migration order by number")
    assert rows == [(number + 1,) for number in range(ALL)]


@pytest.mark.parametrize("number", range(2, ALL + 1))
@pytest_twisted.ensureDeferred
async def test_a_database_of_the_version_before_is_upgraded_with_its_data(
    open_empty: Open, number: int
) -> None:
    database = await open_empty()
    assert await migrate(database, {}, upto=number - 1) == number - 1
    await fill(database, number - 1)
    before = await counts(database, number - 1)
    assert await migrate(database, {}, upto=number) == 1
    assert await counts(database, number - 1) == before
    assert before


@pytest_twisted.ensureDeferred
async def test_two_daemons_migrate_once_between_them(open_empty: Open) -> None:
    databases = [await open_empty() for _ in range(3)]
    done = await gatherResults([ensureDeferred(migrate(database, {})) for database in databases])
    assert sum(done) == ALL


@pytest_twisted.ensureDeferred
async def test_the_schema_of_a_newer_version_is_refused(open_empty: Open) -> None:
    database = await open_empty()
    await migrate(database, {})
    await database.run("insert into schema_migration values (%s, '9999_new.sql', 'x')", (ALL + 1,))
    with pytest.raises(ConfigurationError, match=r"newer mailsacd \(9999_new\.sql\)"):
        await migrate(database, {})


@pytest_twisted.ensureDeferred
async def test_a_migration_that_was_changed_afterwards_is_refused(open_empty: Open) -> None:
    database = await open_empty()
    await migrate(database, {})
    await database.run("update schema_migration set checksum = 'x' where number = 1")
    with pytest.raises(ConfigurationError, match=r"0001_messages\.sql"):
        await migrate(database, {})


@pytest_twisted.ensureDeferred
async def test_a_migration_that_fails_leaves_nothing_of_itself(
    open_empty: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await open_empty()
    broken = Migration(ALL + 1, "9999_broken.sql", "create table half (id int); select 1/0")
    known = [*migrations(), broken]
    monkeypatch.setattr(module, "migrations", lambda: known)
    with pytest.raises(StatementError):
        await migrate(database, {})
    assert await database.fetch("select to_regclass('half')") == [(None,)]
    assert await database.fetch("select max(number) from schema_migration") == [(ALL,)]


@pytest_twisted.ensureDeferred
async def test_a_step_in_code_is_done_before_its_migration_until_nothing_is_left(
    open_empty: Open,
) -> None:
    database = await open_empty()
    await migrate(database, {}, upto=1)
    seen = []

    async def step(transaction: Transaction) -> bool:
        seen.append(await transaction.fetch("select to_regclass('alternate')"))
        return len(seen) < 3

    assert await migrate(database, {1: step, 2: step}) == ALL - 1
    assert seen == [[(None,)]] * 3
