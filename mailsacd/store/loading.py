"""Puts the rows of a dump into empty tables, by statements that are made here.

It has a connection of its own that blocks, since the driver copies by no other: it is to be called
in a thread.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import psycopg2
from psycopg2 import sql

from mailsacd.core.errors import InvalidInputError
from mailsacd.store.archive import BESIDE, Table
from mailsacd.store.dump import Dump, Rows

_CHUNK_BYTES: Final = 131_072  # more than a Rows gives at a time


def load(dump: Dump, tables: Sequence[Table], parameters: Mapping[str, str]) -> None:
    """Fill ``tables`` of the schema BESIDE from ``dump``: all of them, or none.

    ``parameters`` are libpq's. Raises InvalidInputError for rows that do not go into a table, and
    for a table that the dump does not have.
    """
    try:
        connection = psycopg2.connect(**parameters)
        try:
            with connection, connection.cursor() as cursor:
                for table in tables:
                    cursor.execute(_triggers("disable", table))
                    with dump.rows(table.name) as rows:
                        cursor.copy_expert(_statement(table, rows), rows, _CHUNK_BYTES)
                    cursor.execute(_triggers("enable", table))
        finally:
            connection.close()
    except psycopg2.Error as e:
        raise InvalidInputError(" ".join(str(e).split())) from e


def _triggers(change: str, table: Table) -> sql.Composed:
    """What triggers would write is in the dump already."""
    name = sql.Identifier(BESIDE, table.name)
    return sql.SQL("alter table {} {} trigger user").format(name, sql.SQL(change))


def _statement(table: Table, rows: Rows) -> sql.Composed:
    if len(rows.columns) != len(table.columns) or set(rows.columns) != table.columns:
        raise InvalidInputError(f"the table {table.name} has other columns in it")
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    name = sql.Identifier(BESIDE, table.name)
    return sql.SQL("copy {} ({}) from stdin").format(name, columns)
