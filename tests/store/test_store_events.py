"""Events: exactly what a snapshot does not see, page by page, whatever commits when."""

from typing import Any

import pytest
import pytest_twisted

from mailsacd.core.event import Interest, Position, Snapshot
from mailsacd.store import events
from mailsacd.store.events import (
    current_snapshot,
    event_epoch,
    events_after,
    forget_transactions,
    messages_after,
    prune_events,
)
from mailsacd.store.pool import Database
from mailsacd.store.pushed_messages import find_messages
from tests.mail.hubs import Held, in_inboxes, new_mail, store
from tests.mail.owners import add_owner

BOTH_FORMS = True
BOB = "bob@example.com"


async def _ids_after(
    database: Database, seen: Snapshot, within: Snapshot | None = None
) -> list[str]:
    return [arrival.id for _, arrival in (await events_after(database, seen, within)).arrivals]


async def _all_after(
    database: Database, seen: Snapshot, within: Snapshot | None = None
) -> list[str]:
    """Page by page; each page is what the next snapshot sees more than the one before."""
    found: list[str] = []
    more = True
    while more:
        page = await events_after(database, seen, within)
        assert page.reached.includes(seen)
        assert all(page.reached.sees(xid) and not seen.sees(xid) for xid, _ in page.arrivals)
        found += [arrival.id for _, arrival in page.arrivals]
        seen, more = page.reached, page.more
    return found


@pytest_twisted.ensureDeferred
async def test_an_event_tells_all_that_is_needed(database: Database) -> None:
    await add_owner(database, "ann", BOB)
    seen = await current_snapshot(database)
    (id_,) = await store(database, new_mail(BOB, passed=("a@x.y", "b@x.y"), saved_by="ann"))
    page = await events_after(database, seen)
    ((_, arrival),) = page.arrivals
    assert (arrival.id, arrival.inbox, arrival.owner) == (id_, BOB, "ann")
    assert (arrival.private, arrival.saved_by) == (True, "ann")
    assert arrival.passed == ("a@x.y", "b@x.y")
    assert (page.more, page.reached) == (False, page.now)
    assert await _ids_after(database, page.reached) == []


@pytest_twisted.ensureDeferred
async def test_late_commits_are_seen_once_by_each_snapshot_that_did_not(database: Database) -> None:
    start = await current_snapshot(database)
    one = await Held(database, new_mail(BOB)).stored()
    two = await Held(database, new_mail(BOB)).stored()
    at_once = await store(database, new_mail(BOB))
    first = await current_snapshot(database)
    assert await _ids_after(database, start) == at_once
    await two.commit()
    second = await current_snapshot(database)
    assert await _ids_after(database, first) == two.ids
    await one.commit()
    assert await _ids_after(database, second) == one.ids
    assert await _ids_after(database, first) == one.ids + two.ids
    assert await _ids_after(database, first, second) == two.ids
    assert await _ids_after(database, start, first) == at_once
    assert await _ids_after(database, start, start) == []


@pytest.mark.parametrize(("count", "size"), [(1, 10**9), (2, 10**9), (3, 10**9), (100, 1)])
@pytest_twisted.ensureDeferred
async def test_pages_are_whole_events_and_none_is_passed_over(
    database: Database, count: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = (
        events._events.text.replace(str(events.MAX_EVENTS + 1), str(count + 1))
        .replace(str(events.MAX_EVENTS), str(count))
        .replace(str(events.MAX_EVENT_BYTES), str(size))
    )
    monkeypatch.setattr(events._events, "text", small)
    monkeypatch.setattr(events._events, "name", f"small_{count}_{size}")
    start = await current_snapshot(database)
    held = [await Held(database, new_mail(BOB)).stored() for _ in range(2)]
    told = []
    for _ in range(3):
        told += await store(database, new_mail(BOB), new_mail(BOB))
    middle = await current_snapshot(database)
    await held[1].commit()
    told += await store(database, new_mail(BOB))
    assert sorted(await _all_after(database, start)) == sorted(told + held[1].ids)
    assert sorted(await _all_after(database, middle)) == sorted(held[1].ids + told[-1:])
    assert sorted(await _all_after(database, start, middle)) == sorted(told[:-1])
    await held[0].commit()
    assert sorted(await _all_after(database, middle)) == sorted(
        held[0].ids + held[1].ids + told[-1:]
    )


@pytest_twisted.ensureDeferred
async def test_old_events_go_and_the_newest_stays(database: Database) -> None:
    start = await current_snapshot(database)
    for _ in range(4):
        await store(database, new_mail(BOB))
    assert await prune_events(database) == 0
    await database.run("update event set stored = now() - interval '1 hour'")
    assert await prune_events(database) == 3
    assert len(await _ids_after(database, start)) == 1
    assert await prune_events(database) == 0


@pytest_twisted.ensureDeferred
async def test_nodes_share_an_epoch_until_transactions_are_forgotten(database: Database) -> None:
    epoch = await event_epoch(database)
    assert await event_epoch(database) == epoch
    await store(database, new_mail(BOB))
    assert await event_epoch(database) == epoch
    await database.transaction(forget_transactions)
    assert await event_epoch(database) != epoch
    assert await database.fetch("select xid from message") == [(None,)]
    assert await database.fetch("select 1 from event") == []


@pytest_twisted.ensureDeferred
async def test_tables_copied_from_a_database_with_higher_numbers_are_told(
    database: Database,
) -> None:
    epoch = await event_epoch(database)
    seen = await current_snapshot(database)
    await store(database, new_mail(BOB))
    await database.run("update message set xid = '9000000000000'::xid8")
    await database.run("update event set xid = '9000000000000'::xid8")
    assert await event_epoch(database) != epoch
    now = await current_snapshot(database)
    assert await messages_after(database, in_inboxes(BOB), Position(seen), now, limit=9) == []
    (id_,) = await store(database, new_mail(BOB))
    assert await _ids_after(database, now) == [id_]
    after = await messages_after(
        database, in_inboxes(BOB), Position(now), await current_snapshot(database), limit=9
    )
    assert after == [(BOB, id_)]


@pytest_twisted.ensureDeferred
async def test_messages_are_found_by_whatever_is_waited_for(database: Database) -> None:
    await add_owner(database, "ann", BOB, domains=("private.example", "other.example"))
    seen = await current_snapshot(database)
    (bob,) = await store(database, new_mail(BOB))
    (under,) = await store(database, new_mail("x@private.example"))
    (public,) = await store(database, new_mail("any@public.example"))
    (passed,) = await store(
        database, new_mail("y@private.example", passed=("z@other.example", BOB))
    )
    until = await current_snapshot(database)
    await store(database, new_mail(BOB))

    async def found(interest: Interest, **limit: Any) -> list[str]:
        page = await messages_after(
            database, interest, Position(seen), until, **({"limit": 10} | limit)
        )
        return [id_ for _, id_ in page]

    owned = Interest("ann", everything_owned=True)
    assert await found(owned) == [bob, under, passed]
    assert await found(owned, limit=2) == [bob, under]
    assert await found(in_inboxes(BOB, account="ann")) == [bob, passed]
    assert await found(in_inboxes(BOB, "any@public.example", account="ann")) == [
        bob,
        public,
        passed,
    ]
    assert await found(in_inboxes("any@public.example")) == [public]
    assert await found(in_inboxes(BOB)) == []
    assert await found(Interest("ann", domains=frozenset({"private.example"}))) == [under, passed]
    assert await found(Interest("ann", domains=frozenset({"other.example"}))) == [passed]
    assert await found(Interest("ann")) == []
    between = await messages_after(database, owned, Position(seen, until, bob), until, limit=9)
    assert [id_ for _, id_ in between] == [under, passed]


@pytest_twisted.ensureDeferred
async def test_what_is_found_says_whose_it_is(database: Database) -> None:
    await add_owner(database, "ann", BOB)
    (bobs,) = await store(database, new_mail(BOB))
    (public,) = await store(database, new_mail("x@example.net"))
    found, count = await find_messages(
        database,
        [(BOB, bobs), ("x@example.net", public), (BOB, public)],
        max_bytes=10**6,
        large_bytes=10**6,
    )
    assert count == 3
    assert [(f.message.id, f.owner, f.private) for f in found] == [
        (bobs, "ann", True),
        (public, None, False),
    ]
    assert [f.is_there_for("ann") for f in found] == [True, True]
    assert [f.is_there_for(None) for f in found] == [False, True]
