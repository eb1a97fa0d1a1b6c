"""Statements around backup and restore.

What is restored is put into a schema of its own beside the one in use, and takes its place when it
is whole. Until then nothing of what is there is touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailsacd.core.errors import ConfigurationError, ConflictError
from mailsacd.store.pool import Database
from mailsacd.store.sql import column, many, one
from mailsacd.store.transaction import Transaction

BESIDE: Final = "mailsacd_restoring"
"""The schema that is filled by a restore."""

_NOT_THERE: Final = (
    "raw messages are distributed in the {0}: restore into a new database, without Citus,"
    " and bring it there by `mailsacd migrate --distribute`"
)
_SWAP_TIMEOUT_S: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the schema in use, with the columns that are written."""

    name: str
    columns: frozenset[str]


_server_version: one[str] = one(column, "select current_setting('server_version_num')")
_schema_version: one[int] = one(column, "select max(number) from schema_migration")
_has_schema: one[bool] = one(column, "select to_regclass('schema_migration') is not null")
_others: one[int] = one(
    column,
    """select count(*) from pg_stat_activity
       where datname = current_database() and application_name = 'mailsacd'
         and pid <> pg_backend_pid()""",
)
# Those that refer to others come after them: foreign keys are looked at row by row
_tables = many(
    lambda name, columns: Table(name=name, columns=frozenset(columns)),
    """with recursive here as (
           select oid, relname from pg_class
           where relnamespace = current_schema()::regnamespace and relkind = 'r'
       ), placed as (
           select oid, 0 as place from here
           union
           select conrelid, place + 1 from placed
           join pg_constraint on contype = 'f' and confrelid = placed.oid and conrelid <> confrelid
       )
       select relname::text, array(
           select attname::text from pg_attribute
           where attrelid = here.oid and attnum > 0 and not attisdropped and attgenerated = '')
       from here join placed using (oid)
       group by here.oid, relname order by max(place), relname""",
)
_names: many[str] = many(
    column,
    """select relname::text from pg_class where relnamespace = current_schema()::regnamespace
       union
       select proname::text from pg_proc where pronamespace = current_schema()::regnamespace""",
)


async def server_major(database: Database) -> int:
    """Return the major version of the PostgreSQL server."""
    return int(await _server_version(database)) // 10_000


async def has_schema(database: Database) -> bool:
    """Return whether mailsacd's schema was ever begun in ``database``."""
    return await _has_schema(database)


async def schema_version(database: Database) -> int:
    """Return the number of the last migration that was applied."""
    return await _schema_version(database)


async def tables_to_fill(database: Database) -> Sequence[Table]:
    """Return all tables of the schema in use but the one of its migrations.

    A table comes after those that its foreign keys refer to.
    """
    return [table for table in await _tables(database) if table.name != "schema_migration"]


async def names_in_use(database: Database) -> frozenset[str]:
    """Return the names of all tables, indexes, types and functions of the schema in use."""
    return frozenset(await _names(database))


async def make_beside(database: Database) -> None:
    """Make the schema BESIDE anew, empty.

    Raises ConflictError while another mailsacd is connected: it would go on with the old tables.
    Raises ConfigurationError where Citus has made itself at home in the schema in use.
    """
    if database.is_distributed:
        raise ConfigurationError(_NOT_THERE.format(database.target))
    await database.transaction(check_alone)
    await drop_beside(database)
    await database.run(f"create schema {BESIDE}")


async def drop_beside(database: Database) -> None:
    """Drop the schema BESIDE with all that is in it, if it is there."""
    await database.run(f"drop schema if exists {BESIDE} cascade")


async def take_into_use(database: Database) -> None:
    """Drop the schema in use, and put BESIDE into its place: both, or neither.

    Raises ConflictError as `make_beside` does.
    """

    async def swap(transaction: Transaction) -> None:
        await check_alone(transaction)
        await transaction.run(
            f"drop schema if exists public cascade; alter schema {BESIDE} rename to public"
        )

    await database.transaction(swap, statement_timeout_s=_SWAP_TIMEOUT_S)


async def check_alone(transaction: Transaction) -> None:
    """Raises ConflictError while another mailsacd is connected."""
    if await _others(transaction):
        raise ConflictError("another mailsacd uses the database: stop every one of them first")
