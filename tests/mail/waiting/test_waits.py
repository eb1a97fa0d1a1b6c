"""Thousands who wait: they come at once, wait in one inbox, and search what messages say."""

from collections import Counter
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred
from twisted.internet.interfaces import IDelayedCall

from mailsacd.core.actor import ANYONE
from mailsacd.core.condition import BODY_MATCHES, Condition
from mailsacd.core.errors import BadAddressError, InvalidInputError, UnavailableError
from mailsacd.core.pattern import parse_pattern
from mailsacd.listening_settings import WaitSettings
from mailsacd.mail.push.listener import Asker
from mailsacd.mail.waiting import looks as looks_module
from mailsacd.mail.waiting import wait as wait_module
from mailsacd.mail.waiting.bodies import Bodies
from mailsacd.mail.waiting.looks import Looks, Place
from mailsacd.mail.waiting.place_waits import Tools
from mailsacd.mail.waiting.seats import Seats
from mailsacd.mail.waiting.waits import Fitting, Rights, TimeOver, Waits, Wanted
from mailsacd.store.pool import Database
from mailsacd.work.tasks import Tasks
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.authenticators import authenticator
from tests.mail.hubs import new_mail, node_hub, store
from tests.patience import PATIENCE_S

reactor: Any = the_reactor

BOX = "box@waited.example"
ASKER = Asker(peer="192.0.2.1")
MANY = 500


@pytest_twisted.async_yield_fixture
async def waits(database: Database, database_dsn: str) -> AsyncIterator[Waits]:
    async with node_hub(database, database_dsn) as node:
        tools = Tools(
            hub=node.hub,
            looks=Looks(database, reactor=reactor),
            bodies=Bodies(database, LANES.readers, reactor=reactor),
            tasks=Tasks("look for mail", most=MANY, clock=reactor),
            reactor=reactor,
        )
        rights = Rights(access_control(database), authenticator(database))
        made = Waits(rights, Seats(WaitSettings()), tools)
        yield made
        await made.stop()


def mail(number: int) -> bytes:
    return f"From: ann@example.net\r\nSubject: number {number}.\r\n\r\nhello {number}.\r\n".encode()


async def wait(waits: Waits, condition: Condition, email: str = BOX) -> Fitting | TimeOver:
    return await waits.wait(ASKER, ANYONE, email, condition, PATIENCE_S)


@pytest_twisted.ensureDeferred
async def test_each_of_many_in_one_inbox_gets_its_own(database: Database, waits: Waits) -> None:
    wanted = [Condition(subject_includes=f"number {n}.") for n in range(MANY)]
    waiting = [ensureDeferred(wait(waits, each)) for each in wanted]
    for number in (3, 77, MANY - 1):
        (message_id,) = await store(database, new_mail(BOX, content=mail(number)))
        found = await waiting[number]
        assert isinstance(found, Fitting)
        assert [message_id in each for each in found.messages] == [True]
    assert sum(each.called for each in waiting) == 3
    for each in waiting:
        each.addErrback(lambda _: None).cancel()


@pytest_twisted.ensureDeferred
async def test_so_many_are_gathered_as_they_come(database: Database, waits: Waits) -> None:
    pattern = parse_pattern(r"hello [0-9]\.")
    waiting = ensureDeferred(wait(waits, Condition(count=3, body_matches=pattern)))
    ids = []
    for number in (1, 22, 3, 4):
        assert not waiting.called
        ids += await store(database, new_mail(BOX, content=mail(number)))
    found = await waiting
    assert isinstance(found, Fitting)
    assert [f'"_id":"{id_}"' in each for id_, each in zip(
        [ids[3], ids[2], ids[0]], found.messages, strict=True)] == [True] * 3  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_many_who_look_at_many_messages_leave_the_reactor_to_others(
    database: Database, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks_module, "_CHARS_AT_A_TIME", 0)
    turn, ended_in = count(), Counter[int]()
    now = next(turn)

    ticking: IDelayedCall | None = None

    def begin_turn() -> None:
        nonlocal now, ticking
        now, ticking = next(turn), reactor.callLater(0, begin_turn)

    begin_turn()
    await store(database, *(new_mail(BOX) for _ in range(20)))
    all_ended: Deferred[None] = Deferred()

    def ended() -> None:
        ended_in[now] += 1
        if ended_in.total() == 200:
            all_ended.callback(None)

    wanted = Wanted(Condition(count=21), PATIENCE_S)
    for _ in range(200):
        await waits.open(ASKER, ANYONE, Place("inbox", BOX), wanted, ended)
    await store(database, new_mail(BOX))
    await all_ended
    assert ticking is not None
    ticking.cancel()
    assert max(ended_in.values()) <= 25


@pytest_twisted.ensureDeferred
async def test_hundreds_who_come_at_once_are_not_within_each_other(waits: Waits) -> None:
    """The bad ones are answered without a look at the database, by whoever leaves before them."""
    good = [ensureDeferred(wait(waits, Condition())) for _ in range(20)]
    bad = [ensureDeferred(wait(waits, Condition(), "no-address")) for _ in range(MANY)]
    results: list[Any] = await DeferredList(bad, consumeErrors=True)
    assert {(done, result.type) for done, result in results} == {(False, BadAddressError)}
    for each in good:
        each.addErrback(lambda _: None).cancel()


@pytest_twisted.ensureDeferred
async def test_a_pattern_that_takes_long_is_refused(
    database: Database, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_module, "MAX_SEARCHING_S", 0.0)
    await store(database, new_mail(BOX))
    with pytest.raises(InvalidInputError, match="bodyMatches takes too long"):
        await wait(waits, Condition(body_matches=parse_pattern("(a|b)*c")))


@pytest_twisted.ensureDeferred
async def test_who_waits_at_the_stop_is_told_so(waits: Waits) -> None:
    waiting = ensureDeferred(wait(waits, Condition()))
    await waits.stop()
    with pytest.raises(UnavailableError, match="stopping"):
        await waiting
    with pytest.raises(UnavailableError, match="stopping"):
        await wait(waits, Condition())


@pytest_twisted.ensureDeferred
async def test_what_is_read_for_a_search_is_charged_and_read_once(
    database: Database, waits: Waits
) -> None:
    rows = b"<tr><td>cell <b>bold</b></td></tr>\r\n" * 5_000
    html = b"Content-Type: text/html\r\n\r\n<table>" + rows + b"</table>code 17"
    (message_id,) = await store(database, new_mail(BOX, content=html))
    patterns = [parse_pattern("cell")] * 2
    bodies = Bodies(database, LANES.readers, reactor=reactor)
    first = await bodies.search(BOX, None, message_id, patterns, whose="a")
    again = await bodies.search(BOX, None, message_id, patterns, whose="b")
    assert [each.is_found for each in (*first, *again)] == [True] * 4
    assert min(each.took_s for each in first) > 5 * max(each.took_s for each in again)


@pytest_twisted.ensureDeferred
async def test_a_near_miss_tells_of_a_body_that_was_searched(
    database: Database, waits: Waits
) -> None:
    (message_id,) = await store(database, new_mail(BOX, content=mail(1)))
    condition = Condition(body_matches=parse_pattern("no such text"))
    over = await waits.wait(ASKER, ANYONE, BOX, condition, 0)
    assert isinstance(over, TimeOver)
    (near,) = over.near_misses
    assert (near.message.id, near.failed) == (message_id, (BODY_MATCHES,))
