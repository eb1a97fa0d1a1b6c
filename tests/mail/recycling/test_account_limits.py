"""What an account keeps: the contract's examples, and what is done to limits and stars."""

from typing import Any

import pytest
import pytest_twisted

from mailsacd.core.search import Terms
from mailsacd.mail.recycling.recycler import LOOK_EVERY_S
from mailsacd.store.accounts import update_account
from mailsacd.store.counts import Counts, add_up, count_of, count_of_domain
from mailsacd.store.maildrop import find_bodies, list_maildrop
from mailsacd.store.marks import Place, toggle_star
from mailsacd.store.messages import find_message
from mailsacd.store.search import search
from tests.mail.owners import add_owner, reserve
from tests.mail.recycling.store_room import StoreRoom

BOTH_FORMS = True
BOX = "box@private.example"


async def anns_domain(room: StoreRoom) -> None:
    await room.database.run(
        "insert into domain (name, owner, verified, is_private, verification_txt)"
        " values ('anns.example', 'ann', true, true, '')"
    )


async def left(room: StoreRoom) -> list[str]:
    """What is there for ann: the same before it is removed, after it, and in the tables."""
    shown = await room.held("ann")
    await room.recycle()
    assert await room.held("ann") == shown
    assert await room.stored() == shown
    return shown


@pytest_twisted.ensureDeferred
async def test_125_starred_leave_the_newest_100(room: StoreRoom) -> None:
    ids = await room.store("anybody@public.example", count=125, saved_by="ann")
    assert await left(room) == ids[-100:]


@pytest_twisted.ensureDeferred
async def test_75_in_a_private_domain_leave_75(room: StoreRoom) -> None:
    await anns_domain(room)
    ids = [(await room.store(f"box{n % 7}@anns.example"))[0] for n in range(75)]
    assert await left(room) == ids


@pytest_twisted.ensureDeferred
async def test_150_in_a_private_domain_leave_the_newest_100(room: StoreRoom) -> None:
    await anns_domain(room)
    ids = [(await room.store(f"box{n % 7}@anns.example"))[0] for n in range(150)]
    assert await left(room) == ids[-100:]


@pytest_twisted.ensureDeferred
async def test_3_private_inboxes_of_50_leave_the_newest_100(room: StoreRoom) -> None:
    inboxes = [f"box{n}@private.example" for n in range(3)]
    for inbox in inboxes:
        await reserve(room.database, "ann", inbox)
    ids = [(await room.store(inboxes[n % 3]))[0] for n in range(150)]
    assert await left(room) == ids[-100:]


@pytest_twisted.ensureDeferred
async def test_25_starred_and_100_others_leave_the_25_and_the_newest_75(room: StoreRoom) -> None:
    await reserve(room.database, "ann", BOX)
    starred = await room.store("anybody@public.example", count=25, saved_by="ann")
    ids = await room.store(BOX, count=100)
    assert await left(room) == starred + ids[-75:]
    assert await room.starred("ann") == starred


@pytest_twisted.ensureDeferred
async def test_of_one_inbox_the_oldest_go_but_starred_ones_stay(room: StoreRoom) -> None:
    await reserve(room.database, "ann", BOX)
    first = await room.store(BOX, count=3)
    await toggle_star(room.database, Place(inbox=BOX, id=first[1], viewer="ann", open=True))
    ids = await room.store(BOX, count=100)
    assert await left(room) == [first[1], *ids[-99:]]
    assert await room.listed(BOX, "ann") == [first[1], *ids[-99:]]


@pytest_twisted.ensureDeferred
async def test_what_another_account_has_starred_counts_for_that_one(room: StoreRoom) -> None:
    await add_owner(room.database, "cyd", domains=("shown.example",), is_private=False)
    inbox = "box@shown.example"
    rest = await room.store(inbox, count=120)
    await toggle_star(room.database, Place(inbox=inbox, id=rest[-1], viewer="ann", open=True))
    await room.recycle()
    assert await room.starred("ann") == [rest[-1]]
    assert await room.owned("cyd") == rest[-101:-1]
    assert await room.listed(inbox) == rest[-101:-1], "as everybody sees them"


@pytest_twisted.ensureDeferred
async def test_what_is_beyond_is_in_no_answer_before_it_is_removed(room: StoreRoom) -> None:
    await room.limit(messages=5)
    await add_owner(room.database, "cyd", BOX, domains=("shown.example",), is_private=False)
    shown = "all@shown.example"
    before = await room.store(BOX, shown, count=4)
    ids = await room.store(BOX, count=3)
    kept = [*before, *ids][-5:]
    assert await room.stored() == sorted([*before, *ids])
    assert await room.owned("cyd") == kept
    assert await room.listed(BOX, "cyd") == [id_ for id_ in kept if id_ in before[::2] + ids]
    assert await room.listed(shown) == [id_ for id_ in kept if id_ in before[1::2]]
    listing = await list_maildrop(room.database, BOX, "cyd")
    assert list(listing.ids) == await room.listed(BOX, "cyd")
    bodies = await find_bodies(room.database, BOX, before[:1] + ids, "cyd", is_open=True)
    assert set(bodies) == set(ids)
    assert await find_message(room.database, BOX, before[0], "cyd") is None
    assert await find_message(room.database, BOX, ids[0], "cyd") is not None


@pytest.mark.parametrize("limit", [0, 1, 99, 100, 10**9, 2**53])
@pytest_twisted.ensureDeferred
async def test_limits_of_none_and_of_a_billion(room: StoreRoom, limit: int) -> None:
    await room.limit(messages=limit)
    await reserve(room.database, "ann", BOX)
    starred = await room.store(BOX, count=20, saved_by="ann")
    ids = await room.store(BOX, count=80)
    most_starred = starred[max(20 - limit, 0) :]
    unstarred = ids[max(80 - max(limit - 20, 0), 0) :]
    assert await left(room) == most_starred + unstarred


@pytest_twisted.ensureDeferred
async def test_limits_of_an_account_go_before_those_of_its_plan(room: StoreRoom) -> None:
    await reserve(room.database, "ann", BOX)
    ids = await room.store(BOX, count=20)
    await update_account(room.database, "ann", {"overrides": {"message_limit": 10}})
    assert await room.owned("ann") == ids[-10:]
    await update_account(room.database, "ann", {"overrides": {}, "plan": "small"})
    assert await room.owned("ann") == ids, "a plan that is gone is the default one"
    await room.limit(small=5)
    assert await room.owned("ann") == ids[-5:]
    await add_up(room.database)
    await room.recycle()
    assert await room.stored() == ids[-5:]


@pytest_twisted.ensureDeferred
async def test_a_limit_lowered_below_what_is_kept_hides_at_once_and_removes_soon(
    room: StoreRoom,
) -> None:
    await room.limit(messages=10_000)
    await reserve(room.database, "ann", BOX)
    ids = await room.store(BOX, count=2_500)
    recycler = room.recycler()
    await recycler.run_now()
    for limit in (2_400, 30):  # near to one end, and to the other
        await room.limit(messages=limit)
        assert await room.owned("ann") == ids[-limit:]
    await add_up(room.database)
    await recycler.run_now()
    assert await room.stored() == ids[-30:]


@pytest_twisted.ensureDeferred
async def test_accounts_that_got_no_mail_are_gone_round_to(room: StoreRoom) -> None:
    """Stars and limits change, too; however many accounts there are."""
    await reserve(room.database, "bob", BOX)
    ids = await room.store(BOX, count=20)
    await room.recycle()
    await room.database.run(
        "insert into mail_count select 'account' || n, '', 0, 0, 0, 0, 0, 0"
        " from generate_series(1, 1200) n"
    )
    await update_account(room.database, "bob", {"overrides": {"message_limit": 7}})
    await add_up(room.database)
    recycler = room.recycler()
    for _ in range(3):
        await recycler.run_now()
    assert await room.stored() == ids[-7:]


@pytest_twisted.ensureDeferred
async def test_an_account_that_is_known_to_have_changed_loses_no_more_than_it_has_to(
    room: StoreRoom,
) -> None:
    """It is looked at for that, and for its turn among all."""
    await reserve(room.database, "ann", BOX)
    ids = await room.store(BOX, count=40)
    await room.recycle()
    await room.add_up()
    recycler = room.recycler()
    await update_account(room.database, "ann", {"overrides": {"message_limit": 25}})
    recycler.account_changed("ann")
    await recycler.run_now()
    assert await room.stored() == ids[-25:]


@pytest_twisted.ensureDeferred
async def test_searches_find_nothing_beyond_the_limit(room: StoreRoom) -> None:
    await reserve(room.database, "ann", BOX)
    ids = await room.store(BOX, count=8)
    await update_account(room.database, "ann", {"overrides": {"message_limit": 5}})
    terms: Any = {"anywhere": None, "subject": None, "sender": None, "recipients": None}
    for wanted in ({"subject": "x"}, {"read": False}):
        found = await search(
            room.database, "ann", Terms(**(terms | {"read": None} | wanted)), limit=100
        )
        assert [id_ for id_ in ids if id_ in found] == ids[-5:]


@pytest_twisted.ensureDeferred
async def test_public_readers_of_a_domain_see_nothing_beyond_its_owners_limit(
    room: StoreRoom,
) -> None:
    await anns_domain(room)
    ids = await room.store("box@anns.example", count=120)
    await room.database.run("update message set private = false")
    assert await room.listed("box@anns.example") == ids[-100:]


@pytest_twisted.ensureDeferred
async def test_counts_leave_out_what_is_beyond(room: StoreRoom) -> None:
    await anns_domain(room)
    await reserve(room.database, "ann", BOX)
    await room.limit(messages=10)
    await room.store("anybody@public.example", count=3, saved_by="ann", size=7)
    read = await room.store("x@anns.example", count=6, size=100)
    await room.database.run("update message set read = true where id = any(%s)", (read[1:5],))
    await room.store(BOX, count=5, size=10)
    for _ in range(2):
        counts = await count_of(room.database, "ann")
        assert counts == Counts(held=10, starred=3, owned=7, unread=6, bytes=271, owned_bytes=250)
        domain = await count_of_domain(room.database, "ann", "anns.example")
        assert (domain.owned, domain.unread, domain.owned_bytes) == (2, 1, 200)
        await room.recycle()
    await room.limit(messages=2)
    counts = await count_of(room.database, "ann")
    assert (counts.held, counts.starred, counts.owned) == (2, 2, 0)


@pytest_twisted.ensureDeferred
async def test_accounts_are_gone_through_once_a_second_and_not_with_each_step_of_a_flood(
    room: StoreRoom,
) -> None:
    await reserve(room.database, "ann", BOX)
    ids = await room.store(BOX, count=20)
    await room.add_up()
    recycler = room.recycler()
    await recycler.run_now()
    await room.limit(messages=10)
    for passed_s, left in ((0.0, 20), (LOOK_EVERY_S, 10)):
        recycler._reactor.advance(passed_s)
        recycler.stored((), {})
        await recycler._recycling.run_now()
        assert await room.stored() == ids[-left:]


@pytest.mark.parametrize("limit", [50, 31, 30, 29, 5, 0])
@pytest_twisted.ensureDeferred
async def test_counts_are_of_what_is_within_a_limit_that_was_lowered_by_little_or_much(
    room: StoreRoom, limit: int
) -> None:
    await reserve(room.database, "ann", BOX)
    ids = await room.store(BOX, count=60, size=100)
    await room.database.run("update message set read = true where id = any(%s)", (ids[-3:],))
    await room.limit(messages=limit)
    unread = max(limit - 3, 0)
    whole = await count_of(room.database, "ann")
    assert (whole.held, whole.owned, whole.unread) == (limit, limit, unread)
    assert (whole.bytes, whole.owned_bytes) == (100 * limit, 100 * limit)
    domain = await count_of_domain(room.database, "ann", "private.example")
    assert (domain.owned, domain.unread, domain.bytes) == (limit, unread, 100 * limit)
