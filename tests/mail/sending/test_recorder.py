"""Outcomes are written down whatever is wrong with one of them, and while the database is away."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from mailsacd.core.outcome import Outcome
from mailsacd.core.relay import Claim
from mailsacd.jobs.relay_places import RelayPlaces
from mailsacd.mail.sending.recorder import Entry
from mailsacd.store.pool import Database
from tests.jobs.post_office import NEVER, PostOffice
from tests.mail.property import add_accounts


@pytest_twisted.async_yield_fixture
async def office(database: Database) -> AsyncIterator[PostOffice]:
    await add_accounts(database, "ann")
    made = PostOffice(database)
    made.recorder.start()
    yield made
    await made.recorder.finish()


async def entries(office: PostOffice, *addresses: str, outcome: Outcome = NEVER) -> list[Entry]:
    """Of claims of a message for each address."""
    for address in addresses:
        await office.queue(address)
    claims: list[Claim] = []
    while lines := await office.relay.claim(RelayPlaces(10, 10).rooms()):
        claims += [claim for line in lines for claim in line.claims]
    made = []
    for claim in claims:
        message = await office.relay.find(claim.message_id)
        assert message is not None
        made += await office.recorder.entries(message, [(claim, outcome)])
    return made


async def states(office: PostOffice) -> dict[str, str]:
    return {row[0]: row[1] for row in await office.rows()}


@pytest_twisted.ensureDeferred
async def test_a_report_that_cannot_be_stored_does_not_keep_outcomes_from_being(
    office: PostOffice, logged_errors: list[LogEvent]
) -> None:
    bad, good = await entries(office, "a@b.example", "c@b.example")
    assert bad.report is not None
    await office.recorder.record([replace(bad, report=replace(bad.report, subject="\0")), good])
    assert await states(office) == {
        "a@b.example": "failed",
        "c@b.example": "failed",
        "ann@ann.example": "queued",  # one report
    }
    assert len(logged_errors) == 1
    logged_errors.clear()


@pytest_twisted.ensureDeferred
async def test_an_outcome_that_cannot_be_stored_holds_up_no_other(
    office: PostOffice, logged_errors: list[LogEvent]
) -> None:
    bad, good = await entries(office, "a@b.example", "c@b.example")
    ending = replace(bad.consequence.ending, reply="\0")
    broken = replace(bad, consequence=replace(bad.consequence, ending=ending))
    await office.recorder.record([broken, good])
    found = await states(office)
    assert (found["a@b.example"], found["c@b.example"]) == ("queued", "failed")
    assert len(logged_errors) == 2
    logged_errors.clear()


@pytest_twisted.ensureDeferred
async def test_outcomes_wait_while_the_database_is_away(
    office: PostOffice, stopped_database: Database
) -> None:
    [entry] = await entries(office, "a@b.example")
    there: Any = office.recorder._database
    office.recorder._database = stopped_database
    recorded = Deferred.fromCoroutine(office.recorder.record([entry]))
    for _ in range(5):
        office.clock.advance(1)
        await office.recorder._writing.run_now()
    assert not recorded.called
    office.recorder._database = there
    office.clock.advance(1)
    await recorded
    assert (await states(office))["a@b.example"] == "failed"
    assert len(await office.reports()) == 1


@pytest_twisted.ensureDeferred
async def test_what_is_recorded_twice_counts_once(office: PostOffice) -> None:
    [entry] = await entries(office, "a@b.example")
    await office.recorder.record([entry])
    await office.recorder.record([entry])
    assert len(await office.reports()) == 1
    assert [kind for kind, *_ in await office.told()] == ["send-failed"]
