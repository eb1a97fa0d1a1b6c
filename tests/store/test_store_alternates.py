"""Alternates and the server's secret."""

import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.store.alternates import find_alternate, remember_alternate, server_secret
from mailsacd.store.pool import Database


@pytest_twisted.ensureDeferred
async def test_an_alternate_stands_for_the_address_it_was_first_made_for(
    database: Database,
) -> None:
    assert await find_alternate(database, "inbox-0") is None
    await remember_alternate(database, "inbox-0", "bob@example.com")
    await remember_alternate(database, "inbox-0", "bob@example.com")
    assert await find_alternate(database, "inbox-0") == "bob@example.com"


@pytest_twisted.ensureDeferred
async def test_all_nodes_have_the_same_secret(database: Database) -> None:
    asked = [ensureDeferred(server_secret(database)) for _ in range(4)]
    secrets = set(await gatherResults(asked))
    assert len(secrets) == 1
    assert {len(secret) for secret in secrets} == {32}
    assert {await server_secret(database)} == secrets
