"""Mail that came in is counted by account and domain, by the day and by the month."""

from typing import Any

import pytest_twisted
from msgspec.structs import replace
from twisted.internet import reactor as the_reactor
from twisted.internet.task import Clock

from mailsacd.core.message import NewEnvelope, NewMessage, Owned
from mailsacd.core.token import utc_from_ms
from mailsacd.mail.limits import inbound
from mailsacd.mail.limits.inbound import DAYS_KEPT, InboundCounts
from mailsacd.store.inbound import PUBLIC, list_inbound
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.people import people
from tests.mail.property import add_accounts

reactor: Any = the_reactor
DAY_MS = 86_400_000
NOV_30 = 1_795_996_800_000  # 2026-11-30


def _new(size: int, *emails: str, ms: int = NOV_30) -> NewEnvelope:
    messages = tuple(
        NewMessage(inbox=email, id=f"{size}-{n}", domain=email.partition("@")[2], facts="")
        for n, email in enumerate(emails)
    )
    return NewEnvelope(id=str(size), received_ms=ms, raw=b"", size=size, messages=messages)


def _counts(database: Database, dsn: str) -> InboundCounts:
    clock = Clock()
    clock.advance(NOV_30 / 1000)
    return InboundCounts(database, Notices(dsn, LANES.rest, reactor=reactor), reactor=clock)


async def _told(
    database: Database, account: str, *, monthly: bool = False
) -> list[tuple[str, str, int, int]]:
    found = await list_inbound(database, account, utc_from_ms(0).date(), monthly=monthly)
    return [(str(each.since), each.domain, each.messages, each.bytes) for each in found]


@pytest_twisted.ensureDeferred
async def test_each_copy_counts_for_whose_it_is(database: Database, database_dsn: str) -> None:
    await add_accounts(database, "ann", "bob")
    await database.run("update account set created = '2020-01-01'")
    counts = _counts(database, database_dsn)
    anns = Owned("ann", private=True, hooked=False)
    batch = [_new(100, "a@x.example", "b@y.example", "c@z.example"), _new(7, "d@x.example")]
    counts.stored(batch, {"100-0": anns, "100-1": anns, "7-0": anns})
    counts.stored([_new(1000, "p@a.example", "q@b.example")], {})
    counts.stored([replace(_new(5, "e@w.example"), saved_by="bob")], {})
    counts.stored([_new(30, "a@x.example", ms=NOV_30 + DAY_MS)], {"30-0": anns})
    await counts.write()
    assert await _told(database, "ann") == [
        ("2026-12-01", "x.example", 1, 30),
        ("2026-11-30", "x.example", 2, 107),
        ("2026-11-30", "y.example", 1, 100),
    ]
    assert await _told(database, "ann", monthly=True) == [
        ("2026-12-01", "x.example", 1, 30),
        ("2026-11-01", "x.example", 2, 107),
        ("2026-11-01", "y.example", 1, 100),
    ]
    assert await _told(database, "bob") == [("2026-11-30", "w.example", 1, 5)]
    assert await _told(database, PUBLIC) == [("2026-11-30", "", 3, 2100)]
    counts.stored([_new(7, "d@x.example")], {"7-0": anns})
    await counts.write()
    assert (await _told(database, "ann"))[1] == ("2026-11-30", "x.example", 3, 114)


@pytest_twisted.ensureDeferred
async def test_counts_wait_while_the_database_is_away_in_bounded_memory(
    database: Database, database_dsn: str, stopped_database: Database, monkeypatch: Any
) -> None:
    monkeypatch.setattr(inbound, "MAX_COUNTED", 2)
    await add_accounts(database, "ann")
    await database.run("update account set created = '2020-01-01'")
    counts = _counts(stopped_database, database_dsn)
    anns = Owned("ann", private=True, hooked=False)
    for n in range(9):
        counts.stored([_new(10, f"a@d{n}.example")], {"10-0": anns})
        if n == 1:
            await counts.write()
    counts._database = database
    await counts.write()
    told = await _told(database, "ann")
    assert sum(messages for _, _, messages, _ in told) == 9
    assert {domain for _, domain, _, _ in told} == {"", "d0.example", "d1.example"}


@pytest_twisted.ensureDeferred
async def test_what_came_is_not_the_next_account_s_of_that_name(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn) as node:
        await node.accounts.add("ann", "ann@example.net")
        await database.run("update account set created = '2020-01-01'")
        counts = _counts(database, database_dsn)
        anns = Owned("ann", private=True, hooked=False)
        for _ in range(2):
            counts.stored([_new(10, "a@x.example")], {"10-0": anns})
            if len(await _told(database, "ann")) == 0:
                await counts.write()
        assert len(await _told(database, "ann")) == 1
        await node.accounts.remove("ann")
        assert await _told(database, "ann") == []
        made = await node.accounts.add("ann", "another@example.net")
        await database.run("update account set created = '2026-12-01' where name = 'ann'")
        assert made
        await counts.write()
        assert await _told(database, "ann") == []


@pytest_twisted.ensureDeferred
async def test_old_days_and_months_are_forgotten(database: Database, database_dsn: str) -> None:
    counts = _counts(database, database_dsn)
    counts.stored([_new(10, "p@a.example", ms=NOV_30 - DAYS_KEPT * DAY_MS)], {})
    counts.stored([_new(10, "p@a.example", ms=NOV_30 - (DAYS_KEPT + 1) * DAY_MS)], {})
    await counts.write()
    assert len(await _told(database, PUBLIC)) == 2
    await counts.forget_old()
    assert len(await _told(database, PUBLIC)) == 1
    assert sum(n for _, _, n, _ in await _told(database, PUBLIC, monthly=True)) == 2
    counts._reactor.advance(430 * DAY_MS / 1000)
    await counts.forget_old()
    assert await _told(database, PUBLIC, monthly=True) == []
