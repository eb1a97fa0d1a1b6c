"""A store with the limits of the manual and the accounts ann and bob."""

from collections.abc import AsyncIterator

import pytest_twisted

from mailsacd.store.pool import Database
from tests.mail.property import add_accounts
from tests.mail.recycling.store_room import StoreRoom, store_room


@pytest_twisted.async_yield_fixture
async def room(database: Database, database_dsn: str) -> AsyncIterator[StoreRoom]:
    """The store."""
    await add_accounts(database, "ann", "bob")
    yield await store_room(database, database_dsn)
