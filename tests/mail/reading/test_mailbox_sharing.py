"""What many read at once is read once, and what nobody waits for is not read."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from threading import Event, current_thread
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from mailsacd.core.actor import ANYONE
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import OverloadedError
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mime.message import ParsedMessage
from mailsacd.store.pool import Database
from mailsacd.work.threads import Lane
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.envelopes import envelope

reactor: Any = the_reactor

BOX = "bob@example.com"
LARGE = b"Subject: x\r\n\r\n" + b"y" * 200_000


@dataclass
class Reading:
    """A mailbox whose one thread is busy until it is freed."""

    ingest: Ingest
    mailbox: Mailbox
    lane: Lane
    free: Event

    async def store(self, content: bytes = LARGE) -> str:
        new = envelope(self.ingest, content, BOX)
        await self.ingest.deliver(new)
        return f"{new.id}-0"

    def view(self, message_id: str, view: Callable[[ParsedMessage], int]) -> Deferred[int]:
        return Deferred.fromCoroutine(self.mailbox.view(ANYONE, BOX, message_id, view))


@pytest_twisted.async_yield_fixture
async def reading(database: Database) -> AsyncIterator[Reading]:
    lane = Lane("reading", threads=1, max_waiting=10, max_waiting_bytes=500_000, reactor=reactor)
    free = Event()
    busy = lane.run_in_thread(lambda: free.wait(30))
    ingest = Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 24),
        reactor=reactor,
    )
    yield Reading(ingest, Mailbox(database, access_control(database), lane), lane, free)
    free.set()
    await busy
    assert await lane.stop()
    await ingest.finish()


@pytest_twisted.ensureDeferred
async def test_a_view_that_takes_long_is_made_in_a_thread_of_a_small_message(
    reading: Reading,
) -> None:
    message_id = await reading.store(b"Subject: x\r\n\r\n" + b"y" * 8_000)
    names: list[str] = []

    def view(_: ParsedMessage) -> None:
        names.append(current_thread().name)

    reading.free.set()
    for weight in (1, 6):
        await reading.mailbox.view(ANYONE, BOX, message_id, view, weight=weight)
    assert names[0] == current_thread().name != names[1]


class Count:
    """A view that counts how often it is made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, parsed: ParsedMessage) -> int:
        self.made += 1
        return len(parsed.text or "")


@pytest_twisted.ensureDeferred
async def test_the_same_view_asked_for_at_once_is_made_once(reading: Reading) -> None:
    message_id, view = await reading.store(), Count()
    asking = [reading.view(message_id, view) for _ in range(50)]
    await deferLater(reactor, 0.2)
    reading.free.set()
    assert await gatherResults(asking) == [200_000] * 50
    assert view.made == 1
    assert await reading.view(message_id, view) == 200_000
    assert view.made == 2


@pytest_twisted.ensureDeferred
async def test_who_hangs_up_takes_it_from_nobody_else(reading: Reading) -> None:
    message_id, view = await reading.store(), Count()
    asking = [reading.view(message_id, view) for _ in range(3)]
    await deferLater(reactor, 0.2)
    for gone in asking[:2]:
        gone.addErrback(lambda f: f.trap(CancelledError))
        gone.cancel()
    reading.free.set()
    assert await asking[2] == 200_000


@pytest_twisted.ensureDeferred
async def test_what_nobody_waits_for_any_more_is_not_made(reading: Reading) -> None:
    view = Count()
    for _ in range(20):  # more than may wait
        gone = reading.view(await reading.store(), view)
        await deferLater(reactor, 0.02)
        gone.addErrback(lambda f: f.trap(CancelledError))
        gone.cancel()
    reading.free.set()
    assert await reading.view(await reading.store(), view) == 200_000
    assert view.made == 1


@pytest_twisted.ensureDeferred
async def test_when_too_much_waits_the_next_one_is_to_come_later(reading: Reading) -> None:
    view = Count()
    asking = [reading.view(await reading.store(), view) for _ in range(2)]
    await deferLater(reactor, 0.2)
    with pytest.raises(OverloadedError):
        await reading.view(await reading.store(), view)
    reading.free.set()
    assert await gatherResults(asking) == [200_000] * 2
