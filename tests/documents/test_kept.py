"""Each table of the database is on the page that says what is kept, and what bounds it."""

import re
from pathlib import Path

import pytest_twisted

from mailsacd.store.pool import Database

PAGE = Path(__file__).parents[2] / "docs" / "retention.md"
COLUMNS = 5


def _rows() -> dict[str, list[str]]:
    """The cells of the table, by the names in its first column."""
    _, _, table = PAGE.read_text(encoding="utf-8").partition("## Everything that is kept")
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return {name: row for row in cells for name in re.findall(r"`(\w+)`", row[0])}


@pytest_twisted.ensureDeferred
async def test_every_table_is_on_the_page_with_its_bound(database: Database) -> None:
    there = await database.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = _rows()
    assert {name for (name,) in there} == set(rows)
    assert [name for name, row in rows.items() if len(row) != COLUMNS or "" in row] == []
