"""The hub: every message to every listener once, whatever is late, lost, slow or stopped."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.errors import UnavailableError
from mailsacd.core.event import Interest, Pushed
from mailsacd.mail.push import poller as watch
from mailsacd.mail.push import stream as streams
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.mail.hubs import Heard, Held, in_inboxes, new_mail, node_hub, reactor, store
from tests.patience import until

BOB = "bob@example.com"
EVE = "eve@example.com"


async def _hang_up(database: Database, what: str) -> None:
    await database.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where query like %s and pid <> pg_backend_pid()",
        (what,),
    )


@pytest_twisted.ensureDeferred
async def test_a_listener_is_told_of_its_mail_and_of_no_other(
    database: Database, database_dsn: str
) -> None:
    await store(database, new_mail(BOB))
    async with node_hub(database, database_dsn) as node:
        stream, heard = await node.listen(in_inboxes(BOB))
        await store(database, new_mail(EVE))
        (first,) = await store(database, new_mail(BOB))
        await heard.has(first)
        second, _, third = await store(database, new_mail(BOB, EVE), new_mail(BOB))
        await heard.has(first, second, third)
        assert heard.pushed[0].inbox == BOB
        assert heard.json(0)["_id"] == first
        assert heard.json(0)["sequence"] == heard.sequences[0] != heard.sequences[1]
        stream.close()
        _, other = await node.listen(in_inboxes(BOB))
        (fourth,) = await store(database, new_mail(BOB))
        await other.has(fourth)
        assert len(heard.pushed) == 3


@pytest_twisted.ensureDeferred
async def test_commits_in_another_order_than_ids_are_all_told(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        early = await Held(database, new_mail(BOB)).stored()
        later = await Held(database, new_mail(BOB), new_mail(BOB)).stored()
        (at_once,) = await store(database, new_mail(BOB))
        await heard.has(at_once)
        _, from_here = await node.listen(in_inboxes(BOB))
        await later.commit()
        await heard.has(at_once, *later.ids)
        await early.commit()
        await heard.has(at_once, *later.ids, *early.ids)
        await from_here.has(*later.ids, *early.ids)


@pytest_twisted.ensureDeferred
async def test_what_is_rolled_back_is_never_told(database: Database, database_dsn: str) -> None:
    async with node_hub(database, database_dsn) as node:
        _, heard = await node.listen(in_inboxes(BOB))

        async def work(transaction: Any) -> None:
            await store(transaction, new_mail(BOB))
            raise LookupError

        with pytest.raises(LookupError):
            await database.transaction(work)
        await heard.has(*await store(database, new_mail(BOB)))


@pytest_twisted.ensureDeferred
async def test_what_is_stored_while_notices_are_not_heard_is_told_later(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        told = await store(database, new_mail(BOB))
        for _ in range(3):
            await _hang_up(database, "listen %")
            told += await store(database, new_mail(BOB))
            await until(lambda: node.notices.listening)
            told += await store(database, new_mail(BOB))
        await heard.has(*told)


@pytest_twisted.ensureDeferred
async def test_without_notices_mail_is_found_in_time(database: Database, database_dsn: str) -> None:
    async with node_hub(database, database_dsn, listens=False) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        await heard.has(*await store(database, new_mail(BOB)))


@pytest_twisted.ensureDeferred
async def test_nothing_is_missed_while_connections_to_the_database_break(
    database: Database, database_dsn: str
) -> None:
    own = Database(database_dsn, LANES.rest, connections=2, statement_timeout_s=5, reactor=reactor)
    await own.start()
    try:
        async with node_hub(own, database_dsn) as node:
            _, heard = await node.listen(in_inboxes(BOB))
            told = []
            for _ in range(10):
                told += await store(database, new_mail(BOB))
                await database.fetch(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where query like '%from event%' and query not like '%pg_terminate%'"
                )
                told += await store(database, new_mail(BOB))
            await heard.has(*told)
            assert heard.reasons == []
    finally:
        await own.stop()


@pytest_twisted.ensureDeferred
async def test_nothing_is_missed_when_all_connections_break_at_once(
    database: Database, database_dsn: str
) -> None:
    own = Database(database_dsn, LANES.rest, connections=2, statement_timeout_s=5, reactor=reactor)
    await own.start()
    try:
        async with node_hub(own, database_dsn) as node:
            _, heard = await node.listen(in_inboxes(BOB))
            told = await store(database, new_mail(BOB))
            for _ in range(3):
                (pid,) = (await database.fetch("select pg_backend_pid()"))[0]
                await database.fetch(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where backend_type = 'client backend'"
                    f" and pid not in (pg_backend_pid(), {pid})"
                )
                told += await store(database, new_mail(BOB), new_mail(BOB))
            await until(lambda: node.notices.listening)
            told += await store(database, new_mail(BOB))
            await heard.has(*told)
            assert heard.reasons == []
    finally:
        await own.stop()


@pytest_twisted.ensureDeferred
async def test_a_thousand_messages_reach_fifty_listeners_on_two_nodes_once_each(
    database: Database, database_dsn: str
) -> None:
    async with (
        node_hub(database, database_dsn) as one,
        node_hub(database, database_dsn) as another,
    ):
        listeners = [
            (await node.listen(in_inboxes(f"in{n % 5}@example.com")))[1]
            for n in range(25)
            for node in (one, another)
        ]
        sent: dict[int, list[str]] = {n: [] for n in range(5)}

        async def send(lane: int) -> None:
            for n in range(125):
                inbox = (n + lane) % 5
                sent[inbox] += await store(database, new_mail(f"in{inbox}@example.com"))

        await gatherResults([ensureDeferred(send(lane)) for lane in range(8)])
        for place, heard in enumerate(listeners):
            await heard.count(200)
            assert Counter(heard.ids) == Counter(sent[place // 2 % 5])
        first, second = (heard.pushed[0].json for heard in listeners[0:20:10])
        assert first is second  # made once


@pytest_twisted.ensureDeferred
async def test_more_events_than_a_poll_reads_are_read_in_turn(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node_hub(database, database_dsn, listens=False) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        held = await Held(database, new_mail(BOB)).stored()
        told = []
        for _ in range(7):
            told += await store(database, *(new_mail(BOB) for _ in range(100)))
        monkeypatch.setattr(node.notices, "listening", True)  # no timer: one poll finds all
        node.hub.wake()
        await heard.has(*told)
        await held.commit()
        node.hub.wake()
        await heard.has(*told, *held.ids)


@pytest_twisted.ensureDeferred
async def test_nothing_is_asked_while_nobody_listens(database: Database, database_dsn: str) -> None:
    own = Database(database_dsn, LANES.rest, connections=1, statement_timeout_s=5, reactor=reactor)
    await own.start()
    async with node_hub(own, database_dsn) as node:
        await own.stop()
        await store(database, new_mail(BOB))
        node.hub.wake()
        with pytest.raises(UnavailableError):
            await node.listen(in_inboxes(BOB))


@pytest_twisted.ensureDeferred
async def test_stopping_ends_streams_and_lets_no_more_begin(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        await heard.has(*await store(database, new_mail(BOB)))
        await node.hub.stop()
        assert "stopping" in await heard.is_lost()
        await store(database, new_mail(BOB))
        with pytest.raises(UnavailableError):
            await node.listen(in_inboxes(BOB))
        assert len(heard.pushed) == 1


@pytest_twisted.ensureDeferred
async def test_a_hub_that_was_away_for_too_long_says_so(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node_hub(database, database_dsn) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        await heard.has(*await store(database, new_mail(BOB)))
        with monkeypatch.context() as away:
            away.setattr(watch, "EVENTS_LAST_MS", -1)
            (missed,) = await store(database, new_mail(BOB))
            assert "missed" in await heard.is_lost()
        _, again = await node.listen(in_inboxes(BOB), heard.sequences[-1])
        await again.has(missed, *await store(database, new_mail(BOB)))


@pytest_twisted.ensureDeferred
async def test_pushes_are_told_with_the_accounts_of_those_who_listen(
    database: Database, database_dsn: str
) -> None:
    class Counted:
        def __init__(self) -> None:
            self.counts: list[tuple[str, list[str | None]]] = []

        def pushed(self, inbox: str, message_id: str, accounts: Sequence[str | None]) -> None:
            assert message_id
            self.counts.append((inbox, sorted(accounts, key=str)))

    counted = Counted()
    async with node_hub(database, database_dsn, counted) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        for account in ("ann", "ann", "ann", "eve"):
            _, heard = await node.listen(in_inboxes(BOB, account=account))
        await heard.has(*await store(database, new_mail(BOB)))
        assert counted.counts == [(BOB, [None, "ann", "ann", "ann", "eve"])]


@pytest_twisted.ensureDeferred
async def test_a_slow_listener_is_ended_and_others_stay(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_WAITING_MESSAGES", 10)
    async with node_hub(database, database_dsn) as node:
        _, slow = await node.listen(in_inboxes(BOB))
        stream, pausing = await node.listen(in_inboxes(BOB))
        _, quick = await node.listen(in_inboxes(BOB))
        slow.full = pausing.full = True
        told = await store(database, *(new_mail(BOB) for _ in range(10)))
        await quick.has(*told)
        assert pausing.ids == []
        pausing.full = False
        stream.resume()
        await pausing.has(*told)
        told += await store(database, new_mail(BOB))
        assert "slow" in await slow.is_lost()
        assert slow.ids == []
        await quick.has(*told)
        await pausing.has(*told)


@pytest_twisted.ensureDeferred
async def test_a_slow_listener_is_ended_by_bytes_too_but_never_for_one_message(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_WAITING_BYTES", 1)
    async with node_hub(database, database_dsn) as node:
        stream, slow = await node.listen(in_inboxes(BOB))
        _, quick = await node.listen(in_inboxes(BOB))
        slow.full = True
        told = await store(database, new_mail(BOB))
        await quick.has(*told)
        slow.full = False
        stream.resume()
        await slow.has(*told)
        slow.full = True
        await store(database, new_mail(BOB), new_mail(BOB))
        assert "slow" in await slow.is_lost()


@pytest_twisted.ensureDeferred
async def test_when_all_that_waits_is_too_much_the_slowest_ends(
    database: Database, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node_hub(database, database_dsn) as node:
        _, slow = await node.listen(in_inboxes(BOB))
        _, slower = await node.listen(in_inboxes(BOB, EVE))
        _, quick = await node.listen(in_inboxes(BOB, EVE))
        slow.full = slower.full = True
        await store(database, new_mail(EVE))
        await quick.count(1)
        monkeypatch.setattr(streams, "MAX_BACKLOG_BYTES", 2 * len(quick.pushed[0].json))
        await store(database, new_mail(BOB))
        await quick.count(2)
        await store(database, new_mail(EVE))
        await quick.count(3)
        assert "Too much" in await slower.is_lost()
        assert slow.reasons == []


@pytest_twisted.ensureDeferred
async def test_a_listener_that_fails_ends_alone(
    database: Database, database_dsn: str, logged_errors: list[Any]
) -> None:
    class Failing(Heard):
        def push(self, pushed: Pushed) -> None:
            raise LookupError(pushed.id)

    async with node_hub(database, database_dsn) as node:
        failing = Failing()
        await node.hub.open(in_inboxes(BOB), None, failing)
        _, heard = await node.listen(in_inboxes(BOB))
        await heard.has(*await store(database, new_mail(BOB)))
        assert "wrong" in await failing.is_lost()
    assert len(logged_errors) == 1
    logged_errors.clear()


@pytest_twisted.ensureDeferred
async def test_a_large_message_keeps_its_place(database: Database, database_dsn: str) -> None:
    async with node_hub(database, database_dsn) as node:
        _, heard = await node.listen(in_inboxes(BOB))
        large = b"Subject: large\r\n\r\n" + bytes(range(14, 127)) * 20_000
        mail = [new_mail(BOB, content=large if n % 3 == 1 else b"\r\nsmall") for n in range(9)]
        told = []
        for each in mail:
            told += await store(database, each)
        await heard.has(*told)
        assert len(heard.json(1)["raw"]) > len(large)


@pytest_twisted.ensureDeferred
async def test_a_large_message_holds_up_only_those_who_wait_for_it(
    database: Database, database_dsn: str
) -> None:
    large = b"Subject: large\r\n\r\n" + b"x" * 500_000
    async with node_hub(database, database_dsn) as node:
        _, bob = await node.listen(in_inboxes(BOB))
        _, eve = await node.listen(in_inboxes(EVE))
        _, both = await node.listen(in_inboxes(BOB, EVE))
        threads = node.forms._large
        await gatherResults([threads.acquire(), threads.acquire()])
        (late,) = await store(database, new_mail(BOB, content=large))
        (gone,) = await store(database, new_mail(BOB, content=large))
        (bobs,) = await store(database, new_mail(BOB))
        (eves,) = await store(database, new_mail(EVE))
        await eve.has(eves)
        assert bob.ids == both.ids == []
        await database.run("delete from message where id = %s", (gone,))
        threads.release()
        threads.release()
        await bob.has(late, bobs)
        await both.has(late, bobs, eves)
        assert bob.pushed[0].json is both.pushed[0].json


@pytest_twisted.ensureDeferred
async def test_what_is_deleted_before_it_is_fetched_is_passed_over(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn, listens=False) as node:
        _, heard = await node.listen(in_inboxes(BOB))

        async def work(transaction: Transaction) -> str:  # in one: nobody looks in between
            gone, there = await store(transaction, new_mail(BOB), new_mail(BOB))
            await transaction.run("delete from message where id = %s", (gone,))
            return there

        there = await database.transaction(work)
        node.hub.wake()
        await heard.has(there)


@pytest_twisted.ensureDeferred
async def test_two_thousand_idle_listeners_cost_a_poll_nothing(
    database: Database, database_dsn: str
) -> None:
    async with node_hub(database, database_dsn) as node:
        idle = [await node.listen(in_inboxes(f"idle{n}@example.com")) for n in range(2_000)]
        _, heard = await node.listen(Interest(None, all_public=True))
        told = []
        for _ in range(50):
            told += await store(database, new_mail(BOB))
        await heard.has(*told)
        assert not any(listener.pushed for _, listener in idle)
        for stream, _ in idle:
            stream.close()
