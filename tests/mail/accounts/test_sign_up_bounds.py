"""What people can make us keep where sign-up is open: accounts, sessions and links are bounded."""

import pytest
import pytest_twisted

from mailsacd.core.errors import ForbiddenError, ThrottledError
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.accounts.reset_links import invitation_token, reset_token
from mailsacd.mail.accounts.sessions import SIGN_UPS_AT_ONCE
from mailsacd.store.pool import Database
from mailsacd.store.sessions import forget_expired
from tests.mail.people import People, people

PASSWORD = "correct horse"
PEER = "192.0.2.1"


async def _sign_up(node: People, name: str, peer: str = PEER) -> None:
    await node.sessions.sign_up(name, f"{name}@e.example", PASSWORD, invitation=None, peer=peer)


@pytest_twisted.ensureDeferred
async def test_there_are_so_many_accounts_at_most_but_for_the_operator(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn, sign_up="open", max_sign_ups=1) as node:
        await _sign_up(node, "ann")
        with pytest.raises(ForbiddenError, match="no room"):
            await _sign_up(node, "bob")
        await node.accounts.add("bob", "bob@e.example")


@pytest_twisted.ensureDeferred
async def test_a_network_signs_up_so_often_at_once(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Guesses, "spend", lambda *_: None)
    async with people(database, database_dsn, sign_up="open") as node:
        for n in range(SIGN_UPS_AT_ONCE):
            node.sessions._sign_ups.spend(PEER, str(n))
        with pytest.raises(ThrottledError) as refused:
            await _sign_up(node, "ann")
        assert refused.value.retry_after_s > 3_000
        await _sign_up(node, "ann", peer="192.0.2.2")
        await _sign_up(node, "bob", peer="127.0.0.1")


@pytest_twisted.ensureDeferred
async def test_sessions_and_links_that_are_over_are_deleted(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn, sign_up="open") as node:
        await _sign_up(node, "ann")
        await reset_token(database, "ann", 1)
        await invitation_token(database, 1)
        tables = ("session", "password_reset", "invitation")
        for there in (1, 0):
            await forget_expired(database)
            for table in tables:
                assert await database.fetch(f"select count(*) from {table}") == [(there,)]
                await database.run(f"update {table} set expires = now() - interval '1 second'")
