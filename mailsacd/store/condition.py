"""How the database itself is: what a person who looks after it asks first."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from mailsacd.store.pool import Database
from mailsacd.store.sql import one


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """``version`` is PostgreSQL's server_version_num, ``schema`` the number of our migrations.

    ``size`` is in bytes, ``clock_ahead_s`` how far its clock is before ours. ``off`` names the
    settings without which a commit is not on the disk.
    """

    version: int
    schema: int
    size: int
    max_connections: int
    clock_ahead_s: float
    off: Sequence[str]


def _condition(
    version: int, schema: int, size: int, connections: int, ms: int, off: str
) -> Condition:
    return Condition(
        version=version,
        schema=schema,
        size=size,
        max_connections=connections,
        clock_ahead_s=ms / 1000 - time.time(),
        off=off.split(),
    )


_condition_of = one(
    _condition,
    """select current_setting('server_version_num')::int,
           (select max(number) from schema_migration),
           pg_database_size(current_database()),
           current_setting('max_connections')::int,
           (extract(epoch from clock_timestamp()) * 1000)::bigint,
           (select coalesce(string_agg(name, ' ' order by name), '') from pg_settings
            where name in ('fsync', 'full_page_writes', 'synchronous_commit')
                and setting = 'off')""",
)


async def condition_of(database: Database) -> Condition:
    """Return how the database is now. Raises UnavailableError."""
    return await _condition_of(database)
