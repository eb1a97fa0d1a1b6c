"""What accounts use in a month, and what happens when that is all of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from mailsacd.core.activity import THROTTLED, USAGE_WARNING
from mailsacd.core.actor import Actor, by_command
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import ThrottledError
from mailsacd.mail.limits.usage import ASK_EVERY_S, KEPT_DAYS, Metered, Usage
from mailsacd.mail.limits.usage_report import UsageReports
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.records.activity import Activity
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from mailsacd.store.usage import API, INBOUND, NewUse, add_uses, note_warning
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.people import People, people

reactor: Any = the_reactor

LIMIT = 3
JANUARY_30 = datetime(2026, 1, 30, 12, tzinfo=UTC).timestamp()
DAY_S = 86_400


@dataclass
class House:
    people: People
    clock: Clock
    usage: Usage
    activity: Activity

    async def rows(self) -> list[tuple[str, str, str, int]]:
        await self.usage.write()
        return await self.people.database.fetch(
            "select account, month::text, kind, sum(count)::bigint from usage"
            " group by 1, 2, 3 order by 1, 2, 3"
        )


@pytest_twisted.async_yield_fixture
async def house(database: Database, database_dsn: str) -> AsyncIterator[House]:
    async with people(database, database_dsn) as made:
        await made.accounts.add("ann", "ann@example.net")
        await made.accounts.change("ann", {"overrides": {"ops_per_month": LIMIT}})
        await database.run("update account set created = '2020-01-01'")
        clock = Clock()
        clock.advance(JANUARY_30)
        yield make_house(made, clock)


def make_house(made: People, clock: Clock) -> House:
    activity = Activity(made.database, reactor=clock)
    usage = Usage(made.database, made.accounts, activity, made.notices, reactor=clock)
    return House(made, clock, usage, activity)


@pytest_twisted.ensureDeferred
async def test_calls_are_counted_and_one_too_many_is_refused_until_the_month_ends(
    house: House,
) -> None:
    for _ in range(LIMIT):
        await house.usage.call("ann")
    for _ in range(2):
        with pytest.raises(ThrottledError) as refused:
            await house.usage.call("ann")
    assert refused.value.retry_after_s == DAY_S * 3 // 2 + 1
    assert await house.rows() == [("ann", "2026-01-01", API, LIMIT)]
    events = await house.activity.list(
        Actor(account="ann"), since_ms=None, until_ms=None, limit=9, skip=0
    )
    [event] = [event for event in events if event.kind == THROTTLED]
    assert (event.kind, event.code, event.times) == ("throttled", 429, 2)
    house.clock.advance(2 * DAY_S)
    await house.usage.call("ann")
    assert (await house.rows())[1:] == [("ann", "2026-02-01", API, 1)]


@pytest_twisted.ensureDeferred
async def test_what_another_node_counts_counts_here_too(house: House) -> None:
    other = make_house(house.people, house.clock)
    await house.usage.call("ann")
    for _ in range(LIMIT - 1):
        await other.usage.call("ann")
    await other.usage.write()
    house.clock.advance(ASK_EVERY_S + 1)
    with pytest.raises(ThrottledError):
        await house.usage.call("ann")


@pytest_twisted.ensureDeferred
async def test_another_limit_holds_as_soon_as_it_is_known(house: House) -> None:
    for _ in range(LIMIT):
        await house.usage.call("ann")
    await house.people.accounts.change("ann", {"overrides": {"ops_per_month": LIMIT + 1}})
    house.usage.forget("ann")
    await house.usage.call("ann")
    with pytest.raises(ThrottledError):
        await house.usage.call("ann")


@pytest_twisted.ensureDeferred
async def test_calls_with_a_key_count_and_those_with_a_session_do_not(house: House) -> None:
    key = await house.people.key("ann")
    metered = Metered(house.people.authenticator, house.usage)
    for _ in range(LIMIT):
        assert (await metered.authenticate(key)).account == "ann"
    with pytest.raises(ThrottledError):
        await metered.authenticate(key)
    assert await metered.session("x" * 43) is None
    assert await house.rows() == [("ann", "2026-01-01", API, LIMIT)]


@pytest_twisted.ensureDeferred
async def test_calls_are_told_by_key_until_that_is_gone(house: House) -> None:
    keys = house.people.keys
    await house.people.accounts.change("ann", {"overrides": {"ops_per_month": 100}})
    made = {}
    metered = Metered(house.people.authenticator, house.usage)
    for name, calls in (("one", 1), ("two", 2)):
        made[name], value = await keys.add(by_command("ann"), name)
        for _ in range(calls):
            await metered.authenticate(value)
    house.usage.count("ann", API, 4, key="no such key")
    await house.usage.write()
    reports = UsageReports(house.people.accounts, reactor=house.clock)

    async def told() -> list[tuple[str, int]]:
        return [(use.key, use.count) for use in (await reports.of("ann", months=1)).uses]

    assert await told() == [("", 4), ("two", 2), ("one", 1)]
    await keys.remove(by_command("ann"), made["two"].id)
    assert await told() == [("", 6), ("one", 1)]


@pytest_twisted.ensureDeferred
async def test_an_account_is_warned_once_at_each_mark_whatever_nodes_there_are(
    house: House,
) -> None:
    await house.people.accounts.change("ann", {"overrides": {"ops_per_month": 10}})
    other = make_house(house.people, house.clock)
    warned = []
    for n, each in ((7, house), (1, house), (0, other), (2, other), (5, house)):
        if n:
            each.usage.count("ann", INBOUND, n)
        await each.usage.write()
        for activity in (house.activity, other.activity):
            await activity._writing.run_now()
        events = await house.activity.list(
            Actor(account="ann"), since_ms=None, until_ms=None, limit=9, skip=0
        )
        warned.append({e.detail.partition(" %")[0] for e in events if e.kind == USAGE_WARNING})
        assert len(events) == len(warned[-1])
    assert warned == [set(), {"80"}, {"80"}, {"80", "100"}, {"80", "100"}]
    reports = UsageReports(house.people.accounts, reactor=house.clock)
    report = await reports.of("ann", months=1)
    assert (report.used, report.limit, report.warning) == (15, 10, 100)
    house.clock.advance(2 * DAY_S)
    house.usage.count("ann", INBOUND, 9)
    await house.usage.write()
    await house.activity._writing.run_now()
    [newest, *_] = await house.activity.list(
        Actor(account="ann"), since_ms=None, until_ms=None, limit=9, skip=0
    )
    assert newest.detail.startswith("80 %")


@pytest_twisted.ensureDeferred
async def test_a_warning_that_could_not_be_given_is_given_later_and_nothing_counts_twice(
    house: House, stopped_database: Database
) -> None:
    database = house.people.database
    house.usage.warnings._database = stopped_database
    house.usage.count("ann", INBOUND, LIMIT)
    await house.usage.write()
    house.usage.warnings._database = database
    assert await house.rows() == [("ann", "2026-01-01", INBOUND, LIMIT)]
    assert await database.fetch("select percent from usage_warning order by 1") == [(80,), (100,)]


@pytest_twisted.ensureDeferred
async def test_what_is_not_written_yet_is_told_all_the_same(house: House) -> None:
    house.usage.count("ann", API, 2)
    house.usage.count("bob", API)
    house.usage.count("ann", "send", 7)
    assert house.usage.unwritten("ann") == 2
    await house.usage.write()
    assert house.usage.unwritten("ann") == 0


@pytest_twisted.ensureDeferred
async def test_mail_for_what_is_owned_counts(house: House) -> None:
    database = house.people.database
    await database.run(
        "insert into address (email, domain, owner) values ('a@x.example', 'x.example', 'ann')"
    )
    ingest = Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
        observers=[house.usage],
    )
    for address in ("a@x.example", "b@x.example", "a@x.example"):
        await ingest.deliver(envelope(ingest, b"Subject: x\r\n\r\n", address))
    assert await house.rows() == [("ann", "2026-01-01", INBOUND, 2)]


@pytest_twisted.ensureDeferred
async def test_counts_wait_while_the_database_is_away(
    house: House, stopped_database: Database
) -> None:
    database = house.people.database
    house.usage._database = stopped_database
    house.usage.count("ann", API, 2)
    await house.usage.write()
    house.usage.count("ann", API)
    house.usage._database = database
    assert await house.rows() == [("ann", "2026-01-01", API, 3)]


@pytest_twisted.ensureDeferred
async def test_an_account_that_is_gone_takes_nobody_along(house: House) -> None:
    house.usage.count("gone", API)
    house.usage.count("ann", API)
    assert await house.rows() == [("ann", "2026-01-01", API, 1)]
    await house.usage.call("gone")


@pytest_twisted.ensureDeferred
async def test_what_was_used_is_not_the_next_account_s_of_that_name(house: House) -> None:
    for _ in range(LIMIT):
        await house.usage.call("ann")
    house.usage.count("ann", INBOUND, 5)
    await house.people.accounts.remove("ann")
    made = await house.people.accounts.add("ann", "another@example.net")
    house.usage.forget("ann")  # as the notice has it
    assert await house.rows() == []
    house.clock.advance(made.created.timestamp() + 1 - house.clock.seconds())
    await house.usage.call("ann")
    assert [(kind, n) for _, _, kind, n in await house.rows()] == [(API, 1)]


@pytest_twisted.ensureDeferred
async def test_what_was_being_looked_up_of_an_account_is_not_kept_when_it_goes(
    house: House,
) -> None:
    for _ in range(LIMIT):
        await house.usage.call("ann")
    house.clock.advance(ASK_EVERY_S + 1)
    asking = Deferred.fromCoroutine(house.usage.check("ann"))
    house.usage.forget("ann")
    with pytest.raises(ThrottledError):
        await asking
    assert len(house.usage._standings) == 0


@pytest_twisted.ensureDeferred
async def test_old_months_are_forgotten(house: House) -> None:
    house.usage.count("ann", API)
    await house.usage.write()
    house.clock.advance((KEPT_DAYS - 40) * DAY_S)
    await house.usage.forget_old()
    assert len(await house.rows()) == 1
    house.clock.advance(50 * DAY_S)
    await house.usage.forget_old()
    assert await house.rows() == []


@pytest_twisted.ensureDeferred
async def test_an_account_that_is_just_being_deleted_is_waited_for_and_left_out(
    house: House,
) -> None:
    database = house.people.database
    month = date(2026, 1, 1)
    use = NewUse("ann", month, API, 1, "", datetime(2026, 1, 30, tzinfo=UTC))
    for write in (
        lambda: add_uses(database, [use]),
        lambda: note_warning(database, "ann", month, 80),
    ):
        writing: list[Deferred[Any]] = []

        async def delete(
            transaction: Transaction, write: Any = write, writing: Any = writing
        ) -> None:
            await transaction.run("delete from account where name = 'ann'")
            writing.append(Deferred.fromCoroutine(write()))
            await deferLater(reactor, 0.2)  # until it waits for this

        await database.transaction(delete)
        await writing[0]  # raises nothing
        await house.people.accounts.add("ann", "ann@example.net")
    assert await house.rows() == []
    assert await database.fetch("select count(*) from usage_warning") == [(0,)]
