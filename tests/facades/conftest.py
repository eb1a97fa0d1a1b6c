"""A daemon with the façades switched on."""

from collections.abc import AsyncIterator

import pytest_twisted

from mailsacd.store.pool import Database
from tests.http.society import Society, society
from tests.ws.listener import hang_up

FACADES = (
    "facades.mailpit_port=0",
    "facades.mailhog_port=0",
    'http.proxy_networks=["127.0.0.1"]',  # as with a proxy on the same machine
)


@pytest_twisted.async_yield_fixture
async def people(database: Database, database_dsn: str) -> AsyncIterator[Society]:
    async with society(database, database_dsn, *FACADES) as made:
        yield made
        await hang_up()
