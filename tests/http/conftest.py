"""Sites that listen, and that leave nothing behind."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IListeningPort

reactor: Any = the_reactor


@pytest_twisted.async_yield_fixture
async def listen() -> AsyncIterator[Callable[[Any], int]]:
    """Has a site listen on a free port of the loopback, and tells which."""
    ports: list[IListeningPort] = []

    def start(site: Any) -> int:
        listening: Any = reactor.listenTCP(0, site, interface="127.0.0.1")
        ports.append(listening)
        return int(listening.getHost().port)

    yield start
    for port in ports:
        await maybeDeferred(port.stopListening)
