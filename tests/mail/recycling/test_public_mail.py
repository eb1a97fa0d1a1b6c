"""Public mail: the newest six of an inbox, for four days; what is beyond is nobody's any more."""

from datetime import timedelta

import pytest
import pytest_twisted

from mailsacd.core.actor import ANYONE
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.marks import Marks
from mailsacd.store.events import prune_events
from mailsacd.store.marks import Place, toggle_star
from mailsacd.store.messages import delete_message, find_message, find_raw
from mailsacd.store.ownership import adopt_messages
from mailsacd.store.recycling import remove_oldest, remove_too_new, remove_too_old
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.owners import reserve
from tests.mail.property import ANN
from tests.mail.recycling.store_room import StoreRoom

BOTH_FORMS = True
INBOX = "anybody@public.example"
DAY = timedelta(days=1)


@pytest_twisted.ensureDeferred
async def test_of_ten_messages_to_a_public_inbox_the_newest_six_are_there(room: StoreRoom) -> None:
    ids = await room.store(INBOX, count=10)
    assert await room.listed(INBOX) == ids[-6:]
    await room.recycle()
    assert await room.stored() == await room.listed(INBOX) == ids[-6:]


@pytest_twisted.ensureDeferred
async def test_what_is_beyond_is_not_found_before_it_is_removed(room: StoreRoom) -> None:
    ids = await room.store(INBOX, count=7)
    assert await room.stored() == ids
    assert await find_message(room.database, INBOX, ids[0]) is None
    assert await find_raw(room.database, INBOX, ids[0]) is None
    assert not await delete_message(room.database, INBOX, ids[0])
    place = Place(inbox=INBOX, id=ids[0], viewer="ann", open=True)
    assert await toggle_star(room.database, place) is None
    assert await find_message(room.database, INBOX, ids[1]) is not None


@pytest_twisted.ensureDeferred
async def test_public_mail_is_there_for_four_days(room: StoreRoom) -> None:
    minute = timedelta(minutes=1)
    too_old = await room.store(INBOX, ago=4 * DAY + minute)
    old = await room.store(INBOX, ago=4 * DAY - minute)
    assert await room.listed(INBOX) == old
    assert await find_message(room.database, INBOX, too_old[0]) is None
    await room.recycle()
    assert await room.stored() == old


@pytest_twisted.ensureDeferred
async def test_mail_to_an_unverified_domain_is_public(room: StoreRoom) -> None:
    await room.database.run(
        "insert into domain (name, owner, verified, verification_txt)"
        " values ('public.example', 'ann', false, '')"
    )
    ids = await room.store(INBOX, count=8)
    await room.recycle()
    assert await room.stored() == ids[2:]


@pytest_twisted.ensureDeferred
async def test_a_private_inbox_keeps_more_and_for_longer(room: StoreRoom) -> None:
    await reserve(room.database, "ann", "box@private.example")
    old = await room.store("box@private.example", count=10, ago=400 * DAY)
    new = await room.store("box@private.example", count=10)
    await room.recycle()
    assert await room.listed("box@private.example", "ann") == old + new


@pytest_twisted.ensureDeferred
async def test_a_starred_message_outlives_its_days_and_its_inbox(room: StoreRoom) -> None:
    first, *rest = await room.store(INBOX, count=6, ago=3 * DAY)
    assert await toggle_star(room.database, Place(inbox=INBOX, id=first, viewer="ann", open=True))
    newer = await room.store(INBOX, count=3)
    await room.recycle()
    assert await room.stored() == [first, *rest[-3:], *newer]
    await room.database.run("update message set received = received - interval '9 days'")
    await room.recycle()
    assert await room.stored() == await room.starred("ann") == [first]


@pytest_twisted.ensureDeferred
async def test_a_message_whose_star_is_taken_off_is_public_again(room: StoreRoom) -> None:
    (first,) = await room.store(INBOX)
    place = Place(inbox=INBOX, id=first, viewer="ann", open=True)
    await toggle_star(room.database, place)
    newer = await room.store(INBOX, count=6)
    await toggle_star(room.database, place)
    assert await room.listed(INBOX) == newer
    await room.recycle()
    assert await find_message(room.database, INBOX, first) is None


@pytest_twisted.ensureDeferred
async def test_mail_that_is_reserved_later_outlives_its_days(room: StoreRoom) -> None:
    ids = await room.store(INBOX, count=6, ago=3 * DAY)
    await reserve(room.database, "ann", INBOX)
    await adopt_messages(room.database, INBOX, "ann")
    await room.database.run("update message set received = received - interval '9 days'")
    await room.recycle()
    assert await room.stored() == await room.listed(INBOX, "ann") == ids


@pytest_twisted.ensureDeferred
async def test_reserving_brings_nothing_back_that_was_beyond(room: StoreRoom) -> None:
    ids = await room.store(INBOX, count=9)
    await reserve(room.database, "ann", INBOX)
    await adopt_messages(room.database, INBOX, "ann")
    assert await room.listed(INBOX, "ann") == await room.owned("ann") == ids[3:]
    await room.recycle()
    assert await room.stored() == ids[3:]


@pytest_twisted.ensureDeferred
async def test_the_raw_goes_with_its_last_copy(room: StoreRoom) -> None:
    await reserve(room.database, "ann", "box@private.example")
    both = await room.store(INBOX, "box@private.example", "other@public.example")
    await room.store(INBOX, count=6)
    await room.recycle()
    assert await room.stored() == [*both[1:], *await room.listed(INBOX)]
    assert await room.database.fetch("select refs from raw_message order by id limit 1") == [(2,)]
    assert await find_raw(room.database, "other@public.example", both[2]) == b"raw"


@pytest_twisted.ensureDeferred
async def test_a_star_goes_before_the_recycler(room: StoreRoom) -> None:
    """Whoever has a row locked keeps it: the recycler leaves it out, and waits for nobody."""
    ids = await room.store(INBOX, count=6)
    recycler = room.recycler()

    async def star(transaction: Transaction) -> None:
        await toggle_star(transaction, Place(inbox=INBOX, id=ids[0], viewer="ann", open=True))
        await room.store(INBOX, count=3)
        await recycler.run_now()

    await room.database.transaction(star)
    await recycler.run_now()
    assert await room.starred("ann") == ids[:1]
    assert len(await room.listed(INBOX)) == 6


@pytest_twisted.ensureDeferred
async def test_a_reservation_in_the_middle_of_recycling_keeps_what_was_there(
    room: StoreRoom,
) -> None:
    ids = await room.store(INBOX, count=6, ago=3 * DAY)
    recycler = room.recycler()

    async def reserving(transaction: Transaction) -> None:
        await adopt_messages(transaction, INBOX, "ann")
        await room.store(INBOX, count=6)
        await room.limit(days=1)
        await recycler.run_now()

    await reserve(room.database, "ann", "else@public.example")
    await room.database.transaction(reserving)
    await recycler.run_now()
    assert await room.owned("ann") == ids
    assert len(await room.listed(INBOX)) == 6


@pytest_twisted.ensureDeferred
async def test_what_is_deleted_or_starred_brings_nothing_back(room: StoreRoom) -> None:
    control = access_control(room.database)
    mailbox = Mailbox(room.database, control, LANES.readers)
    ids = await room.store(INBOX, count=9)
    await mailbox.delete(ANYONE, INBOX, ids[-1])
    assert await room.listed(INBOX) == ids[3:-1]
    ids += await room.store(INBOX, count=3)
    await Marks(room.database, control).toggle_star(ANN, INBOX, ids[-1])
    assert await room.listed(INBOX) == [*ids[5:8], *ids[9:-1]]


@pytest.mark.parametrize(("per_inbox", "days", "left"), [
    (0, 4, 0), (1, 4, 1), (6, 0, 0), (10**9, 36_500, 10), (2**53, 4, 10),
])  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_limits_of_none_and_of_a_billion(
    room: StoreRoom, per_inbox: int, days: int, left: int
) -> None:
    ids = await room.store(INBOX, count=10)
    await room.limit(per_inbox=per_inbox, days=days)
    shown = ids[len(ids) - left :]
    assert await room.listed(INBOX) == shown
    await room.recycle()
    assert await room.stored() == shown


@pytest_twisted.ensureDeferred
async def test_a_limit_that_is_lowered_is_good_for_what_is_there(room: StoreRoom) -> None:
    inboxes = [f"box{n}@public.example" for n in range(20)]
    for inbox in inboxes:
        await room.store(inbox, count=6)
    recycler = room.recycler()
    await recycler.run_now()
    await room.limit(per_inbox=2)
    shown = [await room.listed(inbox) for inbox in inboxes]
    assert {len(ids) for ids in shown} == {2}
    await recycler.run_now()
    assert await room.stored() == sorted(id_ for ids in shown for id_ in ids)


@pytest_twisted.ensureDeferred
async def test_all_is_looked_after_when_it_is_not_known_how_far_that_came(room: StoreRoom) -> None:
    """Such as after an update of a store that is full of public mail, or a restored backup."""
    old = await room.store(INBOX, count=2_000)
    await room.database.run("delete from event; delete from recycler")
    await room.recycle()
    assert await room.stored() == old[-6:]


@pytest_twisted.ensureDeferred
async def test_events_that_were_not_looked_after_are_kept_for_a_day(room: StoreRoom) -> None:
    ids = await room.store(INBOX, count=9)
    await room.store("other@public.example")
    await room.database.run("update event set stored = stored - interval '23 hours'")
    assert await prune_events(room.database) == 0
    await room.recycle()
    assert await room.listed(INBOX) == ids[3:]
    assert await prune_events(room.database) == 1, "the newest one stays"


@pytest_twisted.ensureDeferred
async def test_all_is_looked_after_when_nobody_did_for_longer(room: StoreRoom) -> None:
    ids = await room.store(INBOX, count=9)
    await room.store("other@public.example")
    await room.database.run(
        "update event set stored = stored - interval '25 hours';"
        " update recycler set seen = regexp_replace(seen, '[0-9]+$', '0')"
    )
    assert await prune_events(room.database) == 1
    await room.recycle()
    assert await room.listed(INBOX) == ids[3:]
    assert len(await room.stored()) == 7


@pytest_twisted.ensureDeferred
async def test_a_clock_that_was_set_forth_and_back_leaves_room_for_new_mail(
    room: StoreRoom,
) -> None:
    await room.store(INBOX, count=6, ago=-400 * DAY)
    ids = await room.store(INBOX, count=8)
    assert await room.listed(INBOX) == ids[2:]
    await room.recycle()
    assert await room.stored() == ids[2:]


@pytest_twisted.ensureDeferred
async def test_a_clock_that_was_set_back_harms_no_private_mail(room: StoreRoom) -> None:
    await reserve(room.database, "ann", "box@private.example")
    future = await room.store("box@private.example", ago=-400 * DAY)
    past = await room.store("box@private.example", ago=10_000 * DAY)
    await room.recycle()
    assert await room.listed("box@private.example", "ann") == past + future


@pytest_twisted.ensureDeferred
async def test_nothing_but_what_is_to_be_removed_is_looked_at(room: StoreRoom) -> None:
    """However much is kept: by the index of public mail, and of that only its ends."""
    for n in range(60):
        await room.store(f"box{n}@public.example", count=5, ago=(120 - n) * timedelta(minutes=1))
    await room.store("old@public.example", count=3, ago=5 * DAY)

    await room.database.run("vacuum message")  # of what other tests have removed

    async def entries(transaction: Transaction) -> int:
        rows = await transaction.fetch(
            "select sum(pg_stat_get_xact_tuples_returned(indexrelid))::bigint"
            " from pg_index where indrelid = 'message'::regclass"
        )
        return int(rows[0][0])

    async def looked_at(transaction: Transaction) -> int:
        before = await entries(transaction)
        assert (await remove_too_old(transaction, None))[0] == 3
        assert (await remove_oldest(transaction, None, 7))[0] == 7
        assert await remove_too_new(transaction) == 0
        return await entries(transaction) - before

    assert await room.database.transaction(looked_at) <= 20


@pytest_twisted.ensureDeferred
async def test_events_are_read_once_however_many_steps_their_inbox_takes(room: StoreRoom) -> None:
    left = (await room.store("often@public.example", count=1_300))[-6:]
    await room.database.run(
        """create function forget_events() returns trigger language plpgsql as
           'begin delete from event; return null; end';
           create trigger forget after delete on message for each statement
               execute function forget_events()"""
    )
    try:
        await room.recycle()
    finally:
        await room.database.run("drop function forget_events() cascade")
    assert await room.stored() == left
