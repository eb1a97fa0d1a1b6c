"""How much waits to be done: what counts, and that a long queue is not counted for ever."""

import pytest_twisted

from mailsacd.store import standing
from mailsacd.store.pool import Database
from mailsacd.store.standing import open_outgoing, waiting_deliveries
from tests.store.outgoing import queue_many

IDS = "message_id = 'mann' || lpad(%s::text, 9, '0')"


async def _deliveries(database: Database, count: int) -> None:
    await database.run("truncate delivery")
    await database.run(
        """insert into delivery (id, account, address, kind, url, inbox, message_id, due)
           select 'd' || n, 'ann', 'b@example.com', 'webhook', 'http://192.0.2.1/', 'b@example.com',
               'm' || n, now() - n * interval '1 minute' from generate_series(1, %s) n""",
        (count,),
    )


@pytest_twisted.ensureDeferred
async def test_a_delivery_waits_until_it_is_made_and_is_overdue_from_when_it_is_due(
    database: Database,
) -> None:
    await database.run("truncate delivery")
    told = await waiting_deliveries(database)
    assert (told.count, told.overdue_s) == (0, 0)
    await _deliveries(database, 3)
    told = await waiting_deliveries(database)
    assert told.count == 3
    assert 180 <= told.overdue_s < 200
    await database.run("update delivery set due = null, finished = now() where id = 'd3'")
    await database.run("update delivery set due = now() + interval '1 hour' where id = 'd2'")
    told = await waiting_deliveries(database)
    assert told.count == 2
    assert 60 <= told.overdue_s < 80
    await database.run("truncate delivery")


@pytest_twisted.ensureDeferred
async def test_outgoing_mail_waits_until_it_is_sent_whoever_is_at_it(database: Database) -> None:
    await database.run("truncate outgoing_message cascade")
    told = await open_outgoing(database)
    assert (told.ready, told.later, told.overdue_s, told.oldest) == (0, 0, 0, None)
    await queue_many(database, "ann", 5)
    due = "update outgoing_recipient set due = now() - interval '5 minutes' where " + IDS
    await database.run(due, (2,))
    retried = "update outgoing_recipient set ready = false, due = now() + interval '1 hour' where "
    await database.run(retried + IDS, (3,))
    gone = "update outgoing_recipient set ready = false, claimed_until = now() - interval '1 hour'"
    await database.run(f"{gone} where {IDS}", (4,))
    await database.run(f"update outgoing_recipient set state = 'delivered' where {IDS}", (1,))
    told = await open_outgoing(database)
    assert (told.ready, told.later, told.oldest) == (2, 2, "mann000000002")
    assert 3_600 <= told.overdue_s < 3_620
    await database.run("truncate outgoing_message cascade")


@pytest_twisted.ensureDeferred
async def test_a_long_queue_is_counted_up_to_a_bound_without_reading_the_table(
    database: Database,
) -> None:
    await database.run("truncate outgoing_message cascade")
    await queue_many(database, "ann", 2_000)
    await database.run("analyze outgoing_recipient")
    for statement in (standing._deliveries, standing._outgoing):
        plan = await database.fetch("explain " + statement.text)
        assert not [line for (line,) in plan if "Seq Scan" in line], plan
    text = standing._outgoing.text.replace(str(standing.MOST_COUNTED), "500")
    ((ready, *_),) = await database.fetch(text)
    assert ready == 500
    await database.run("truncate outgoing_message cascade")
