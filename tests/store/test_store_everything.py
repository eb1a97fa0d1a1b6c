"""How much there is of what: exact, but for very many addresses."""

import pytest_twisted

from mailsacd.store.pool import Database
from mailsacd.store.statistics import EXACT_ADDRESSES, count_everything

_KNOWN = "update pg_class set reltuples = %s where oid = 'address'::regclass"


@pytest_twisted.ensureDeferred
async def test_very_many_addresses_are_not_counted(database: Database) -> None:
    counted = await count_everything(database)
    assert counted["addresses"] == 0
    assert counted["databaseBytes"] > 0
    try:
        await database.run(_KNOWN, (EXACT_ADDRESSES,))
        assert (await count_everything(database))["addresses"] == 0
        await database.run(_KNOWN, (EXACT_ADDRESSES * 2,))
        assert (await count_everything(database))["addresses"] == EXACT_ADDRESSES * 2
    finally:
        await database.run("analyze address")
