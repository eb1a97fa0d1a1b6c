"""Making mail durable: batches, their faults, and the way back out by the mailbox."""

import json
from threading import Event
from typing import Any

import msgspec
import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError, DeferredList, ensureDeferred
from twisted.internet.task import Clock

from mailsacd.core.actor import ANYONE
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import (
    MailLoopError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.mail.reading.mailbox import Mailbox, Page
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import FINISH_S, Ingest
from mailsacd.store.pool import Database
from mailsacd.work.threads import Lane
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.envelopes import envelope

reactor: Any = the_reactor

SIMPLE = b"From: Ann <ann@example.net>\r\nTo: bob@example.com\r\nSubject: hi\r\n\r\nhello\r\n"


@pytest.fixture
def ingest(database: Database) -> Ingest:
    return Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
    )


@pytest.fixture
def mailbox(database: Database) -> Mailbox:
    return Mailbox(database, access_control(database), LANES.readers)


async def _listed(mailbox: Mailbox, email: str, **page: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(await mailbox.list_json(ANYONE, email, Page(**page)))
    return listed


@pytest_twisted.ensureDeferred
async def test_what_was_delivered_is_there(ingest: Ingest, mailbox: Mailbox) -> None:
    await ingest.deliver(envelope(ingest, SIMPLE, "bob@example.com", "eve@example.com"))
    (bob,) = await _listed(mailbox, "BOB@example.com")
    (eve,) = await _listed(mailbox, "eve@example.com")
    assert (bob["_id"][-2:], eve["_id"][-2:]) == ("-0", "-1")
    assert bob["from"] == [{"address": "ann@example.net", "name": "Ann"}]
    assert bob["to"] == eve["to"] == [{"address": "bob@example.com", "name": ""}]
    raw = await mailbox.raw(ANYONE, "bob@example.com", bob["_id"])
    assert raw.endswith(SIMPLE)
    assert len(raw) == bob["size"]


@pytest_twisted.ensureDeferred
async def test_without_from_and_to_the_envelope_stands_in(ingest: Ingest, mailbox: Mailbox) -> None:
    await ingest.deliver(envelope(ingest, b"\r\nbare", "bob@example.com", sender="Ann@Example.net"))
    await ingest.deliver(envelope(ingest, b"\r\nbounce", "bob@example.com", sender=""))
    bounce, bare = await _listed(mailbox, "bob@example.com")
    assert bare["from"] == [{"address": "ann@example.net", "name": ""}]
    assert bare["to"] == [{"address": "bob@example.com", "name": ""}]
    assert bounce["from"] == [{"address": "mailer-daemon@mx.example", "name": ""}]


@pytest_twisted.ensureDeferred
async def test_many_at_once_are_all_stored_and_paged_newest_first(
    ingest: Ingest, mailbox: Mailbox
) -> None:
    sent = [envelope(ingest, SIMPLE, "bob@example.com") for _ in range(450)]
    outcome = await DeferredList([ingest.deliver(e) for e in sent])
    assert all(stored for stored, _ in outcome)
    newest_first = [f"{e.id}-0" for e in reversed(sent)]
    assert [m["_id"] for m in await _listed(mailbox, "bob@example.com", limit=1000)] == newest_first
    middle = await _listed(mailbox, "bob@example.com", limit=5, skip=10)
    assert [m["_id"] for m in middle] == newest_first[10:15]
    assert await mailbox.count(ANYONE, "Bob+x@example.com") == (450, "bob@example.com")


@pytest_twisted.ensureDeferred
async def test_a_page_between_two_times_holds_only_those(ingest: Ingest, mailbox: Mailbox) -> None:
    first = envelope(ingest, SIMPLE, "bob@example.com")
    await ingest.deliver(first)
    ms = first.received_ms
    inside = await _listed(mailbox, "bob@example.com", since_ms=ms, until_ms=ms + 1)
    assert [m["_id"] for m in inside] == [f"{first.id}-0"]
    assert await _listed(mailbox, "bob@example.com", until_ms=ms) == []
    assert await _listed(mailbox, "bob@example.com", since_ms=ms + 1) == []


@pytest_twisted.ensureDeferred
async def test_a_large_message_goes_the_same_way(ingest: Ingest, mailbox: Mailbox) -> None:
    content = SIMPLE + b"x" * 2_000_000
    small = envelope(ingest, SIMPLE, "bob@example.com")
    large = envelope(ingest, content, "bob@example.com")
    await DeferredList([ingest.deliver(large), ingest.deliver(small)])
    await ingest.finish()
    assert (await mailbox.raw(ANYONE, "bob@example.com", f"{large.id}-0")).endswith(content)
    parsed = await mailbox.parsed(ANYONE, "bob@example.com", f"{large.id}-0")
    assert parsed.text is not None
    assert len(parsed.text) > 2_000_000


@pytest_twisted.ensureDeferred
async def test_odd_bytes_are_kept_and_never_refused(ingest: Ingest, mailbox: Mailbox) -> None:
    for content in (
        b"",
        b"\x00" * 100,
        bytes(range(256)) * 4,
        b"Subject: \x00 \xed\xa0\x80 \\u0000\r\n\r\n\x00",
        b"Subject: =?utf-8?b?7aCA?= =?utf-8?q?=00?=\r\nTo: \x00\r\n\r\n",
        b"no header at all",
    ):
        new = envelope(ingest, content, "odd@example.com")
        await ingest.deliver(new)
        raw = await mailbox.raw(ANYONE, "odd@example.com", f"{new.id}-0")
        assert raw.endswith(content)
    assert len(await _listed(mailbox, "odd@example.com")) == 6


@pytest_twisted.ensureDeferred
async def test_a_loop_is_refused(ingest: Ingest, mailbox: Mailbox) -> None:
    looping = b"Received: by a\r\n" * 51 + SIMPLE
    with pytest.raises(MailLoopError):
        await ingest.deliver(envelope(ingest, looping, "bob@example.com"))
    assert await mailbox.count(ANYONE, "bob@example.com") == (0, "bob@example.com")


@pytest.mark.parametrize("loops", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_large_message_that_cannot_be_composed_is_waited_for_by_nobody(
    ingest: Ingest, *, loops: bool
) -> None:
    content = b"Received: by a\r\n" * 51 * loops + SIMPLE + b"x" * 1_000_000
    new = envelope(ingest, content, "bob@example.com")
    if not loops:  # a defect of ours, and not of the message
        new = msgspec.structs.replace(new, reception=None)
    delivered = ingest.deliver(new)
    finished = ensureDeferred(ingest.finish())
    assert not finished.called
    with pytest.raises(MailLoopError if loops else AttributeError):
        await delivered
    await finished.addTimeout(10, reactor)
    await ensureDeferred(ingest.finish()).addTimeout(10, reactor)


@pytest_twisted.ensureDeferred
async def test_what_is_never_composed_holds_up_the_end_for_a_while_and_no_longer(
    database: Database,
) -> None:
    clock, release = Clock(), Event()
    lane = Lane("stuck", threads=1, max_waiting=1, max_waiting_bytes=1 << 24, reactor=reactor)
    stuck = lane.run_in_thread(lambda: release.wait(30))
    ingest = Ingest(
        database,
        composer=Composer("mx.example", lane),
        budget=ByteBudget(1 << 20),
        reactor=clock,
    )
    delivered = ingest.deliver(envelope(ingest, SIMPLE + b"x" * 1_000_000, "bob@example.com"))
    finished = ensureDeferred(ingest.finish())
    clock.advance(FINISH_S)
    assert finished.called
    assert not delivered.called
    delivered.addErrback(lambda f: f.trap(CancelledError))
    delivered.cancel()
    release.set()
    await stuck
    assert await lane.stop()


@pytest_twisted.ensureDeferred
async def test_what_is_not_there_is_not_found(ingest: Ingest, mailbox: Mailbox) -> None:
    new = envelope(ingest, SIMPLE, "bob@example.com")
    await ingest.deliver(new)
    for email, message_id in (
        ("eve@example.com", f"{new.id}-0"),
        ("bob@example.com", f"{new.id}-1"),
        ("bob@example.com", "nonsense"),
    ):
        for call in (mailbox.get, mailbox.raw, mailbox.parsed, mailbox.delete):
            with pytest.raises(NotFoundError):
                await call(ANYONE, email, message_id)


@pytest_twisted.ensureDeferred
async def test_a_copy_is_deleted_and_the_others_stay(ingest: Ingest, mailbox: Mailbox) -> None:
    new = envelope(ingest, SIMPLE, "bob@example.com", "eve@example.com")
    await ingest.deliver(new)
    assert await mailbox.delete(ANYONE, "Bob@example.com", f"{new.id}-0") == "bob@example.com"
    with pytest.raises(NotFoundError):
        await mailbox.get(ANYONE, "bob@example.com", f"{new.id}-0")
    assert (await mailbox.raw(ANYONE, "eve@example.com", f"{new.id}-1")).endswith(SIMPLE)


@pytest_twisted.ensureDeferred
async def test_where_reading_needs_a_key_nobody_reads(database: Database) -> None:
    closed = Mailbox(database, access_control(database, anonymous_read=False), LANES.readers)
    with pytest.raises(UnauthenticatedError):
        await closed.list_json(ANYONE, "bob@example.com", Page())


@pytest_twisted.ensureDeferred
async def test_without_a_database_every_session_hears_of_it(stopped_database: Database) -> None:
    ingest = Ingest(
        stopped_database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
    )
    waiting = [ingest.deliver(envelope(ingest, SIMPLE, "bob@example.com")) for _ in range(3)]
    for answer in waiting:
        with pytest.raises(UnavailableError):
            await answer
    await ingest.finish()
