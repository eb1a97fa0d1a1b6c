"""The database's columns have what texts have that are folded here, where that is said of them."""

import sys

import pytest_twisted

from mailsacd.core.folding import fold, is_folded_in_columns
from mailsacd.store.pool import Database


@pytest_twisted.ensureDeferred
async def test_what_is_said_of_columns_is_so(database: Database) -> None:
    characters = [c for c in map(chr, range(1, sys.maxunicode + 1)) if fold(c) != c or c.isascii()]
    rows, _ = await database.run("select c, folded(c) from unnest(%s::text[]) c", (characters,))
    folded: dict[str, str] = dict(rows)
    assert len(folded) == len(characters) > 1_400
    differs = {c for c in characters if folded[c] != fold(c)}
    assert {"Ề", "Հ", "ς"} <= differs
    assert not [c for c in differs if is_folded_in_columns(fold(c))]
    assert is_folded_in_columns(fold("GRÜN Ærø Ґ İ \u212a \u212b 注文 שלום"))
