"""What all tests of MCP over sockets share."""

from collections.abc import AsyncIterator

import pytest_twisted

from mailsacd.store.pool import Database
from tests.http.society import Society, society


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn) as made:
        yield made
