"""One recycler at a time, however many nodes there are; killed anywhere, it does no harm."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.store.counts import differences
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.mail.owners import reserve
from tests.mail.recycling.store_room import StoreRoom

BOX = "box@private.example"
INBOX = "anybody@public.example"
BOTH = "both@public.example"

STEPS = [
    ("delete on message", 1), ("delete on message", 700), ("delete on raw_message", 1),
    ("update on raw_message", 3), ("insert on count_change", 1), ("insert on count_change", 3),
    ("update on recycler", 1),
]  # fmt: skip


async def too_much(room: StoreRoom) -> list[str]:
    """Store too much of everything; the ids of what is to be left."""
    await room.limit(messages=20)
    await reserve(room.database, "ann", BOX)
    await room.store(INBOX, count=3, ago=timedelta(days=5))
    both = await room.store(BOX, BOTH, count=9)
    public = await room.store(INBOX, count=700)
    starred = await room.store("star@public.example", count=30, saved_by="ann")
    return [*both[1::2][-6:], *public[-6:], *starred[-20:]]


def killer(step: str, nth: int, *, at_commit: bool) -> str:
    """Have PostgreSQL end the session that does a step for the ``nth`` time, as kill -9 would."""
    kind = "constraint trigger" if at_commit else "trigger"
    deferred = "deferrable initially deferred" if at_commit else ""
    return f"""create sequence kills;
        create function kill_it() returns trigger language plpgsql as $$
        begin
            if nextval('kills') = {nth} then
                perform pg_terminate_backend(pg_backend_pid());
            end if;
            return null;
        end $$;
        create {kind} kill after {step} {deferred} for each row execute function kill_it()"""


@pytest.mark.parametrize(("step", "nth"), STEPS)
@pytest.mark.parametrize("at_commit", [False, True])
@pytest_twisted.ensureDeferred
async def test_killed_at_a_step_nothing_is_half_done_and_the_next_one_does_it(
    room: StoreRoom, step: str, at_commit: bool, nth: int
) -> None:
    left = await too_much(room)
    await room.database.run(killer(step, nth, at_commit=at_commit))
    try:
        await room.recycle()  # again and again, until nothing is left to do
        ((kills,),) = await room.database.fetch("select last_value from kills")
    finally:
        await room.database.run("drop function kill_it() cascade; drop sequence kills")
    assert await room.stored() == left
    assert await differences(room.database) == []
    assert kills >= nth, "it was killed"


@pytest_twisted.ensureDeferred
async def test_while_one_node_recycles_the_others_do_not(room: StoreRoom) -> None:
    ids = await room.store(INBOX, count=9)
    other = room.recycler()

    async def recycling(transaction: Transaction) -> None:
        await transaction.run("select 1 from recycler for update")
        await other.run_now()
        assert await room.stored() == ids

    await room.database.transaction(recycling)
    await other.run_now()
    assert await room.stored() == ids[3:]


@pytest_twisted.ensureDeferred
async def test_two_nodes_at_once_remove_everything_once(room: StoreRoom, second: Database) -> None:
    ids = []
    for n in range(40):
        ids += (await room.store(f"box{n}@public.example", count=40))[-6:]
    nodes = [room.recycler(), room.recycler(second)]
    for _ in range(3):
        await gatherResults([ensureDeferred(node.run_now()) for node in nodes])
    assert await room.stored() == ids
    assert await differences(room.database) == []


@pytest_twisted.async_yield_fixture
async def second(database_dsn: str) -> AsyncIterator[Database]:
    """Another node's pool."""
    made = Database(
        database_dsn, LANES.rest, connections=2, statement_timeout_s=10, reactor=reactor
    )
    await made.start()
    yield made
    await made.stop()
