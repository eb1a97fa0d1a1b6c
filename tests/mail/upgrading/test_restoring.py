"""Restoring takes rows out of a dump, and has PostgreSQL do nothing that the dump asks for."""

import subprocess
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from psycopg2.extensions import make_dsn
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred

from mailsacd.core.errors import InvalidInputError
from mailsacd.embedded.binaries import find_program
from mailsacd.mail.upgrading.restoring import recognised, refill
from mailsacd.mail.upgrading.schema import STEPS
from mailsacd.store.archive import BESIDE, drop_beside, make_beside, take_into_use
from mailsacd.store.counts import differences, total
from mailsacd.store.dump import Dump
from mailsacd.store.migrate import migrate, migrations
from mailsacd.store.pool import Database
from mailsacd.store.target import dsn_for_schema
from tests.lanes import LANES
from tests.store.test_store_migrate import counts, fill

reactor: Any = the_reactor

ALL = len(migrations())
ANY = 3  # which has accounts

Make = Callable[[int], Awaitable[Database]]


@pytest.fixture
def mark(workspace: Path) -> Path:
    """A file that PostgreSQL could make."""
    workspace.chmod(0o777)
    return workspace / "mark"


@pytest.fixture(scope="module")
def _two(database_dsn: str) -> Iterator[list[Database]]:
    """Two databases of these tests alone: making them takes longer than emptying them."""
    opened: list[Database] = []

    async def make() -> None:
        server = await _opened(make_dsn(database_dsn, application_name="test"))
        for name in ("there", "here"):
            await server.run(f"create database {name} template template0")
            opened.append(
                await _opened(make_dsn(database_dsn, dbname=name, application_name="test"))
            )
        await server.stop()

    _wait(make())
    yield opened
    for each in opened:
        _wait(each.stop())


@pytest_twisted.async_fixture
async def make(_two: list[Database]) -> Make:
    """Makes up to two databases whose schema is at a number; 0 is none."""
    left = list(_two)
    for each in left:
        await each.run("drop event trigger if exists evil; drop schema public cascade")
        await each.run("create schema public")

    async def make(number: int) -> Database:
        made = left.pop(0)
        if number:
            await migrate(made, STEPS, upto=number)
        return made

    return make


def _wait(work: Coroutine[Any, Any, None]) -> None:
    pytest_twisted.blockon(Deferred.fromCoroutine(work))


async def _opened(dsn: str) -> Database:
    opened = Database(dsn, LANES.rest, connections=1, statement_timeout_s=30, reactor=reactor)
    await opened.start()
    return opened


async def dumped(database: Database, file: Path, *options: str) -> Path:
    """Dump ``database`` as older versions did: its schema public, or by other ``options``."""
    pg_dump = await find_program("pg_dump", 0, wanted="")
    chosen = options or ("--schema=public", "--no-owner", "--no-privileges")
    environment = database.target.environment()
    command = [str(pg_dump), "--format=custom", *chosen, "--file", str(file)]
    await LANES.rest.run_in_thread(lambda: subprocess.run(command, check=True, env=environment))
    return file


async def restored(database: Database, file: Path) -> Sequence[str]:
    """Restore ``file`` into ``database``. Returns what was left out."""
    known = recognised(Dump(file, await find_program("pg_restore", 0, wanted="")))
    await make_beside(database)
    dsn = " ".join(
        f"{name}='{value}'" for name, value in (await database.target.parameters()).items()
    )
    beside = await _opened(dsn_for_schema(dsn, BESIDE, application_name="test"))
    try:
        left_out = await refill(known, beside, await beside.target.parameters(), LANES.rest)
    except BaseException:
        await drop_beside(database)
        raise
    finally:
        await beside.stop()
    await take_into_use(database)
    return left_out


async def accounts(database: Database) -> list[str]:
    return [name for (name,) in await database.fetch("select name from account order by name")]


async def is_made(mark: Path) -> bool:
    """Whether there is that file."""
    return await LANES.rest.run_in_thread(mark.exists)


async def add_account(database: Database, name: str) -> None:
    await database.run(
        "insert into account (name, email, plan) values (%s, %s, 'default')", (name, f"{name}@d")
    )


@pytest.mark.parametrize("number", [1, 5, 9, 12, 14, ALL])
@pytest_twisted.ensureDeferred
async def test_a_dump_of_each_version_is_restored_and_brought_up_to_date(
    make: Make, workspace: Path, number: int
) -> None:
    old = await make(number)
    await fill(old, number)
    here = await make(ANY)
    assert await restored(here, await dumped(old, workspace / "dump")) == []
    assert await counts(here, number) == await counts(old, number)
    assert await here.fetch("select max(number) from schema_migration") == [(ALL,)]


@pytest_twisted.ensureDeferred
async def test_what_is_restored_has_each_value_as_it_was(make: Make, workspace: Path) -> None:
    old, here = await make(ALL), await make(0)
    odd = "a\tb\nc\\.\n\\.\r\n\\N 'é' \u2028"
    await add_account(old, "ann")
    await old.run(
        "insert into raw_message (id, received, body, size, refs) values ('e', now(), %s, 9, 1)",
        (bytes(range(256)) * 1_000,),
    )
    await old.run("update account set labels = %s, email = %s", ([odd, ""], odd))
    await restored(here, await dumped(old, workspace / "dump"))
    for table in ("account", "raw_message"):
        query = f"select {table}::text from {table}"
        assert await here.fetch(query) == await old.fetch(query)


@pytest_twisted.ensureDeferred
async def test_counts_are_those_of_the_messages_whatever_the_dump_says(
    make: Make, workspace: Path
) -> None:
    old, here = await make(ALL), await make(0)
    await fill(old, 1)
    await old.run("update mail_count set held = 7; update count_change set held = 5")
    await restored(here, await dumped(old, workspace / "dump"))
    assert await differences(here) == []
    assert (await total(here)).held == 1


HOSTILE = (
    """create function evil() returns trigger language plpgsql as $$ begin
           copy (select 1) to program 'cat >{mark}'; return new; end $$;
       create trigger evil before insert on account for each row execute function evil()""",
    """create function evil() returns text language plpgsql as $$ begin
           copy (select 1) to program 'cat >{mark}'; return ''; end $$;
       alter table denylist alter reason set default evil();
       create view seen as select evil();
       create materialized view kept as select 1 as one;
       create rule evil as on insert to account do also select evil()""",
    """create function touch() returns text language plpgsql as $$ begin
           copy (select 1) to program 'cat >{mark}'; return ''; end $$;
       create function evil(words text) returns text immutable language plpgsql as $$
           begin return public.touch(); end $$;
       create or replace function folded(words text) returns text immutable language plpgsql as $$
           begin return public.touch(); end $$;
       create index evil on denylist (evil(reason))""",
    """create function evil() returns event_trigger language plpgsql as $$ begin
           copy (select 1) to program 'cat >{mark}'; end $$;
       create event trigger evil on ddl_command_end execute function evil()""",
    "create extension if not exists plpgsql; create role evil superuser; alter table account owner"
    " to evil; create policy evil on account using (true); alter table account enable row level"
    " security; alter table account force row level security",
)


@pytest.mark.parametrize("statements", HOSTILE)
@pytest_twisted.ensureDeferred
async def test_nothing_that_a_dump_would_do_is_done(
    make: Make, workspace: Path, mark: Path, statements: str
) -> None:
    there, here = await make(ALL), await make(ANY)
    await add_account(there, "eve")
    await there.run("insert into denylist (entry) values ('eve')")
    await there.run(statements.format(mark=mark))
    try:
        file = await dumped(there, workspace / "dump", "--encoding=UTF8")
        await there.run(f"copy (select 1) to program 'cat >/dev/null; rm -f {mark}'")
        await restored(here, file)
    finally:
        if "role evil" in statements:
            await there.run("reassign owned by evil to current_user; drop role evil")
    assert await accounts(here) == ["eve"]
    await add_account(here, "bob")
    await here.run("insert into denylist (entry) values ('bob'); create table other ()")
    assert not await is_made(mark)
    assert await here.fetch("select count(*) from pg_proc where proname = 'evil'") == [(0,)]
    assert await here.fetch("select count(*) from pg_event_trigger") == [(0,)]
    assert await here.fetch(
        "select count(*) from pg_class where relowner <> (select oid from pg_roles"
        " where rolname = current_user) or relname in ('seen', 'kept') or relrowsecurity"
    ) == [(0,)]


@pytest_twisted.ensureDeferred
async def test_what_is_left_out_of_a_dump_is_told(make: Make, workspace: Path) -> None:
    there, here = await make(ALL), await make(ANY)
    await there.run(
        "create table mine (n integer); create view seen as select 1;"
        "create function twice(n integer) returns integer language sql as 'select 2 * n';"
        "create index on account (plan)"
    )
    assert await restored(here, await dumped(there, workspace / "dump")) == [
        "function twice(integer)", "index account_plan_idx", "table data mine", "table mine",
        "view seen",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "copy",
    [
        b"COPY denylist FROM PROGRAM 'touch %s';",
        b"COPY (SELECT 1) TO PROGRAM 'touch %s';",
        b"DROP TABLE account; -- %s",
        b"COPY public.account FROM stdin;",
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_command_in_the_place_of_the_one_for_the_rows_is_not_run(
    make: Make, workspace: Path, mark: Path, copy: bytes
) -> None:
    there, here = await make(ALL), await make(ANY)
    await add_account(here, "ann")
    file = await dumped(there, workspace / "dump")
    usual = (
        b"COPY public.raw_message (id, received, body, size, refs, plain, wire_size) FROM stdin;"
    )
    doctored = copy.replace(b"%s", bytes(mark)).ljust(len(usual))
    assert len(doctored) == len(usual)
    whole = file.read_bytes()
    assert whole.count(usual) == 1
    file.write_bytes(whole.replace(usual, doctored))
    with pytest.raises(InvalidInputError, match="no rows of the table raw_message"):
        await restored(here, file)
    assert not await is_made(mark)
    assert await accounts(here) == ["ann"]


NOT_OURS = {
    "of something else": ("create table t (n integer); insert into t values (1)", "something else"),
    "of nothing": ("select 1", "something else"),
    "a namesake": ("create table schema_migration (n integer)", "which version"),
    "a namesake with rows": (
        "create table schema_migration (number text, name text, checksum text);"
        "insert into schema_migration values ('one', '', '')",
        "cannot be read",
    ),
    "another first migration": (
        "create table schema_migration (number integer, name text, checksum text);"
        "insert into schema_migration values (1, '0001_messages.sql', 'x')",
        "another 0001_messages.sql",
    ),
}


@pytest.mark.parametrize(("statements", "words"), NOT_OURS.values(), ids=NOT_OURS)
@pytest_twisted.ensureDeferred
async def test_a_dump_of_something_else_is_refused(
    make: Make, workspace: Path, statements: str, words: str
) -> None:
    there = await make(0)
    await there.run(statements)
    file = await dumped(there, workspace / "dump")
    with pytest.raises(InvalidInputError, match=words):
        recognised(Dump(file, await find_program("pg_restore", 0, wanted="")))


OTHERWISE = {
    "a newer version": (
        f"insert into schema_migration values ({ALL + 1}, '9999_new.sql', 'x')",
        r"newer mailsacd \(9999_new\.sql\)",
    ),
    "a gap": ("delete from schema_migration where number = 3", "which version"),
    "a table too few": ("drop table denylist", "no rows of the table denylist"),
    "a column too many": ("alter table denylist add column more text", "has other columns"),
    "a column too few": ("alter table denylist drop column reason", "has other columns"),
    "a column of another name": (
        'alter table denylist rename column reason to "reason) from stdin;"',
        "no rows of the table denylist",
    ),
    "a value of another type": (
        "alter table denylist alter created type text; insert into denylist values ('a', '', 'x')",
        "invalid input syntax for type timestamp",
    ),
    "rows that refer to none": (
        "alter table address drop constraint address_owner_fkey;"
        "insert into address (email, domain, owner) values ('a@d', 'd', 'ghost')",
        "address_owner_fkey",
    ),
}


@pytest.mark.parametrize(("statements", "words"), OTHERWISE.values(), ids=OTHERWISE)
@pytest_twisted.ensureDeferred
async def test_a_dump_that_does_not_fit_changes_nothing(
    make: Make, workspace: Path, statements: str, words: str
) -> None:
    there, here = await make(ALL), await make(ANY)
    await add_account(here, "ann")
    await there.run(statements)
    file = await dumped(there, workspace / "dump")
    with pytest.raises(InvalidInputError, match=words):
        await restored(here, file)
    assert await accounts(here) == ["ann"]
    assert await here.fetch(f"select to_regnamespace('{BESIDE}')::text") == [(None,)]


@pytest.mark.parametrize("part", [0.3, 0.9, 0.99])
@pytest_twisted.ensureDeferred
async def test_a_dump_that_is_cut_off_changes_nothing(
    make: Make, workspace: Path, part: float
) -> None:
    there, here = await make(ALL), await make(ANY)
    await add_account(here, "ann")
    await there.run(
        "insert into denylist select n::text, md5(n::text) from generate_series(1, 5000) n"
    )
    file = await dumped(there, workspace / "dump")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(InvalidInputError) as refused:
        await restored(here, file)
    assert "\n" not in refused.value.public
    assert await accounts(here) == ["ann"]


@pytest_twisted.ensureDeferred
async def test_a_restore_that_was_broken_off_leaves_the_old_and_may_be_repeated(
    make: Make, workspace: Path
) -> None:
    there, here = await make(ALL), await make(ANY)
    await add_account(here, "ann")
    await add_account(there, "bob")
    await make_beside(here)  # and then it was killed
    await here.run(f"create table {BESIDE}.account (name text)")
    assert await accounts(here) == ["ann"]
    await restored(here, await dumped(there, workspace / "dump"))
    assert await accounts(here) == ["bob"]
