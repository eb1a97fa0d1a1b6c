"""A message is held for a moment before it is pushed: who begins to wait meanwhile gets it."""

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from mailsacd.store.pool import Database
from tests.mail.hubs import in_inboxes, new_mail, node_hub, reactor, store

ensure = pytest_twisted.ensureDeferred

BOX = "box@held.example"
HOLD_S = 0.4


@ensure
async def test_a_message_is_pushed_after_the_hold_and_not_before(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn, hold_s=HOLD_S) as node:
        _, heard = await node.listen(in_inboxes(BOX))
        ids = []
        for _ in range(3):
            ids += await store(database, new_mail(BOX))
            stored_s = reactor.seconds()
            await deferLater(reactor, HOLD_S / 4)
        assert not heard.ids
        await heard.has(*ids)
        assert reactor.seconds() >= stored_s + HOLD_S


@pytest.mark.parametrize("others", [0, 1])
@ensure
async def test_who_comes_within_the_hold_gets_what_was_stored_before(
    database: Database, database_dsn: str, others: int
) -> None:
    async with node_hub(database, database_dsn, hold_s=HOLD_S) as node:
        for _ in range(others):
            await node.listen(in_inboxes("other@held.example"))
        await store(database, new_mail(BOX))
        await deferLater(reactor, 3 * HOLD_S)
        ids = await store(database, new_mail(BOX))
        _, heard = await node.listen(in_inboxes(BOX))
        ids += await store(database, new_mail(BOX))
        await heard.has(*ids)


@ensure
async def test_who_resumes_within_the_hold_gets_each_once(
    database: Database, database_dsn: str
) -> None:
    async with (
        node_hub(database, database_dsn, hold_s=HOLD_S) as node,
        node_hub(database, database_dsn, hold_s=HOLD_S) as other,
    ):
        first, before = await node.listen(in_inboxes(BOX))
        ids = await store(database, new_mail(BOX))
        await before.has(*ids)
        ids += await store(database, new_mail(BOX))
        sequence = first.sequence
        first.close()
        after = [(await each.listen(in_inboxes(BOX), sequence))[1] for each in (node, other)]
        stored_s = reactor.seconds()
        ids += await store(database, new_mail(BOX))
        for heard in after:
            await heard.has(*ids[1:])
        assert reactor.seconds() >= stored_s + HOLD_S


@ensure
async def test_what_nobody_waits_for_any_more_is_held_no_longer(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn, hold_s=HOLD_S) as node:
        stream, heard = await node.listen(in_inboxes(BOX))
        await store(database, new_mail(BOX))
        await deferLater(reactor, HOLD_S / 2)
        stream.close()
        assert not node.hub._poller._held
        await deferLater(reactor, HOLD_S)
        assert not heard.ids


@ensure
async def test_a_long_hold_holds_all_that_comes_meanwhile(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn, hold_s=HOLD_S) as node:
        _, heard = await node.listen(in_inboxes(BOX))
        ids = []
        for _ in range(60):
            ids += await store(database, new_mail(BOX))
            await deferLater(reactor, HOLD_S / 20)
        await heard.has(*ids)
