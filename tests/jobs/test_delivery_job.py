"""What is to be delivered is delivered: in the end, with one id, and whoever else hangs."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_twisted
from msgspec.structs import replace
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from mailsacd.core.activity import DELIVERED, DELIVERY_FAILED, WEBHOOK_DISABLED
from mailsacd.core.delivery import Attempt
from mailsacd.core.errors import ConflictError, NotFoundError
from mailsacd.store import removal
from mailsacd.store.deliveries import Rooms
from mailsacd.store.pool import Database
from mailsacd.store.usage import uses_of_month
from tests.jobs.station import CONTENT, Station, verify
from tests.mail.envelopes import envelope
from tests.mail.property import ANN, BOB, add_accounts
from tests.outbound.receiver import OK, Posted, Receiver, status
from tests.patience import until

reactor: Any = the_reactor

BOX, OTHER = "box@a.example", "other@a.example"
DAY_S = 86_400.0
LEASE_S = 45

MakeStation = Callable[..., Station]
Receive = Callable[..., Receiver]


@pytest_twisted.async_yield_fixture
async def make_station(database: Database) -> AsyncIterator[MakeStation]:
    await add_accounts(database, "ann", "bob")
    made: list[Station] = []

    def make(**settings: Any) -> Station:
        made.append(Station(database, **settings))
        made[-1].job.start()
        return made[-1]

    yield make
    for station in made:
        stopped = Deferred.fromCoroutine(station.job.stop())
        while not stopped.called:  # a test may leave some that never end
            station.clock.advance(1)
            await deferLater(reactor, 0.001)
        await station.ingest.finish()


def failing_first(times: int, code: int = 500) -> Callable[[Posted], bytes]:
    """Answers ``code`` so often to each event, then 200."""
    seen: dict[str, int] = {}

    def answer(posted: Posted) -> bytes:
        seen[posted.id] = seen.get(posted.id, 0) + 1
        return status(code) if seen[posted.id] <= times else OK

    return answer


@pytest_twisted.ensureDeferred
async def test_mail_is_posted_at_once_and_signed(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    (message_id,) = await station.mail(BOX)
    await station.settle()
    (posted,) = receiver.got
    form = verify(posted, await station.deliveries.secret(ANN))
    assert (form["_id"], form["inbox"], form["subject"]) == (message_id, BOX, "hello")
    assert form["text"] == "the text\n"
    assert form["raw"].endswith("Subject: hello\r\n\r\nthe text\r\n")
    assert posted.headers["content-type"] == "application/json"
    (delivery,) = await station.listed()
    assert (delivery.id, delivery.message_id) == (posted.id, message_id)
    assert (delivery.state, delivery.attempts, delivery.code) == ("delivered", 1, 200)
    assert (delivery.due, delivery.error) == (None, "")
    assert await station.told() == [(DELIVERED, BOX, 200, f"webhook {posted.id}")]


@pytest_twisted.ensureDeferred
async def test_mail_for_others_is_not_posted(make_station: MakeStation, receive: Receive) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(OTHER, "x@b.example")
    await station.settle()
    assert (receiver.got, await station.listed()) == ([], [])


@pytest_twisted.ensureDeferred
async def test_mail_that_another_account_captured_is_not_posted(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    for account in ("bob", "ann"):
        new = envelope(station.ingest, CONTENT, BOX)
        await station.ingest.deliver(replace(new, saved_by=account))
        await station.settle()
    assert receiver.ids == [f"{new.id}-0-w1"]


@pytest.mark.parametrize("code", [500, 404, 409, 301, 429, 199 + 101])
@pytest_twisted.ensureDeferred
async def test_another_answer_than_2xx_is_tried_again_with_the_same_id(
    make_station: MakeStation, receive: Receive, code: int
) -> None:
    station, receiver = make_station(), receive(failing_first(3, code))
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(BOX)
    await station.settle()
    (delivery,) = await station.listed()
    assert (delivery.state, delivery.attempts, delivery.code) == ("pending", 1, code)
    assert str(code) in delivery.error
    assert delivery.due is not None
    await station.pass_time(60)
    assert len(receiver.got) == 4
    assert len(set(receiver.ids)) == 1
    assert len({posted.body for posted in receiver.got}) == 1
    times = [int(posted.headers["webhook-timestamp"]) for posted in receiver.got]
    assert times == sorted(set(times))
    for posted in receiver.got:
        verify(posted, await station.deliveries.secret(ANN))
    assert (await station.listed())[0].attempts == 4
    assert [kind for kind, *_ in await station.told()] == [DELIVERED]


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_is_down_for_an_hour_gets_everything_once_within_ten_minutes(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive()
    url, port = receiver.url(), receiver.port
    await receiver.stop()
    await station.reserve(BOX, webhook=url)
    sent = []
    for _ in range(12):
        sent += await station.mail(BOX)
        await station.pass_time(300, step_s=20)
    assert set(await station.states()) == {"pending"}
    assert all("refused" in delivery.error for delivery in await station.listed())
    back = receive(port=port)
    await station.pass_time(600, step_s=5)
    assert sorted(back.ids) == [f"{message_id}-w1" for message_id in sent]
    assert set(await station.states()) == {"delivered"}


@pytest_twisted.ensureDeferred
async def test_after_a_day_it_has_failed(make_station: MakeStation, receive: Receive) -> None:
    station, receiver = make_station(), receive(lambda _: status(503))
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(BOX)
    await station.pass_time(DAY_S - 700, step_s=400)
    assert await station.states() == ["pending"]
    await station.pass_time(1400, step_s=100)
    (delivery,) = await station.listed()
    assert (delivery.state, delivery.code, delivery.due) == ("failed", 503, None)
    tried = len(receiver.got)
    assert tried - 1 <= delivery.attempts <= tried  # time runs on while one is under way
    assert await station.told() == [
        (DELIVERY_FAILED, BOX, 503, f"webhook {delivery.id} The answer was 503")
    ]
    await station.pass_time(DAY_S, step_s=10_000)
    assert len(receiver.got) == tried


@pytest_twisted.ensureDeferred
async def test_one_target_gets_so_many_at_a_time_and_others_go_on(
    make_station: MakeStation, receive: Receive
) -> None:
    station = make_station(max_requests_per_target=3)
    slow, quick = receive(lambda _: None), receive()
    await station.reserve(BOX, webhook=slow.url())
    await station.reserve(OTHER, webhook=quick.url())
    for _ in range(10):
        await station.mail(BOX)
    for _ in range(20):
        await station.mail(OTHER)
    await until(lambda: len(quick.got) == 20)
    assert (slow.most_at_a_time, len(slow.got)) == (3, 3)
    slow.answer = lambda _: OK
    for connection in slow.connections:
        connection.say(OK)
        connection.close()
    await station.settle()
    assert len(set(slow.ids)) == len(slow.got) == 10
    assert slow.most_at_a_time == 3


@pytest_twisted.ensureDeferred
async def test_accounts_take_turns_at_a_target(
    make_station: MakeStation, receive: Receive, database: Database
) -> None:
    station, receiver = make_station(max_requests_per_target=1), receive(lambda _: None)
    await station.reserve(BOX, webhook=receiver.url("/ann"))
    await station.reserve("bob@b.example", "bob", webhook=receiver.url("/bob"))
    for _ in range(30):
        await station.mail(BOX)
    await station.mail("bob@b.example")
    receiver.answer = lambda _: OK
    for connection in receiver.connections:
        connection.say(OK)
        connection.close()
    await station.settle()
    paths = [posted.lines[0].split()[1] for posted in receiver.got]
    assert len(paths) == 31
    assert paths.index("/bob") < 30  # they draw lots


@pytest_twisted.ensureDeferred
async def test_an_account_has_half_of_all_at_most(
    make_station: MakeStation, receive: Receive
) -> None:
    station = make_station(max_requests=4)
    hanging = [receive(lambda _: None) for _ in range(5)]
    quick = receive()
    for place, receiver in enumerate(hanging):
        await station.reserve(f"{place}@a.example", webhook=receiver.url())
    await station.reserve("bob@b.example", "bob", webhook=quick.url())
    for place in range(len(hanging)):
        await station.mail(f"{place}@a.example")
    await until(lambda: sum(len(r.got) for r in hanging) == 2)
    for _ in range(5):
        await station.mail("bob@b.example")
    await until(lambda: len(quick.got) == 5)
    assert sum(len(r.got) for r in hanging) == 2


@pytest.mark.usefixtures("answers_at_once")
@pytest_twisted.ensureDeferred
async def test_whoever_ends_makes_room_before_the_next_is_begun(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(max_requests=2), receive()
    await station.reserve(BOX, webhook=receiver.url())
    await station.reserve("bob@b.example", "bob", webhook=receiver.url())
    for _ in range(10):
        await station.mail(BOX)
        await station.mail("bob@b.example")
    await until(lambda: len(receiver.got) == 20)


@pytest_twisted.ensureDeferred
async def test_a_target_that_did_not_answer_is_tried_with_one_at_a_time(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(timeout_s=0.1), receive(lambda _: None)
    await station.reserve(BOX, webhook=receiver.url())
    for _ in range(4):
        await station.mail(BOX)
    await until(lambda: len(receiver.got) == 4)
    await station.settle()
    before = receiver.most_at_a_time
    receiver.most_at_a_time = 0
    await station.pass_time(20)
    assert len(receiver.got) > 4
    assert receiver.most_at_a_time == 1 < before
    receiver.answer = lambda _: OK
    await station.pass_time(60)
    assert set(await station.states()) == {"delivered"}


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_refuses_everything_is_not_stormed(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver, good = make_station(), receive(lambda _: status(500)), receive()
    await station.reserve(BOX, webhook=receiver.url())
    await station.reserve("bob@b.example", "bob", webhook=receiver.url("/bob"))
    await station.reserve(OTHER, webhook=good.url())
    for _ in range(60):
        await station.mail(BOX)
        await station.mail(OTHER)
    await station.pass_time(60, step_s=1)
    assert len(receiver.got) < 40
    assert len(good.got) == 60
    receiver.answer = lambda posted: OK if "/bob" in posted.lines[0] else status(500)
    await station.mail("bob@b.example")
    await station.pass_time(1)
    assert "/bob" in receiver.got[-1].lines[0]  # another account need not suffer
    receiver.answer = lambda _: OK
    await station.pass_time(600, step_s=5)
    assert set(await station.states()) == {"delivered"}


@pytest_twisted.ensureDeferred
async def test_a_url_that_refuses_everything_holds_up_no_other_at_the_same_host(
    make_station: MakeStation, receive: Receive
) -> None:
    station = make_station()
    receiver = receive(lambda posted: OK if "/good" in posted.lines[0] else status(404))
    await station.reserve(BOX, webhook=receiver.url("/gone"))
    await station.reserve(OTHER, webhook=receiver.url("/good"))
    for _ in range(40):
        await station.mail(BOX)
    await station.pass_time(30)
    for _ in range(20):
        await station.mail(OTHER)
    await station.pass_time(1)
    assert sum("/good" in posted.lines[0] for posted in receiver.got) == 20


@pytest.mark.parametrize("column", ["webhook", "webhook_slack"])
@pytest_twisted.ensureDeferred
async def test_a_receiver_that_is_gone_for_good_gets_nothing_more(
    make_station: MakeStation, receive: Receive, database: Database, column: str
) -> None:
    other = "webhook" if column == "webhook_slack" else "webhook_slack"
    station, kept = make_station(), receive()
    gone = receive()
    gone.answer = lambda _: status(500) if len(gone.got) == 1 else status(410)
    url = gone.url()
    await station.reserve(BOX, **{column: url, other: kept.url()})
    await station.mail(BOX)
    await station.settle()
    await station.mail(BOX)  # the URL has a pause: both wait
    await station.pass_time(300)
    await station.mail(BOX)
    await station.settle()
    assert (len(gone.got), len(kept.got)) == (2, 3)
    found = await database.fetch(f"select {column}, {other} from address")
    assert found == [(None, kept.url())]
    of_gone = [d for d in await station.listed() if d.url == url]
    assert {d.state for d in of_gone} == {"failed"}
    assert sorted(d.code or 0 for d in of_gone) == [0, 410]
    told = [(kind, code, detail) for kind, _, code, detail in await station.all_told() if code]
    kind = "slack" if column == "webhook_slack" else "webhook"
    (failed,) = [d for d in of_gone if d.code == 410]
    assert (WEBHOOK_DISABLED, 410, f"{kind} {failed.id} {url}") in told
    assert (DELIVERY_FAILED, 410, f"{kind} {failed.id} The answer was 410") in told


@pytest_twisted.ensureDeferred
async def test_a_receiver_that_is_gone_takes_no_other_url_along(
    make_station: MakeStation, receive: Receive, database: Database
) -> None:
    station, gone, new = make_station(), receive(lambda _: None), receive()
    await station.reserve(BOX, webhook=gone.url())
    await station.mail(BOX)
    await until(lambda: len(gone.got) == 1)
    await station.change(BOX, new.url())
    gone.connections[0].say(status(410))
    gone.connections[0].close()
    await station.settle()
    assert await database.fetch("select webhook from address") == [(new.url(),)]
    assert WEBHOOK_DISABLED not in [kind for kind, *_ in await station.all_told()]


@pytest.mark.parametrize("code", [429, 503, 500])
@pytest_twisted.ensureDeferred
async def test_a_receiver_that_asks_for_time_is_given_it(
    make_station: MakeStation, receive: Receive, code: int
) -> None:
    station = make_station()
    receiver = receive(lambda _: status(code, "Retry-After: 120"))
    await station.reserve(BOX, webhook=receiver.url())
    await station.reserve(OTHER, webhook=receiver.url("/other"))
    await station.mail(BOX)
    await station.settle()
    receiver.answer = lambda _: OK
    (delivery,) = await station.listed()
    assert delivery.due is not None
    assert 120 <= delivery.due.timestamp() - station.clock.seconds() <= 120 * 1.2 + 1
    await station.mail(BOX)
    await station.mail(OTHER)  # a URL of its own, which nobody asked to spare
    await station.pass_time(118)
    assert [posted.lines[0].split()[1] for posted in receiver.got] == ["/hook", "/other"]
    await station.pass_time(30)
    assert set(await station.states()) == {"delivered"}


@pytest_twisted.ensureDeferred
async def test_nobody_is_given_more_than_an_hour(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive(lambda _: status(503, "Retry-After: 999999999999"))
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(BOX)
    await station.pass_time(3_500, step_s=100)
    assert len(receiver.got) == 1
    await station.pass_time(1_000, step_s=10)
    assert len(receiver.got) == 2
    await station.pass_time(DAY_S, step_s=500)
    assert await station.states() == ["failed"]


@pytest_twisted.ensureDeferred
async def test_two_nodes_deliver_each_once(
    make_station: MakeStation, receive: Receive, database: Database
) -> None:
    receiver = receive()
    first = make_station()
    second = make_station(clock=first.clock)
    await first.reserve(BOX, webhook=receiver.url())
    ids = []
    for _ in range(40):
        ids += await first.mail(BOX)
        second.job.wake()
    await first.settle()
    await second.settle()
    assert sorted(receiver.ids) == sorted(f"{i}-w1" for i in ids)


@pytest_twisted.ensureDeferred
async def test_what_a_node_left_behind_is_done_by_another_when_its_lease_is_over(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    await station.job.stop()
    await station.mail(BOX)
    (claim,) = await _claim(station)
    other = make_station(clock=station.clock)
    await other.pass_time(LEASE_S - 2)
    assert receiver.got == []
    assert await station.states() == ["delivering"]
    await other.pass_time(4)
    assert receiver.ids == [claim.id]
    assert await other.states() == ["delivered"]


@pytest_twisted.ensureDeferred
async def test_a_failure_told_too_late_changes_nothing(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    await station.job.stop()
    await station.mail(BOX)
    (claim,) = await _claim(station)
    station.clock.advance(100)
    (again,) = await _claim(station)
    assert again.id == claim.id
    await station.deliveries.record(claim, Attempt(500))
    assert await station.states() == ["delivering"]
    await station.deliveries.record(claim, Attempt(200))
    assert await station.states() == ["delivered"]
    await station.deliveries.record(again, Attempt(500))
    assert await station.states() == ["delivered"]


async def _claim(station: Station) -> Any:
    rooms = Rooms(all=10, targets={"": 10}, accounts={"": 10}, lines={})
    return await station.deliveries.claim(rooms, lease_s=LEASE_S)


@pytest_twisted.ensureDeferred
async def test_what_waits_goes_where_the_address_says_now(
    make_station: MakeStation, receive: Receive
) -> None:
    station, old, new = make_station(), receive(lambda _: status(500)), receive()
    await station.reserve(BOX, webhook=old.url())
    await station.mail(BOX)
    await station.settle()
    await station.change(BOX, new.url("/new"))
    await station.pass_time(10)
    assert new.ids == old.ids
    assert (await station.listed())[0].url == new.url("/new")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("update address set webhook = null", "The address has no webhook any more"),
        ("delete from address", "The address has no webhook any more"),
        ("update address set owner = 'bob'", "The address has no webhook any more"),
        ("update account set suspended = true", "The address has no webhook any more"),
        ("delete from message", "The message is not there any more"),
        ("update message set saved_by = 'bob'", "The message is not there any more"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_nobody_wants_any_more_ends(
    make_station: MakeStation, receive: Receive, database: Database, change: str, why: str
) -> None:
    station, receiver = make_station(), receive(lambda _: status(500))
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(BOX)
    await station.settle()
    await database.run(change)
    await station.pass_time(10)
    (delivery,) = await station.listed()
    assert (delivery.state, delivery.error, delivery.attempts) == ("failed", why, 1)
    assert len(receiver.got) == 1
    assert await station.told() == [(DELIVERY_FAILED, BOX, None, f"webhook {delivery.id} {why}")]


@pytest_twisted.ensureDeferred
async def test_a_removed_account_leaves_nothing(
    make_station: MakeStation, receive: Receive, database: Database
) -> None:
    station, receiver = make_station(), receive(lambda _: status(500))
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(BOX)
    await station.settle()
    await database.transaction(lambda transaction: removal.begin_removal(transaction, "ann"))
    await removal.finish_removal(database, "ann")
    assert await database.fetch("select id from delivery") == []
    assert await database.fetch("select account from webhook_secret") == []
    await station.pass_time(400)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("code", [200, 410, 500])
@pytest_twisted.ensureDeferred
async def test_what_is_under_way_as_an_account_goes_is_not_the_next_one_s(
    make_station: MakeStation, receive: Receive, database: Database, code: int
) -> None:
    station, receiver = make_station(), receive(lambda _: None)
    await station.reserve(BOX, webhook=receiver.url(), webhook_slack=receiver.url())
    await station.mail(BOX)
    await until(lambda: len(receiver.got) == 2)
    await database.transaction(lambda transaction: removal.begin_removal(transaction, "ann"))
    await removal.finish_removal(database, "ann")
    await add_accounts(database, "ann")
    await station.reserve(BOX, webhook=receiver.url(), webhook_slack=receiver.url())
    for connection in receiver.connections:
        connection.say(status(code))
        connection.close()
    await station.settle()
    await station.usage.write()
    assert await station.listed() == []
    assert await station.all_told() == []
    assert await database.fetch("select account from usage") == []


@pytest_twisted.ensureDeferred
async def test_redelivery_has_the_same_id_and_a_day_of_its_own(
    make_station: MakeStation, receive: Receive, database: Database
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(BOX)
    await station.settle()
    (delivery,) = await station.listed()
    await station.pass_time(2 * DAY_S, step_s=DAY_S)
    receiver.answer = failing_first(1)
    again = await station.deliveries.redeliver(ANN, delivery.id)
    assert (again.state, again.attempts, again.finished) == ("pending", 0, None)
    await station.pass_time(1)
    assert (await station.listed())[0].attempts == 1
    await station.deliveries.redeliver(ANN, delivery.id)  # not to wait for its turn
    await station.pass_time(1)
    assert await station.states() == ["delivered"]
    assert receiver.ids == [delivery.id] * 3
    for actor, what in ((BOB, delivery.id), (ANN, "unknown")):
        with pytest.raises(NotFoundError):
            await station.deliveries.redeliver(actor, what)
    assert await station.listed(BOB) == []


@pytest_twisted.ensureDeferred
async def test_what_is_under_way_is_not_delivered_twice_at_a_time(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive(lambda _: None)
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(BOX)
    await until(lambda: bool(receiver.got))
    (delivery,) = await station.listed(state="delivering")
    with pytest.raises(ConflictError):
        await station.deliveries.redeliver(ANN, delivery.id)
    receiver.connections[0].say(OK)
    receiver.connections[0].close()
    await station.settle()
    assert await station.states() == ["delivered"]


@pytest_twisted.ensureDeferred
async def test_the_first_push_of_a_message_is_free(
    make_station: MakeStation, receive: Receive, database: Database
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url("/w"), webhook_slack=receiver.url("/s"))
    await station.mail(BOX)
    await station.settle()
    assert sorted(p.lines[0] for p in receiver.got) == ["POST /s HTTP/1.1", "POST /w HTTP/1.1"]
    await station.usage.write()
    (month,) = (row[0] for row in await database.fetch("select distinct month from usage"))
    used = {use.kind: use.count for use in await uses_of_month(database, month, limit=10)}
    assert used["push"] == 1


@pytest_twisted.ensureDeferred
async def test_large_mail_is_delivered_and_few_at_a_time(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    content = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 100_000
    for _ in range(4):
        await station.mail(BOX, content=content)
    await station.settle()
    assert len(receiver.got) == 4
    assert receiver.most_at_a_time <= 2
    assert all(len(posted.body) > 2 * len(content) for posted in receiver.got)


@pytest_twisted.ensureDeferred
async def test_what_was_stored_while_nobody_delivered_is_delivered_at_the_start(
    make_station: MakeStation, receive: Receive
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    await station.job.stop()
    (message_id,) = await station.mail(BOX)
    await make_station().settle()
    assert receiver.ids == [f"{message_id}-w1"]


@pytest_twisted.ensureDeferred
async def test_what_ended_is_forgotten_after_a_week(
    make_station: MakeStation, receive: Receive, database: Database
) -> None:
    station, receiver = make_station(), receive()
    await station.reserve(BOX, webhook=receiver.url())
    await station.mail(BOX)
    await station.settle()
    await station.pass_time(6 * DAY_S, step_s=DAY_S)
    await station.deliveries.forget_old()
    assert len(await station.listed()) == 1
    await station.pass_time(2 * DAY_S, step_s=DAY_S)
    await station.deliveries.forget_old()
    assert await station.listed() == []
