"""When mail that was stored unexamined is examined: at once when it is calm, now and then else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from mailsacd.core.errors import UnavailableError
from mailsacd.jobs.examine import _AWAY_S, LOOK_EVERY_S, PRESSED_EVERY_S, ExamineJob
from mailsacd.mail.backlog import Backlog
from mailsacd.mail.records.public_counts import Tallies
from mailsacd.store.pool import Database
from mailsacd.store.storing import store_envelopes
from tests.jobs.station import TestTime
from tests.mail.hubs import new_mail

BOB = "bob@example.com"


@dataclass
class Groups:
    """Stands where the backlog does; each run takes one of ``left``, or fails."""

    left: int = 0
    done: int = 0
    error: Exception | None = None

    async def examine_some(self) -> bool:
        if self.error is not None:
            raise self.error
        self.done += 1
        self.left = max(self.left - 1, 0)
        return self.left > 0


@dataclass
class Intake:
    """How busy ingest is."""

    unexamined: int = 0
    is_pressed: bool = False
    is_calm: bool = True

    def examined(self, count: int) -> None:
        self.unexamined -= count


@dataclass
class Station:
    groups: Groups = field(default_factory=Groups)
    intake: Intake = field(default_factory=Intake)
    clock: Clock = field(default_factory=Clock)
    job: ExamineJob = field(init=False)

    def __post_init__(self) -> None:
        self.job = ExamineJob(self.groups, self.intake, reactor=self.clock)  # type: ignore[arg-type]  # a backlog that tells what is asked of it

    def pass_time(self, seconds: float) -> int:
        """How many groups were examined meanwhile."""
        before = self.groups.done
        for _ in range(round(seconds / 0.01)):
            self.clock.advance(0.01)
        return self.groups.done - before


@pytest_twisted.async_yield_fixture
async def station() -> AsyncIterator[Station]:
    made = Station()
    yield made
    await made.job.stop()
    assert made.pass_time(2 * LOOK_EVERY_S) == 0
    assert not made.clock.getDelayedCalls()


def test_what_an_earlier_run_left_is_examined_at_the_start(station: Station) -> None:
    station.groups.left = 3
    station.job.start()
    station.pass_time(0.05)
    assert (station.groups.left, station.groups.done) == (0, 3)


def test_what_others_left_is_looked_for_every_few_seconds(station: Station) -> None:
    station.job.start()
    assert 4 <= station.pass_time(4.5 * LOOK_EVERY_S) <= 5


def test_when_it_is_calm_all_is_examined_at_once(station: Station) -> None:
    station.job.start()
    station.groups.left = station.intake.unexamined = 7
    assert station.pass_time(0.5) == 7
    assert station.intake.unexamined == 0


def test_under_pressure_a_group_is_examined_now_and_then(station: Station) -> None:
    station.job.start()
    station.intake.is_pressed, station.intake.is_calm = True, False
    station.groups.left = station.intake.unexamined = 100
    assert 9 <= station.pass_time(10 * PRESSED_EVERY_S) <= 11
    assert station.intake.unexamined == 100
    station.intake.is_pressed = False
    assert 20 <= station.pass_time(1) <= 60, "while some mail comes, with pauses"
    station.intake.is_calm = True
    station.pass_time(1)
    assert station.groups.left == 0


def test_what_is_deferred_while_the_last_group_is_examined_is_not_forgotten(
    station: Station,
) -> None:
    station.job.start()
    station.intake.unexamined = 1
    station.intake.examined = lambda count: setattr(  # type: ignore[method-assign]  # more comes just now
        station.intake, "unexamined", station.intake.unexamined + 5 - count
    )
    station.pass_time(0.3)
    assert station.intake.unexamined == 5


def test_an_unavailable_database_is_waited_for(station: Station) -> None:
    station.groups.error = UnavailableError("away")
    station.groups.left = station.intake.unexamined = 2
    station.job.start()
    assert station.pass_time(3 * _AWAY_S) == 0
    station.groups.error = None
    assert station.pass_time(1.1 * _AWAY_S) == 2


def test_a_defect_ends_nothing(station: Station, logged_errors: list[LogEvent]) -> None:
    station.groups.error = ValueError("a defect")
    station.job.start()
    station.pass_time(0.1)
    assert len(logged_errors) == 1
    logged_errors.clear()
    station.groups.error = None
    station.groups.left = 1
    assert station.pass_time(1.1 * _AWAY_S) == 1


@pytest.mark.parametrize("nodes", [1, 2])
@pytest_twisted.ensureDeferred
async def test_the_real_backlog_is_worked_off(database: Database, nodes: int) -> None:
    sent = [new_mail(BOB, examine=False) for _ in range(150)]
    await store_envelopes(database, sent)
    tallies = Tallies(database, reactor=TestTime())
    jobs = [
        ExamineJob(Backlog(database, tallies, reactor=reactor), Intake(), reactor=reactor)
        for _ in range(nodes)
    ]
    for job in jobs:
        job.start()
    left = 1
    looks = 0

    async def look() -> int:
        return int((await database.fetch("select count(*) from unexamined"))[0][0])

    while left and looks < 2000:
        left, looks = await look(), looks + 1
    for job in jobs:
        await job.stop()
    assert left == 0
    assert await database.fetch("select count(*) from message where facts like '%\"@\":%'") == [
        (0,)
    ]
