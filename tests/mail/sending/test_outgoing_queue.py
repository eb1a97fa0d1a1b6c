"""What is queued is changed, forgotten, and gone with its account."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.task import Clock

from mailsacd.core.errors import ConflictError
from mailsacd.core.outgoing import OutgoingRecipient
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.sending.outgoing_queue import OutgoingQueue
from mailsacd.mail.sending.queueing import Queueing
from mailsacd.store.outgoing_queue import BATCH, Selection, end_messages, lock_messages
from mailsacd.store.pool import Database
from mailsacd.store.removal import begin_removal, finish_removal
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.mail.people import people
from tests.mail.sending.test_queueing import NEW

DAY_S = 86_400


@dataclass
class House:
    database: Database
    queueing: Queueing
    queue: OutgoingQueue
    clock: Clock
    accounts: Accounts

    async def add(self, count: int, account: str = "ann") -> list[str]:
        new = replace(NEW, account=account)
        return [await self.queueing.queue(new, charged=False) for _ in range(count)]

    async def count(self, table: str = "outgoing_message", where: str = "true") -> int:
        rows = await self.database.fetch(f"select count(*) from {table} where {where}")
        return int(rows[0][0])


@pytest_twisted.async_yield_fixture
async def house(database: Database, database_dsn: str) -> AsyncIterator[House]:
    async with people(database, database_dsn) as made:
        for name in ("ann", "bob"):
            await made.accounts.add(name, f"{name}@example.net")
        clock = Clock()
        clock.advance(datetime.now(UTC).timestamp())
        queue = OutgoingQueue(database, kept_days=3, reactor=clock)
        queueing = Queueing(made.accounts, LANES.rest, reactor=reactor)
        yield House(database, queueing, queue, clock, made.accounts)


@pytest_twisted.ensureDeferred
async def test_all_that_is_selected_changes_however_much_it_is(house: House) -> None:
    await house.add(3)
    await house.add(2, "bob")
    many = tuple(OutgoingRecipient(address=f"a{n}@many.example") for n in range(BATCH + 7))
    big = await house.queueing.queue(replace(NEW, recipients=many), charged=False)
    assert await house.queue.change_all("hold", Selection(domain="many.example")) == BATCH + 7
    assert await house.queue.change_all("hold", Selection(domain="many.example")) == 0
    assert await house.queue.change_all("cancel", Selection(account="ann")) == BATCH + 7 + 6
    assert await house.count(where="ended is not null and body is null") == 4
    assert (await house.queue.get(big)).ended
    assert await house.queue.change_all("hold", Selection()) == 4
    assert await house.queue.change_all("release", Selection(account="bob")) == 4
    assert await house.queue.change_all("retry", Selection()) == 0  # they are due as it is
    await house.database.run("update outgoing_recipient set ready = false")
    assert await house.queue.change_all("retry", Selection()) == 4


@pytest_twisted.ensureDeferred
async def test_what_has_failed_is_tried_again_while_the_content_is_there(house: House) -> None:
    [sent] = await house.add(1)
    await house.database.run(
        "update outgoing_recipient set state = 'failed', ready = false, attempts = 9"
        " where place = 0"
    )
    again = await house.queue.change("retry", sent, recipient="bob@A.example")
    assert [(r.state, r.attempts) for r in again.recipients] == [("queued", 0), ("queued", 0)]
    await house.queue.change("cancel", sent)
    with pytest.raises(ConflictError):
        await house.queue.change("retry", sent)


@pytest_twisted.ensureDeferred
async def test_of_two_recipients_that_end_at_once_the_later_ends_the_message(
    house: House,
) -> None:
    [sent] = await house.add(1)

    async def end(place: int) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.run(
                "update outgoing_recipient set state = 'delivered' where place = %s", (place,)
            )
            await transaction.run("select pg_sleep(0.2)")
            await lock_messages(transaction, [sent])
            await end_messages(transaction, [sent])

        await house.database.transaction(work)

    await gatherResults([ensureDeferred(end(place)) for place in (0, 1)])
    assert await house.count(where="ended is not null and body is null") == 1


@pytest_twisted.ensureDeferred
async def test_what_became_of_it_is_forgotten_after_its_days(house: House) -> None:
    sent = await house.add(2)
    await house.queue.change("cancel", sent[0])
    house.clock.advance(2 * DAY_S)
    await house.queue.forget_old()
    assert await house.count() == 2
    house.clock.advance(2 * DAY_S)
    await house.queue.forget_old()
    assert await house.count() == 1
    assert await house.count("outgoing_recipient") == 2


@pytest_twisted.ensureDeferred
async def test_an_account_that_is_removed_takes_what_it_sends_along(house: House) -> None:
    await house.add(2)
    await house.add(1, "bob")
    await house.database.transaction(lambda db: begin_removal(db, "ann"))
    assert await finish_removal(house.database, "ann")
    assert await house.count() == 1
    assert await house.count("outgoing_recipient") == 2
    assert await house.count("outgoing_message", "account = 'bob'") == 1


@pytest_twisted.ensureDeferred
async def test_what_a_suspended_account_has_queued_is_held(house: House) -> None:
    [sent] = await house.add(1)
    [others] = await house.add(1, "bob")
    await house.database.run(
        """update outgoing_recipient set ready = false, claimed_until = now() + interval '1 h'
           where place = 0"""
    )
    await house.accounts.change("ann", {"suspended": True})
    assert [r.state for r in (await house.queue.get(sent)).recipients] == ["held", "held"]
    assert [r.state for r in (await house.queue.get(others)).recipients] == ["queued", "queued"]
    await house.accounts.change("ann", {"suspended": False})
    assert await house.queue.change_all("release", Selection(account="ann")) == 2


@pytest_twisted.ensureDeferred
async def test_nothing_more_is_sent_of_an_account_that_is_being_removed(house: House) -> None:
    [sent] = await house.add(1)
    await house.database.transaction(lambda db: begin_removal(db, "ann"))
    assert [r.state for r in (await house.queue.get(sent)).recipients] == ["held", "held"]
