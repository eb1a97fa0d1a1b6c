"""Statements around backup and restore; the copying itself is done by PostgreSQL's programs."""

from typing import Final

from mailsacd.core.errors import ConflictError
from mailsacd.store.pool import Database
from mailsacd.store.sql import column, one

_ASIDE: Final = "before_restore"

_server_version: one[str] = one(column, "select current_setting('server_version_num')")
_schema_version: one[int] = one(column, "select max(number) from schema_migration")
_others: one[int] = one(
    column,
    """select count(*) from pg_stat_activity
       where datname = current_database() and application_name = 'mailsacd'
         and pid <> pg_backend_pid()""",
)


async def server_major(database: Database) -> int:
    """Return the major version of the PostgreSQL server."""
    return int(await _server_version(database)) // 10_000


async def schema_version(database: Database) -> int:
    """Return the number of the last migration that was applied."""
    return await _schema_version(database)


async def set_aside(database: Database) -> None:
    """Move the schema out of the way of the one to be restored.

    Raises ConflictError while another mailsacd is connected: it would go on with the old ones.
    """
    if await _others(database):
        raise ConflictError("another mailsacd uses the database: stop every one of them first")
    await database.run(
        f"drop schema if exists {_ASIDE} cascade; alter schema public rename to {_ASIDE}"
    )


async def put_back(database: Database) -> None:
    """Undo `set_aside`, and drop what was restored."""
    await database.run(
        f"drop schema if exists public cascade; alter schema {_ASIDE} rename to public"
    )


async def drop_aside(database: Database) -> None:
    """Drop the tables that were set aside."""
    await database.run(f"drop schema {_ASIDE} cascade")
