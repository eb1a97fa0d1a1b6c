"""Notices: they come when their transaction commits, and whoever listens knows when it does not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

from mailsacd.core.errors import ConfigurationError, StatementError
from mailsacd.store.notices import ACCOUNTS, DIRECTORY, Notices, give_notice
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES

reactor: Any = the_reactor


@dataclass
class Listener:
    """What came, and how often the connection was lost."""

    notices: Notices
    came: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    lost: int = 0

    def lose(self) -> None:
        self.lost += 1

    async def until(self, *expected: str) -> None:
        while tuple(self.came) != expected:
            assert tuple(self.came) == expected[: len(self.came)]
            await deferLater(reactor, 0.002)

    async def listening(self) -> None:
        while not self.notices.listening:
            await deferLater(reactor, 0.002)


@pytest_twisted.async_yield_fixture
async def listener(database_dsn: str) -> AsyncIterator[Listener]:
    made = Listener(Notices(database_dsn, LANES.rest, reactor=reactor))
    made.notices.subscribe(ACCOUNTS, made.came.append, made.lose)
    made.notices.subscribe(DIRECTORY, made.elsewhere.append, lambda: None)
    made.notices.start()
    await made.listening()
    yield made
    await made.notices.stop()


async def _hang_up(database: Database) -> None:
    await database.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'"
    )


@pytest_twisted.ensureDeferred
async def test_a_notice_comes_with_the_commit_to_its_channel(
    database: Database, listener: Listener
) -> None:
    async def work(transaction: Transaction) -> None:
        await give_notice(transaction, ACCOUNTS, "ann")
        await give_notice(database, ACCOUNTS, "before")
        await listener.until("before")

    await database.transaction(work)
    await listener.until("before", "ann")
    await give_notice(database, ACCOUNTS, 'it\'s \\ "é" $1 %s')
    await listener.until("before", "ann", 'it\'s \\ "é" $1 %s')
    assert listener.elsewhere == []


@pytest_twisted.ensureDeferred
async def test_what_is_rolled_back_gives_no_notice(database: Database, listener: Listener) -> None:
    async def work(transaction: Transaction) -> None:
        await give_notice(transaction, ACCOUNTS, "never")
        raise LookupError

    with pytest.raises(LookupError):
        await database.transaction(work)
    await give_notice(database, ACCOUNTS, "after")
    await listener.until("after")


@pytest_twisted.ensureDeferred
async def test_a_lost_connection_is_told_and_comes_back(
    database: Database, listener: Listener
) -> None:
    for times in (1, 2):
        await _hang_up(database)
        while listener.lost < times:
            await deferLater(reactor, 0.002)
        await listener.listening()
    await give_notice(database, ACCOUNTS, "again")
    await listener.until("again")
    assert listener.lost == 2


@pytest_twisted.ensureDeferred
async def test_stopping_ends_the_connection_for_good(
    database: Database, listener: Listener
) -> None:
    await listener.notices.stop()
    assert not listener.notices.listening
    assert listener.lost == 1
    await give_notice(database, ACCOUNTS, "unheard")
    rows = [(1,)]
    while rows != [(0,)]:
        rows = await database.fetch(
            "select count(*) from pg_stat_activity where query like 'listen %'"
        )
    assert listener.came == []


@pytest_twisted.ensureDeferred
async def test_stopping_while_connecting_is_clean(database_dsn: str) -> None:
    for steps in range(12):
        notices = Notices(database_dsn, LANES.rest, reactor=reactor)
        notices.subscribe(ACCOUNTS, lambda _: None, lambda: None)
        notices.start()
        for _ in range(steps):
            await deferLater(reactor, 0)
        await notices.stop()
        assert not notices.listening


@pytest_twisted.ensureDeferred
async def test_a_server_that_is_away_is_tried_again_and_again() -> None:
    notices = Notices("host=/nowhere dbname=x", LANES.rest, reactor=reactor)
    notices.subscribe(ACCOUNTS, lambda _: None, lambda: None)
    notices.start()
    for _ in range(20):
        await deferLater(reactor, 0)
    assert not notices.listening
    await notices.stop()


@pytest_twisted.ensureDeferred
async def test_a_notice_that_is_too_long_is_refused(database: Database) -> None:
    with pytest.raises(StatementError):
        await give_notice(database, ACCOUNTS, "x" * 8000)


def test_a_bad_dsn_is_not_quoted() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Notices("password=s3cret x", LANES.rest, reactor=reactor)
    assert "s3cret" not in caught.value.public
