"""Outgoing mail gets to everybody once, or its sender hears of it; whoever hangs costs the others
nothing."""

from collections.abc import AsyncIterator, Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import pairwise
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogEvent

from mailsacd.core.activity import SEND_DELAYED, SEND_FAILED, SENT
from mailsacd.core.outcome import Outcome
from mailsacd.core.outgoing import OutgoingRecipient
from mailsacd.jobs.relay_places import RelayPlaces
from mailsacd.store.pool import Database
from tests.jobs.post_office import AWAY, CONTENT, LATER, NEVER, OK, PostOffice, World
from tests.mail.property import add_accounts
from tests.patience import until

reactor: Any = the_reactor

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0
BOB, EVE = "bob@b.example", "eve@e.example"

MakeOffice = Callable[..., PostOffice]


@pytest_twisted.async_yield_fixture
async def make_office(database: Database) -> AsyncIterator[MakeOffice]:
    await add_accounts(database, "ann", "bob")
    made: list[PostOffice] = []

    def make(**settings: Any) -> PostOffice:
        made.append(PostOffice(database, **settings))
        made[-1].start()
        return made[-1]

    yield make
    for office in made:
        for ending in (office.job.stop(), office.recorder.finish()):
            stopped = Deferred.fromCoroutine(ending)
            while not stopped.called:
                office.clock.advance(1)
                await deferLater(reactor, 0.001)


async def reserve(database: Database, email: str, owner: str = "ann") -> None:
    await database.run(
        "insert into address (email, domain, owner) values (%s, split_part(%s, '@', 2), %s)",
        (email, email, owner),
    )


def to(address: str, notify: str | None, orcpt: str | None = None) -> OutgoingRecipient:
    return OutgoingRecipient(address=address, notify=notify, orcpt=orcpt)


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


@pytest_twisted.ensureDeferred
async def test_mail_goes_out_once_and_recipients_of_a_domain_go_together(
    make_office: MakeOffice,
) -> None:
    office = make_office()
    await office.queue(BOB, EVE, "bill@b.example")
    await office.settle()
    sent = sorted([r.address for r in one.recipients] for one in office.world.sent)
    assert sent == [[BOB, "bill@b.example"], [EVE]]
    assert {one.reverse_path for one in office.world.sent} == {"ann@ann.example"}
    assert office.world.sent[0].content == b"X-Mailsacd-Loop: mx.here.example\r\n" + CONTENT
    assert await office.rows() == [
        (BOB, "delivered", 1, 250, "2.0.0"),
        (EVE, "delivered", 1, 250, "2.0.0"),
        ("bill@b.example", "delivered", 1, 250, "2.0.0"),
    ]
    await office.pass_time(DAY_S, step_s=HOUR_S)
    assert len(office.world.sent) == 2
    assert office.world.open == {"b.example": 0, "e.example": 0}
    assert sorted(await office.told()) == [
        (SENT, "bill@b.example", 250),
        (SENT, BOB, 250),
        (SENT, EVE, 250),
    ]
    assert await office.reports() == []


@pytest_twisted.ensureDeferred
async def test_several_messages_for_a_domain_share_a_connection(
    database: Database, make_office: MakeOffice
) -> None:
    closed = PostOffice(database)  # where nothing is sent: or each look would find a few of them
    for n in range(25):
        await closed.queue(f"u{n}@b.example")
    office = make_office(messages_per_connection=10)
    await office.settle()
    assert len(office.world.sent) == 25
    assert len(office.world.connected) == 3


@pytest_twisted.ensureDeferred
async def test_a_permanent_failure_ends_it_and_its_sender_hears_of_it_once(
    make_office: MakeOffice, database: Database
) -> None:
    office = make_office(world=World(answer=lambda who: NEVER if who == BOB else OK))
    await reserve(database, "ann@ann.example")
    await office.queue(BOB, "bill@b.example", content=CONTENT)
    await office.settle()
    await office.settle()
    rows = await office.rows()
    assert rows[:2] == [
        (BOB, "failed", 1, 550, "5.1.1"),
        ("bill@b.example", "delivered", 1, 250, "2.0.0"),
    ]
    assert rows[2:] == [("ann@ann.example", "delivered", 1, 250, "2.1.5")]
    assert await office.stored("ann@ann.example") == 1
    assert min(await office.told()) == (SEND_FAILED, BOB, 550)
    [(raw,)] = await database.fetch("select body from raw_message")
    assert office.world.got == [BOB, "bill@b.example"]
    assert raw


@pytest_twisted.ensureDeferred
async def test_a_report_to_elsewhere_goes_by_mail_and_a_bounce_of_it_is_dropped(
    make_office: MakeOffice,
) -> None:
    office = make_office(world=World(answer=lambda _: NEVER))
    await office.queue(BOB)
    await office.settle()
    await office.settle()
    assert office.world.got == [BOB, "ann@ann.example"]
    report = office.world.sent[-1]
    assert report.reverse_path == ""
    told = parsed(report.content)
    assert told.get_content_type() == "multipart/report"
    await office.pass_time(HOUR_S, step_s=600)
    assert office.world.got == [BOB, "ann@ann.example"]
    assert [row[1] for row in await office.rows()] == ["failed", "failed"]


@pytest.mark.parametrize(
    ("notify", "answer", "told"),
    [
        (None, OK, None),
        (None, NEVER, "failed"),
        ("NEVER", NEVER, None),
        ("SUCCESS", NEVER, None),
        ("DELAY,FAILURE", NEVER, "failed"),
        ("SUCCESS,FAILURE", OK, "relayed"),
        ("FAILURE", OK, None),
        (
            "SUCCESS",
            Outcome(code=250, status="2.0.0", text="", host="x", is_dsn_passed_on=True),
            None,
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_asks_to_hear_of_what_hears_of_it(
    make_office: MakeOffice, notify: str | None, answer: Outcome, told: str | None
) -> None:
    office = make_office(world=World(answer=lambda who: answer if who == BOB else LATER))
    await office.queue(to(BOB, notify))
    await office.settle()
    await office.settle()
    reports = await office.reports()
    if told is None:
        assert reports == []
        return
    [(address, raw)] = reports
    assert address == "ann@ann.example"
    assert f"Action: {told}\r\n".encode() in raw


@pytest_twisted.ensureDeferred
async def test_success_here_is_told_when_it_is_asked_for(
    make_office: MakeOffice, database: Database
) -> None:
    office = make_office()
    await reserve(database, "box@a.example")
    await office.queue(to("box@a.example", "SUCCESS"))
    await office.settle()
    await until(lambda: office.job.is_idle)
    assert await office.stored("box@a.example") == 1
    assert office.world.got in ([], ["ann@ann.example"])
    [(content,)] = await database.fetch(
        "select subject from outgoing_message where origin = 'report'"
    )
    assert content == "Your message was delivered"


@pytest_twisted.ensureDeferred
async def test_a_temporary_failure_is_tried_after_5_10_20_40_minutes_for_5_days(
    make_office: MakeOffice,
) -> None:
    office = make_office(world=World(answer=lambda who: LATER if who == BOB else OK))
    times: list[float] = []
    await office.queue(to(BOB, "FAILURE"))
    start_s = office.clock.seconds()
    seen = 0
    for _ in range(int(5.2 * DAY_S / 120)):
        await office.pass_time(120, step_s=120)
        if office.world.got.count(BOB) > seen:
            seen += 1
            times.append((office.clock.seconds() - start_s) / 60)
    gaps = [after - before for before, after in pairwise(times)]
    for gap, expected in zip(gaps, (5, 10, 20, 40, 80, 160, 240, 240), strict=False):
        assert 0.85 * expected - 2 <= gap <= 1.15 * expected + 4
    assert times[-1] * 60 == pytest.approx(5 * DAY_S, abs=500)
    assert (await office.rows())[0][:4] == (BOB, "failed", seen, 451)
    assert (SEND_DELAYED, BOB, 451) in await office.told()
    assert office.world.got.count("ann@ann.example") == 1


@pytest_twisted.ensureDeferred
async def test_after_four_hours_its_sender_hears_once_that_it_is_late(
    make_office: MakeOffice,
) -> None:
    office = make_office(world=World(answer=lambda who: LATER if who == BOB else OK))
    await office.queue(BOB, to("eve@b.example", "FAILURE"), to("x@b.example", "NEVER"))
    office.world.answer = lambda who: LATER if who.endswith("@b.example") else OK
    await office.pass_time(4 * HOUR_S - 300, step_s=120)
    assert await office.reports() == []
    assert "ann@ann.example" not in office.world.got
    await office.pass_time(600, step_s=60)
    assert office.world.got.count("ann@ann.example") == 1
    told = office.world.sent[-1].content
    assert b"Action: delayed\r\n" in told
    assert b"Will-Retry-Until: " in told
    assert b"Final-Recipient: rfc822; bob@b.example\r\n" in told
    await office.pass_time(DAY_S, step_s=600)
    assert office.world.got.count("ann@ann.example") == 1


@pytest_twisted.ensureDeferred
async def test_a_host_that_greylists_is_asked_again_soon(make_office: MakeOffice) -> None:
    grey = Outcome(code=450, status="4.2.0", text="Greylisted for 60 seconds", host="mx")
    office = make_office(world=World(answer=lambda _: grey))
    await office.queue(BOB)
    await office.pass_time(2 * HOUR_S, step_s=60)
    assert len(office.world.got) >= 8
    office.world.answer = lambda _: OK
    await office.pass_time(20 * MINUTE_S, step_s=60)
    assert (await office.rows())[0][1] == "delivered"


@pytest_twisted.ensureDeferred
async def test_a_domain_without_a_host_that_answers_is_left_alone_for_a_while(
    make_office: MakeOffice,
) -> None:
    office = make_office(
        world=World(away={"b.example": AWAY}),
        messages_per_connection=5,
        max_connections_per_domain=1,
    )
    for n in range(40):
        await office.queue(f"u{n}@b.example")
    await office.queue(EVE)
    await office.settle()
    await office.pass_time(60)
    assert office.world.got == [EVE]
    assert 1 <= len(office.world.connected) <= 10
    office.world.away.clear()
    await office.pass_time(30 * MINUTE_S, step_s=60)
    assert sorted(office.world.got) == sorted([EVE, *(f"u{n}@b.example" for n in range(40))])


@pytest_twisted.ensureDeferred
async def test_a_domain_that_takes_no_mail_fails_all_of_it_at_once(
    make_office: MakeOffice,
) -> None:
    null_mx = Outcome(code=None, status="5.1.10", text="the domain takes no mail", host="")
    office = make_office(world=World(away={"b.example": null_mx}))
    for n in range(5):
        await office.queue(to(f"u{n}@b.example", "NEVER"))
    await office.settle()
    assert {row[1:] for row in await office.rows()} == {("failed", 1, None, "5.1.10")}


@pytest_twisted.ensureDeferred
async def test_whoever_hangs_has_his_places_and_the_others_go_on(
    make_office: MakeOffice,
) -> None:
    office = make_office(
        world=World(answer=lambda who: Deferred() if who.endswith("@b.example") else OK),
        max_connections_per_domain=2,
        max_connections=6,
        messages_per_connection=2,
    )
    for n in range(20):
        await office.queue(f"u{n}@b.example", f"u{n}@e{n}.example")
    office.job.wake()
    await until(lambda: len(office.world.got) == 22)
    assert office.world.most["b.example"] == 2


@pytest_twisted.ensureDeferred
async def test_domains_behind_one_host_share_its_connections(make_office: MakeOffice) -> None:
    office = make_office(
        world=World(one_host=True), max_connections_per_domain=3, max_connections=20
    )
    for n in range(60):
        await office.queue(f"u@d{n}.example")
    await office.settle()
    assert len(office.world.got) == 60
    assert office.world.most["smarthost"] <= 3
    assert len(office.world.connected) < 60
    assert office.world.open["smarthost"] == 0


@pytest_twisted.ensureDeferred
async def test_an_address_that_failed_for_good_is_suppressed_for_that_account(
    make_office: MakeOffice, database: Database
) -> None:
    office = make_office(world=World(answer=lambda who: NEVER if who == BOB else OK))
    await office.queue(to(BOB, "NEVER"))
    await office.settle()
    office.world.answer = lambda _: OK
    await office.queue(to("Bob@b.example", "FAILURE"))
    await office.settle()
    await office.settle()
    assert BOB not in office.world.got[1:]
    [_, again, *_] = await office.rows()
    assert again == ("Bob@b.example", "failed", 1, None, "5.1.1")
    [(reply,)] = await database.fetch(
        "select reply from outgoing_recipient where address = 'Bob@b.example'"
    )
    assert reply == (
        "Nothing is sent to this address for a while, because mail to it failed: "
        "550 5.1.1 no such user"
    )
    await office.queue(BOB, account="bob")
    await office.settle()
    assert office.world.got.count(BOB) == 2
    await office.pass_time(31 * DAY_S, step_s=DAY_S)
    await database.run("update suppression set expires = now()")
    await office.queue(BOB)
    await office.settle()
    assert office.world.got.count(BOB) == 3


@pytest_twisted.ensureDeferred
async def test_content_that_is_refused_suppresses_nobody(make_office: MakeOffice) -> None:
    spam = Outcome(code=554, status="5.7.1", text="spam", host="mx")
    office = make_office(world=World(answer=lambda _: spam))
    await office.queue(to(BOB, "NEVER"))
    await office.settle()
    assert await office.database.fetch("select count(*) from suppression") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_mail_for_here_is_stored_without_a_connection(
    make_office: MakeOffice, database: Database
) -> None:
    office = make_office()
    await database.run(
        "insert into domain (name, owner, verified, verification_txt)"
        " values ('bobs.example', 'bob', true, 'x')"
    )
    await reserve(database, "mine@far.example")
    await reserve(database, "his@far.example", "bob")
    await office.queue(
        "x@lent.example",
        "x@sub.lent.example",
        "Any+tag@bobs.example",
        "mine@far.example",
        "his@far.example",  # anybody may reserve anything: no reason not to send it there
        "postmaster@mx.here.example",
    )
    await office.settle()
    assert office.world.got == ["his@far.example"]
    assert await office.stored("any@bobs.example") == 1
    assert await office.stored("mine@far.example") == 1
    assert {row[1] for row in await office.rows()} == {"delivered"}


@pytest_twisted.ensureDeferred
async def test_domains_of_ours_may_be_spelled_in_any_way_in_the_settings(
    make_office: MakeOffice,
) -> None:
    office = make_office(accepted=["Own.Example", "*.Bücher.example"])
    await office.queue("x@own.example", "x@sub.xn--bcher-kva.example")
    await office.settle()
    assert office.world.got == []
    assert await office.stored("x@own.example") == 1


@pytest_twisted.ensureDeferred
async def test_a_loop_is_noticed(make_office: MakeOffice) -> None:
    office = make_office()
    loops = b"X-Mailsacd-Loop: mx.here.example\r\n" + CONTENT
    await office.queue(to("x@lent.example", "NEVER"), content=loops)
    await office.queue(to("y@lent.example", "NEVER"), content=b"Received: x\r\n" * 51 + CONTENT)
    await office.settle()
    assert {row[1:] for row in await office.rows()} == {("failed", 1, 554, "5.4.6")}
    assert await office.stored("x@lent.example") == 0


@pytest_twisted.ensureDeferred
async def test_what_a_dead_node_left_behind_is_sent_when_its_lease_is_over(
    make_office: MakeOffice,
) -> None:
    hung = make_office(world=World(answer=lambda _: Deferred()))
    await hung.queue(BOB)
    hung.job.wake()
    await until(lambda: hung.world.got == [BOB])
    other = make_office()
    await other.settle()
    assert other.world.got == []
    hung.leases.drop(  # as if it were dead: it renews nothing
        list(hung.leases._begun.values())
    )
    await other.pass_time(50, step_s=10)
    assert other.world.got == []
    await other.pass_time(20, step_s=10)
    assert other.world.got == [BOB]


@pytest_twisted.ensureDeferred
async def test_who_is_slow_keeps_his_claim(make_office: MakeOffice) -> None:
    answer: Deferred[Outcome] = Deferred()
    slow = make_office(world=World(answer=lambda _: answer))
    await slow.queue(BOB)
    slow.job.wake()
    await until(lambda: slow.world.got == [BOB])
    other = make_office(clock=slow.clock)
    for _ in range(30):
        slow.clock.advance(10)
        await deferLater(reactor, 0.01)
    assert other.world.got == []
    answer.callback(OK)
    await until(lambda: slow.job.is_idle)
    assert await slow.rows() == [(BOB, "delivered", 1, 250, "2.0.0")]


@pytest_twisted.ensureDeferred
async def test_a_stop_ends_soon_and_gives_back_what_was_not_begun(
    make_office: MakeOffice, database: Database
) -> None:
    office = make_office(world=World(answer=lambda _: Deferred()), max_connections_per_domain=1)
    for n in range(5):
        await office.queue(f"u{n}@b.example")
    office.job.wake()
    await until(lambda: len(office.world.got) == 1)
    await until(lambda: not office.job._looking.is_running)
    stopped = Deferred.fromCoroutine(office.job.stop())
    began_s = office.clock.seconds()
    while not stopped.called:
        office.clock.advance(0.5)
        await deferLater(reactor, 0.001)
    assert office.clock.seconds() - began_s <= 10
    assert sum(office.world.open.values()) == 0
    assert await database.fetch(
        "select count(*) from outgoing_recipient where ready and attempts = 0"
    ) == [(4,)]


@pytest_twisted.ensureDeferred
async def test_a_defect_here_is_tried_again_and_has_an_end(
    make_office: MakeOffice, logged_errors: list[LogEvent]
) -> None:
    def broken(_: str) -> Outcome:
        raise ZeroDivisionError

    office = make_office(world=World(answer=broken))
    await office.queue(to(BOB, "NEVER"))
    await office.settle()
    assert (await office.rows())[0][1:3] == ("queued", 1)
    office.world.answer = lambda _: OK
    await office.pass_time(10 * MINUTE_S, step_s=60)
    assert (await office.rows())[0][1] == "delivered"
    assert [event["log_failure"].type for event in logged_errors] == [ZeroDivisionError]
    logged_errors.clear()


@pytest_twisted.ensureDeferred
async def test_a_recipient_whose_message_has_no_content_any_more_fails(
    make_office: MakeOffice, database: Database
) -> None:
    office = make_office(world=World(away={"b.example": AWAY}))
    await office.queue(to(BOB, "NEVER"))
    await database.run("update outgoing_message set body = null, ended = now()")
    await office.settle()
    assert await office.rows() == [(BOB, "failed", 1, None, "5.3.0")]
    assert office.world.connected == []


@pytest_twisted.ensureDeferred
async def test_who_was_taken_for_dead_stores_nothing_a_second_time(
    make_office: MakeOffice,
) -> None:
    slow = make_office()
    await slow.settle()
    await slow.queue(to("x@lent.example", "NEVER"), to(BOB, "NEVER"))
    lines = await slow.relay.claim(RelayPlaces(10, 10).rooms())
    other = make_office(world=World(answer=lambda _: LATER))
    other.clock.advance(slow.settings.lease_s + 10)
    await other.settle()
    assert await other.stored("x@lent.example") == 1
    for line in reversed(lines):  # it goes on without having heard of that
        slow.leases.add(line.claims)
        await slow.job._lines.send(line)
    assert await other.stored("x@lent.example") == 1
    assert {row[0]: row[1] for row in await other.rows()} == {
        "x@lent.example": "delivered",
        BOB: "delivered",  # what a host took counts, whoever held the claim
    }
