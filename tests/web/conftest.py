"""Somebody who looks at the pages of a daemon."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.daemon import RunningDaemon
from tests.web.client import Client
from tests.web.mails import new_address


@pytest.fixture
def client(pages_daemon: RunningDaemon) -> Iterator[Client]:
    """A browser without scripts, that has never been here."""
    with Client(pages_daemon) as looking:
        yield looking


@pytest.fixture
def inbox(client: Client) -> str:
    """The inbox of an account that has signed in."""
    client.sign_up()
    return client.reserve(new_address())
