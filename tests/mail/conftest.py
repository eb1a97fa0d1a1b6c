"""Nodes that hear of each other's changes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor

from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.property import Node, add_accounts, make_node
from tests.outbound.name_server import Network
from tests.patience import until

reactor: Any = the_reactor


@pytest_twisted.async_yield_fixture
async def node(database: Database, database_dsn: str, network: Network) -> AsyncIterator[Node]:
    """A node that listens, with the accounts ann and bob."""
    await add_accounts(database, "ann", "bob")
    notices = Notices(database_dsn, LANES.rest, reactor=reactor)
    made = make_node(database, notices, network.resolver(), reactor)
    notices.start()
    await until(lambda: notices.listening)
    yield made
    await notices.stop()
