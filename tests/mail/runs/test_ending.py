"""What becomes of runs whose time is over: deleted once, whoever does it and whatever dies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.account import new_run_key
from mailsacd.core.actor import Scope, by_command
from mailsacd.core.errors import ForbiddenError, UnauthenticatedError
from mailsacd.core.event import Arrival, Interest
from mailsacd.core.fault_plan import FaultPlan
from mailsacd.core.run import Run, new_run_id
from mailsacd.mail.accounts.guesses import GUESSES
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.records.activity import Activity
from mailsacd.mail.runs import ending as module
from mailsacd.mail.runs.ending import EndingRuns
from mailsacd.mail.runs.runs import Runs
from mailsacd.run_settings import RunSettings
from mailsacd.store.erasures import remove_erased
from mailsacd.store.faults import set_plan
from mailsacd.store.pool import Database
from mailsacd.store.runs import FORGOTTEN_AFTER_S
from mailsacd.store.storing import store_envelopes
from tests.mail.hubs import new_mail
from tests.mail.people import People, people

ensure = pytest_twisted.ensureDeferred
PEER = "192.0.2.1"
OVER = "update run set ends = now() - make_interval(secs => %s)"


@dataclass
class Node:
    """The objects of a node."""

    people: People
    directory: Directory
    activity: Activity
    runs: Runs

    def ending(self) -> EndingRuns:
        return EndingRuns(
            self.people.database,
            self.people.accounts,
            self.directory,
            self.activity,
            reactor=the_reactor,
        )

    async def begin(self) -> tuple[Run, str]:
        return await self.runs.begin(by_command("ann"), name="", domain=None, ends=None)


@asynccontextmanager
async def node(database: Database, dsn: str) -> AsyncIterator[Node]:
    async with people(database, dsn) as made:
        await made.key("ann")
        directory = Directory(database, made.notices)
        activity = Activity(database, reactor=the_reactor)
        settings = RunSettings(domain="ci.example")
        yield Node(
            made,
            directory,
            activity,
            Runs(database, made.accounts, directory, activity, settings, "lent.example"),
        )


async def _store(database: Database, inbox: str, many: int) -> None:
    for _ in range(0, many, 200):
        batch = [new_mail(inbox) for _ in range(min(many, 200))]
        await store_envelopes(database, batch, hooks=False)


async def _count(database: Database, table: str) -> int:
    rows, _ = await database.run(f"select count(*) from {table}")
    return int(rows[0][0])


async def _remove_all(database: Database) -> None:
    while await database.transaction(remove_erased):
        pass


@ensure
async def test_a_run_that_is_over_is_deleted_by_one_node_and_forgotten_later(
    database: Database, database_dsn: str
) -> None:
    async with node(database, database_dsn) as here:
        run, key = await here.begin()
        assert run.domain == f"{run.id}.ci.example"
        staying, _ = await here.runs.begin(
            by_command("ann"), name="", domain="lent.example", ends=None
        )
        await _store(database, f"bob@{run.domain}", 600)
        await _store(database, f"bob@{staying.domain}", 1)
        assert (await here.people.authenticator.authenticate(key)).account == "ann"
        for each in (run, staying):
            await set_plan(database, each.domain, "ann", FaultPlan(byAddress=True))
        await database.run(f"{OVER} where id = %s", (1, run.id))
        steps = (ensureDeferred(here.ending().step()) for _ in range(2))
        await gatherResults(list(steps))
        with pytest.raises(UnauthenticatedError):
            await here.people.authenticator.authenticate(key)
        assert await _count(database, "erasure") == 1
        assert await _count(database, "fault_plan") == 1
        await _remove_all(database)
        assert await _count(database, "message") == 1
        await _store(database, f"late@{run.domain}", 1)  # its RCPT was before the end
        await here.ending().step()
        assert await _count(database, "message") == 2
        await database.run(f"{OVER} where id = %s", (FORGOTTEN_AFTER_S + 1, run.id))
        await here.ending().step()
        await _remove_all(database)
        assert await _count(database, "message") == await _count(database, "run") == 1
        assert await _count(database, "domain") == 1
        assert await here.directory.domain(run.domain) is None
        assert [found.id for found in await here.runs.list(by_command("ann"))] == [staying.id]


@pytest.mark.parametrize("public", [True, False])
@ensure
async def test_what_comes_for_a_run_that_is_forgotten_is_nobodys_and_seen_by_nobody(
    database: Database, public: bool
) -> None:
    run = f"{new_run_id()}.ci.example"
    inboxes = (f"late@{run}", "late@run-on.example")
    new = new_mail(*inboxes)
    assert await store_envelopes(database, [new], public=public) == {}
    rows = await database.fetch("select inbox, owner, private from message order by id")
    assert rows == [(inboxes[0], None, True), (inboxes[1], None, False)]
    arrivals = (await database.fetch("select messages from event"))[0][0]
    came = {each.inbox: each for each in msgspec.json.decode(arrivals, type=list[Arrival])}
    hidden, told = (came[inbox] for inbox in inboxes)
    everything = Interest("ann", domains=frozenset({run, "run-on.example"}), all_public=True)
    assert not everything.includes(hidden)
    assert everything.includes(told)


@ensure
async def test_what_a_crash_broke_off_is_done_by_the_next_node(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node(database, database_dsn) as here:
        run, _ = await here.begin()
        await _store(database, f"bob@{run.domain}", 3)
        await database.run(OVER, (1,))

        async def killed(*_: object) -> None:
            raise ConnectionAbortedError

        with monkeypatch.context() as patched:
            patched.setattr(module, "announce", killed)
            with pytest.raises(ConnectionAbortedError):
                await here.ending().step()
        assert await _count(database, "erasure") == 0
        await here.ending().step()
        await _remove_all(database)
        assert await _count(database, "message") == 0


@ensure
async def test_a_run_that_ended_long_before_a_daemon_ran_is_told_of_once(
    database: Database, database_dsn: str
) -> None:
    async with node(database, database_dsn) as here:
        await here.begin()
        await database.run(OVER, (FORGOTTEN_AFTER_S + 1,))
        for _ in range(2):
            await here.ending().step()
        told = await here.activity.list(by_command("ann"), limit=10)
        assert [(each.kind, each.detail) for each in told][:1] == [("run", "its time is over")]


@ensure
async def test_a_run_goes_with_its_account(database: Database, database_dsn: str) -> None:
    async with node(database, database_dsn) as here:
        run, key = await here.begin()
        await _store(database, f"bob@{run.domain}", 3)
        await here.people.accounts.remove("ann")
        with pytest.raises(UnauthenticatedError):
            await here.people.authenticator.authenticate(key)
        for table in ("message", "run", "domain", "erasure"):
            assert await _count(database, table) == 0, table


@ensure
async def test_the_domain_of_a_run_is_the_operators_or_the_accounts(
    database: Database, database_dsn: str
) -> None:
    async with node(database, database_dsn) as here:
        for domain in ("other.example", f"{new_run_id()[:-1]}.ci.example"):
            with pytest.raises(ForbiddenError):
                await here.runs.begin(by_command("ann"), name="", domain=domain, ends=None)


@ensure
async def test_many_keys_that_are_new_here_are_no_guesses_nor_are_those_of_ended_runs(
    database: Database, database_dsn: str
) -> None:
    async with node(database, database_dsn) as here:
        begun = [await here.begin() for _ in range(GUESSES * 2)]
        authenticate = here.people.authenticator.authenticate
        at_once = [ensureDeferred(authenticate(key, PEER)) for _, key in begun]
        actors = await gatherResults(at_once)
        scopes = {actor.scope for actor in actors}
        assert scopes == {Scope(domain=run.domain) for run, _ in begun}
        for run, key in begun:
            await here.runs.end(by_command("ann"), run.id)
            with pytest.raises(UnauthenticatedError):
                await authenticate(key, PEER)
        with pytest.raises(UnauthenticatedError):
            await authenticate(new_run_key(), PEER)
