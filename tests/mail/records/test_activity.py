"""What is recorded of what happens: bounded, in batches, for the account that it concerns."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import Clock, deferLater

from mailsacd.core.activity import RECEIVED, REFUSED
from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import ForbiddenError, InvalidInputError, UnauthenticatedError
from mailsacd.core.token import EnvelopeIds, milliseconds, time_of, utc_from_ms
from mailsacd.mail.accounts.sessions import Sessions
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.records import activity as activity_module
from mailsacd.mail.records.activity import KEPT_DAYS, MAX_GATHERED, Activity
from mailsacd.settings import AccountSettings
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.people import people
from tests.mail.property import ANN, BOB, add_accounts

reactor: Any = the_reactor
ALL: dict[str, Any] = {"since_ms": None, "until_ms": None, "limit": 100, "skip": 0}


@pytest_twisted.async_fixture
async def accounts(database: Database) -> None:
    await add_accounts(database, "ann", "bob")


async def seen(activity: Activity, actor: Actor = ANN, **page: Any) -> list[tuple[str, str, int]]:
    listed = await activity.list(actor, **{**ALL, **page})
    return [(event.kind, event.subject, event.times) for event in listed]


@pytest_twisted.ensureDeferred
async def test_events_are_there_at_once_newest_first_for_their_account(
    database: Database, accounts: None
) -> None:
    activity = Activity(database, reactor=reactor)
    activity.record("one", account="ann", subject="a@x.example", code=250, detail="d")
    activity.record("two", account="ann", subject="b\0@x.example")
    activity.record("else", account="bob", subject="c@x.example")
    activity.record("nobody's", account=None, subject="192.0.2.1")
    assert await seen(activity) == [("two", "b\ufffd@x.example", 1), ("one", "a@x.example", 1)]
    assert await seen(activity, BOB) == [("else", "c@x.example", 1)]
    assert await seen(activity, limit=1, skip=1) == [("one", "a@x.example", 1)]
    assert await seen(activity, kind="one") == [("one", "a@x.example", 1)]
    assert await seen(activity, kind="else") == []
    first = (await activity.list(ANN, **ALL))[-1]
    assert (first.code, first.detail) == (250, "d")
    at = milliseconds(time_of(first.id))
    assert await seen(activity, until_ms=at) == []
    assert len(await seen(activity, since_ms=at)) == 2
    with pytest.raises(UnauthenticatedError):
        await activity.list(ANYONE, **ALL)


@pytest_twisted.ensureDeferred
async def test_the_same_within_seconds_is_one_event(database: Database, accounts: None) -> None:
    activity = Activity(database, reactor=reactor)
    for _ in range(3):
        activity.record(REFUSED, account="ann", subject="spam.example", code=554)
    assert await seen(activity) == [(REFUSED, "spam.example", 3)]
    activity.record(REFUSED, account="ann", subject="spam.example", code=554)
    assert [times for *_, times in await seen(activity)] == [1, 3]


@pytest_twisted.ensureDeferred
async def test_of_too_many_the_oldest_are_dropped(database: Database, accounts: None) -> None:
    activity = Activity(database, reactor=reactor)
    for number in range(MAX_GATHERED + 10):
        activity.record("x", account="ann", subject=str(number))
    assert len(activity._gathered) == MAX_GATHERED
    listed = await activity.list(ANN, **{**ALL, "limit": MAX_GATHERED + 10})
    assert (listed[0].subject, listed[-1].subject) == (str(MAX_GATHERED + 9), "10")


@pytest_twisted.ensureDeferred
async def test_events_wait_while_the_database_is_away(
    database: Database, accounts: None, stopped_database: Database
) -> None:
    activity = Activity(stopped_database, reactor=reactor)
    for subject in ("a", "b", "a"):
        activity.record("x", account="ann", subject=subject)
        await activity._writing.run_now()
    assert len(activity._gathered) == 2
    activity._database = database
    assert await seen(activity) == [("x", "b", 1), ("x", "a", 2)]


@pytest_twisted.ensureDeferred
async def test_what_happened_is_not_the_next_account_s_of_that_name(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn) as node:
        activity = Activity(database, node.notices, reactor=reactor)
        await node.accounts.add("ann", "ann@example.net")
        activity.record("old", account="ann", subject="x")
        activity.record("both", account="ann", subject="x")
        await node.accounts.remove("ann")
        activity.record("late", account="ann", subject="x")
        assert await seen(activity) == []
        activity.record("meanwhile", account="ann", subject="x")
        await deferLater(reactor, 0.002)  # events have their times in milliseconds
        await node.accounts.add("ann", "another@example.net")
        activity.record("both", account="ann", subject="x")
        assert await seen(activity) == [("both", "x", 1)]


@pytest_twisted.ensureDeferred
async def test_mail_for_what_is_owned_is_recorded_and_other_mail_is_not(database: Database) -> None:
    await add_accounts(database, "ann")
    await database.run(
        "insert into address (email, domain, owner) values ('a@x.example', 'x.example', 'ann')"
    )
    activity = Activity(database, reactor=reactor)
    ingest = Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
        observers=[activity],
    )
    new = envelope(ingest, b"Subject: x\r\n\r\n", "b@x.example", "a@x.example")
    await ingest.deliver(new)
    [event] = await activity.list(ANN, **ALL)
    assert (event.kind, event.subject, event.code, event.detail) == (
        RECEIVED,
        "a@x.example",
        250,
        f"{new.id}-1",
    )


@pytest_twisted.ensureDeferred
async def test_old_events_are_forgotten(database: Database, accounts: None) -> None:
    activity = Activity(database, reactor=reactor)
    activity.record("new", account="ann", subject="x")
    old = datetime.now(UTC) - timedelta(days=KEPT_DAYS, minutes=1)
    event_id = EnvelopeIds().next(milliseconds(old))[0]
    await database.run(
        "insert into activity (id, account, kind, subject) values (%s, 'ann', 'old', 'x')",
        (event_id,),
    )
    assert len(await seen(activity)) == 2
    await activity.forget_old()
    assert await seen(activity) == [("new", "x", 1)]


@pytest.mark.parametrize("ms", [1, 1_700_000_000_123, 253_402_214_400_000])
def test_an_id_tells_its_time(ms: int) -> None:
    assert time_of(EnvelopeIds().next(ms)[0]) == utc_from_ms(ms)


@pytest_twisted.ensureDeferred
async def test_signing_in_is_recorded_and_so_is_failing_to(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn) as node:
        password_hash = await node.passwords.hash("correct horse")
        await node.accounts.add("ann", "ann@example.net", password_hash=password_hash)
        activity = Activity(database, reactor=reactor)
        sessions = Sessions(
            node.accounts, node.passwords, node.guesses, AccountSettings(), activity
        )
        for name, password in (("ann", "wrong horse"), ("nobody", "wrong horse")):
            with pytest.raises(UnauthenticatedError):
                await sessions.sign_in(name, password, peer="192.0.2.1")
        await sessions.sign_in("ann@example.net", "correct horse", peer="192.0.2.2")
        await node.accounts.change("ann", {"suspended": True})
        with pytest.raises(ForbiddenError):
            await sessions.sign_in("ann", "correct horse", peer="192.0.2.3")
        events = await activity.list(ANN, **ALL)
        assert [(e.kind, e.subject, e.code, e.detail) for e in events] == [
            ("sign-in-failed", "ann", 403, "192.0.2.3"),
            ("signed-in", "ann", 200, "192.0.2.2"),
            ("sign-in-failed", "ann", 401, "192.0.2.1"),
        ]


@dataclass
class _Told:
    """For how long accounts are told what happened, in minutes."""

    minutes: int
    longest: int = 30 * 1_440

    async def minutes_of(self, account: str) -> int:  # noqa: ARG002  as Kept
        return self.minutes

    async def longest_minutes(self) -> int:
        return self.longest


@pytest_twisted.ensureDeferred
async def test_of_too_many_in_a_day_the_rest_is_counted_by_the_hour(
    database: Database, accounts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_module, "MAX_A_DAY", 3)
    await database.run("update account set created = '2020-01-01'")
    clock = Clock()
    clock.advance(datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp())
    activity = Activity(database, reactor=clock)
    for _ in range(2):
        for number in range(6):
            activity.record(RECEIVED, account="ann", subject=str(number), code=250)
            activity.record(REFUSED, account="ann", subject=str(number), code=554)
        await activity._writing.run_now()
    activity.record(RECEIVED, account="bob", subject="not his flood")
    assert set(await seen(activity)) == {
        (RECEIVED, "0", 1), (REFUSED, "0", 1), (RECEIVED, "1", 1),
        (RECEIVED, "*", 10), (REFUSED, "*", 11),
    }  # fmt: skip
    assert await seen(activity, BOB) == [(RECEIVED, "not his flood", 1)]
    clock.advance(3_600)
    activity.record(RECEIVED, account="ann", subject="later", code=250)
    assert (await seen(activity))[0] == (RECEIVED, "*", 1)
    clock.advance(86_400)
    activity.record(RECEIVED, account="ann", subject="tomorrow", code=250)
    assert (await seen(activity))[0] == (RECEIVED, "tomorrow", 1)


@pytest_twisted.ensureDeferred
async def test_an_account_is_told_for_as_long_as_its_plan_has_it(
    database: Database, accounts: None
) -> None:
    told = _Told(15)
    await database.run("update account set created = '2020-01-01'")
    clock = Clock()
    clock.advance(datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp())
    activity = Activity(database, kept=told, reactor=clock)
    activity.record("x", account="ann", subject="old")
    await activity._writing.run_now()
    clock.advance(16 * 60)
    activity.record("x", account="ann", subject="new")
    assert await seen(activity) == [("x", "new", 1)]
    assert await seen(activity, since_ms=0) == [("x", "new", 1)]
    told.minutes = 17
    assert len(await seen(activity)) == 2
    await activity.forget_old()
    assert len(await seen(activity)) == 2
    told.longest = 15
    await activity.forget_old()
    assert await seen(activity) == [("x", "new", 1)]


@pytest_twisted.ensureDeferred
async def test_events_are_kept_for_as_long_as_any_account_is_told(
    database: Database, database_dsn: str
) -> None:
    async with people(database, database_dsn) as node:
        await node.accounts.add("ann", "ann@example.net")
        assert await node.accounts.longest_minutes() == await node.accounts.minutes_of("ann")
        await node.accounts.change("ann", {"overrides": {"activity_minutes": 100_000}})
        assert await node.accounts.minutes_of("ann") == 100_000
        assert await node.accounts.longest_minutes() == 100_000
        assert await node.accounts.minutes_of("nobody") == 0
        with pytest.raises(InvalidInputError):
            await node.accounts.change("ann", {"overrides": {"activity_minutes": 14}})
