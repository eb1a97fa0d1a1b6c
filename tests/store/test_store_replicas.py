"""What takes long is read on a standby, and nobody reads what is older than the own request."""

import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, gatherResults
from twisted.internet.task import deferLater

from mailsacd.core.errors import ConfigurationError, UnavailableError
from mailsacd.store import pool, replicas
from mailsacd.store.connection import Connection
from mailsacd.store.pool import Database
from mailsacd.store.replica_figures import Fallback
from mailsacd.store.sql import Executor, column, one
from tests.data_directory import open_directory
from tests.external_postgres import ExternalPostgres, both, running_external
from tests.log_events import events_of
from tests.patience import PATIENCE_S, until
from tests.store.replicas import NUMBERS, Reading, number_of, reactor, standbys_of

_others = count(1_000_000)
Connect = Callable[..., Database]
ensure = pytest_twisted.ensureDeferred
_sleep = one(column, "select 1 from pg_sleep(%(seconds)s::integer)")


@pytest.fixture(scope="module")
def pair(migrated_data: Path) -> Iterator[tuple[ExternalPostgres, ExternalPostgres]]:
    """A primary and its standby for all tests that leave them as they were."""
    with open_directory() as directory, running_external(migrated_data, directory) as primary:
        yield primary, primary.standby(directory / "standby", synchronous=False)


@pytest.fixture
def primary(pair: tuple[ExternalPostgres, ExternalPostgres]) -> ExternalPostgres:
    pair[0].start_again()
    pair[0].run("drop table if exists t", "create table t (n int primary key)")
    return pair[0]


@pytest.fixture
def standby(pair: tuple[ExternalPostgres, ExternalPostgres]) -> ExternalPostgres:
    pair[1].start_again()
    pair[1].run(
        "alter system reset max_standby_streaming_delay",
        "select pg_reload_conf()",
        "select pg_wal_replay_resume()",
    )
    return pair[1]


@pytest_twisted.async_yield_fixture
async def reading(
    primary: ExternalPostgres, standby: ExternalPostgres, connect: Connect
) -> AsyncIterator[Reading]:
    made = Reading(connect(primary.dsn, connections=4), standbys_of(standby.dsn))
    yield await made.start()
    await made.standbys.stop()


@pytest.fixture
def own_pair(external_postgres: ExternalPostgres) -> tuple[ExternalPostgres, ExternalPostgres]:
    """A primary and its standby for the test alone."""
    external_postgres.run("create table t (n int primary key)")
    return external_postgres, another_standby(external_postgres, "standby")


def another_standby(primary: ExternalPostgres, name: str) -> ExternalPostgres:
    return primary.standby(primary.directory.with_name(name), synchronous=False)


async def read_on_standby(reading: Reading) -> None:
    """Read until that is done on the standby."""
    before = reading.read_on("standby")

    async def trying() -> None:
        while reading.read_on("standby") == before:
            number = next(_others)
            await reading.write(number)  # what is in the log is on the disk then, and on its way
            assert number in await reading.numbers()
            await deferLater(reactor, 0.05)

    await ensureDeferred(trying()).addTimeout(PATIENCE_S, reactor)


@ensure
async def test_each_write_is_there_for_the_next_read_wherever_that_is(reading: Reading) -> None:
    async def write_and_read(first: int) -> None:
        mine = range(first, first + 40)
        for number in mine:
            if number % 2:
                await reading.write(number)
            else:  # on no disk yet when it is answered
                quickly = "begin; set local synchronous_commit = off"
                await reading.primary.run(f"{quickly}; insert into t values ({number}); commit")
            found = set(await reading.numbers())
            assert found >= {each for each in mine if each <= number}

    for first in (0, 1_000, 2_000):
        reading.replicas._resting_until_s = 0.0
        everybody = [ensureDeferred(write_and_read(first + 100 * each)) for each in range(6)]
        await gatherResults(everybody, consumeErrors=True)
    await read_on_standby(reading)


@ensure
async def test_a_role_that_may_do_nothing_special_reads_there(
    primary: ExternalPostgres, standby: ExternalPostgres, connect: Connect
) -> None:
    primary.run("drop role if exists plain", "create role plain login", "grant all on t to plain")
    here, there = (each.dsn.replace("user=mailsacd", "user=plain") for each in (primary, standby))
    reading = Reading(connect(here), standbys_of(there))
    await until(lambda: standby.run("select 1 from pg_roles where rolname = 'plain'") != [])
    await read_on_standby(await reading.start())
    await reading.standbys.stop()


@ensure
async def test_answers_may_come_in_the_turn_in_which_they_were_asked_for(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Connection._advance

    def advance_late(connection: Connection) -> None:
        time.sleep(0.005)  # the server is quicker than that
        advance(connection)

    monkeypatch.setattr(Connection, "_advance", advance_late)
    await reading.write(1)
    await read_on_standby(reading)


@ensure
async def test_while_replay_stands_still_the_primary_is_read_and_after_a_while_without_waiting(
    reading: Reading, standby: ExternalPostgres
) -> None:
    await read_on_standby(reading)
    standby.run("select pg_wal_replay_pause()")
    before = reading.read_on("standby")
    for number in range(20):
        await reading.write(number)
        assert number in await reading.numbers()
    assert reading.read_on("standby") == before
    assert reading.fell_back(Fallback.BEHIND) >= 1
    assert reading.fell_back(Fallback.RESTING) >= 1
    standby.run("select pg_wal_replay_resume()")
    await read_on_standby(reading)


@ensure
async def test_a_standby_that_is_killed_is_missed_by_nobody_and_read_again_when_it_is_back(
    reading: Reading, standby: ExternalPostgres
) -> None:
    await read_on_standby(reading)
    standby.kill()
    before = reading.read_on("standby")
    for number in range(10):
        await reading.write(number)
        assert number in await reading.numbers()
    assert reading.read_on("standby") == before
    await until(lambda: not reading.standbys.is_there)
    reading.replicas._resting_until_s = 0.0  # it is to be asked for, and not to be left alone
    assert list(await reading.numbers())[:10] == list(range(10))
    assert reading.fell_back(Fallback.AWAY) >= 1
    standby.start()
    await read_on_standby(reading)


@ensure
async def test_a_standby_that_becomes_a_primary_is_read_no_more(
    own_pair: tuple[ExternalPostgres, ExternalPostgres],
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "_SWEEP_INTERVAL_S", 0.02)
    primary, standby = own_pair
    reading = await Reading(connect(primary.dsn), standbys_of(standby.dsn)).start()
    await read_on_standby(reading)
    standby.promote()
    await until(lambda: not standby.run("select 1 where pg_is_in_recovery()"))
    standby.run("delete from t")
    before = reading.read_on("standby")
    await reading.write(1)
    assert 1 in await reading.numbers()
    assert reading.fell_back(Fallback.PROMOTED) == 1
    await until(lambda: not reading.standbys.is_there)
    assert 1 in await reading.numbers()
    assert reading.read_on("standby") == before
    await reading.standbys.stop()


@ensure
async def test_a_standby_that_went_on_with_the_former_primary_is_not_read(
    own_pair: tuple[ExternalPostgres, ExternalPostgres], connect: Connect
) -> None:
    primary, standby = own_pair
    other = another_standby(primary, "other")
    standby.promote()
    await until(lambda: not standby.run("select 1 where pg_is_in_recovery()"))
    primary.run("insert into t select generate_series(1, 100000)")
    await until(lambda: other.run("select count(*) from t") == [(100_000,)])
    reading = await Reading(connect(standby.dsn), standbys_of(other.dsn)).start()
    await reading.write(7)
    assert list(await reading.numbers()) == [7]
    assert reading.fell_back(Fallback.OTHER_TIMELINE) == 1
    await reading.standbys.stop()


@ensure
async def test_of_two_standbys_another_is_tried_where_one_would_not_do(
    own_pair: tuple[ExternalPostgres, ExternalPostgres], connect: Connect
) -> None:
    primary, standby = own_pair
    other = another_standby(primary, "other")
    standby.run("select pg_wal_replay_pause()")
    reading = await Reading(connect(primary.dsn), standbys_of(both(standby, other))).start()
    await read_on_standby(reading)
    assert reading.fell_back(Fallback.BEHIND) >= 1  # the other one may be, too, on a busy machine
    await reading.standbys.stop()


@ensure
async def test_a_standby_of_another_database_is_not_read_and_that_is_told_once(
    primary: ExternalPostgres, standby: ExternalPostgres, connect: Connect
) -> None:
    elsewhere = standby.dsn.replace("dbname=postgres", "dbname=template1")
    reading = await Reading(connect(primary.dsn), standbys_of(elsewhere)).start()
    await reading.write(1)
    with events_of(replicas.__name__) as told:
        for _ in range(2):
            reading.replicas._resting_until_s = 0.0
            assert list(await reading.numbers()) == [1]
    assert reading.fell_back(Fallback.OTHER_DATABASE) == 2
    assert len(told) == 1
    await reading.standbys.stop()


@ensure
async def test_what_replay_breaks_off_is_read_anew_on_the_primary(
    reading: Reading, standby: ExternalPostgres
) -> None:
    await read_on_standby(reading)
    standby.run("alter system set max_standby_streaming_delay = 0", "select pg_reload_conf()")
    await reading.write(1)
    times = 0

    async def work(db: Executor) -> list[int]:
        nonlocal times
        times += 1
        found = await NUMBERS(db)
        if times == 1:  # it has read of the table, and is in its way
            await reading.primary.run("alter table t add column m int")
            await deferLater(reactor, 0.5)
        return found[:1] + (await NUMBERS(db))[:1]

    assert await reading.replicas.reading(work) == [1, 1]
    assert times == 2
    assert reading.fell_back(Fallback.FAILED) == 1


@ensure
async def test_what_takes_too_long_on_the_standby_is_not_done_on_the_primary_too(
    primary: ExternalPostgres, standby: ExternalPostgres, connect: Connect
) -> None:
    standbys = standbys_of(standby.dsn, statement_timeout_s=0.2)
    reading = await Reading(connect(primary.dsn), standbys).start()
    await read_on_standby(reading)
    with pytest.raises(UnavailableError):
        await reading.replicas.reading(lambda db: _sleep(db, seconds=5))
    assert reading.fell_back(Fallback.FAILED) == 0
    await standbys.stop()


@ensure
async def test_a_server_process_that_stands_still_holds_nobody_up(reading: Reading) -> None:
    await read_on_standby(reading)
    pid = await reading.standbys.reading(number_of)
    os.kill(pid, signal.SIGSTOP)
    try:
        since_s = reactor.seconds()
        await reading.write(1)
        assert 1 in await reading.numbers()
        assert reactor.seconds() - since_s < PATIENCE_S / 2
        assert reading.fell_back(Fallback.SLOW) == 1
    finally:
        os.kill(pid, signal.SIGCONT)
    await read_on_standby(reading)


@ensure
async def test_connections_to_the_standby_are_bounded_and_who_finds_none_reads_elsewhere(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read_on_standby(reading)
    started: list[int] = []
    go_on: Deferred[None] = Deferred()

    async def work(db: Executor) -> int:
        started.append(await number_of(db))
        if len(started) <= 2:  # these are on the standby
            await go_on
        return 1

    running = [ensureDeferred(reading.replicas.reading(work)) for _ in range(20)]
    await until(lambda: len(started) == 20)
    assert len(reading.standbys._open) == 2
    go_on.callback(None)
    assert await gatherResults(running) == [1] * 20
    assert reading.fell_back(Fallback.SLOW) == 18


@ensure
async def test_who_gives_up_has_nothing_read_on_the_primary(reading: Reading) -> None:
    await read_on_standby(reading)
    times = 0

    async def work(db: Executor) -> None:
        nonlocal times
        times += 1
        await _sleep(db, seconds=30)

    await reading.write(1)
    before = reading.read_on("primary")
    running = ensureDeferred(reading.replicas.reading(work))
    await until(lambda: times == 1)
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    assert (times, reading.read_on("primary")) == (1, before)
    await read_on_standby(reading)


@ensure
async def test_without_a_primary_nothing_is_read(
    reading: Reading, primary: ExternalPostgres
) -> None:
    await read_on_standby(reading)
    primary.kill()
    with pytest.raises(UnavailableError):
        await reading.numbers()
    primary.start()


def test_a_connection_string_that_is_none_is_told_by_the_setting_that_has_it() -> None:
    with pytest.raises(ConfigurationError, match=r"database\.replica_dsn is no connection string"):
        standbys_of("nonsense")


def test_the_waits_are_short_beside_what_is_read() -> None:
    assert replicas.REPLAYED_WITHIN_S <= 0.05
    assert replicas.READY_WITHIN_S <= 0.5
