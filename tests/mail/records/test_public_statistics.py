"""What is counted of public mail, and what is told of it: nothing of what is private or starred."""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_twisted
from msgspec.structs import replace
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred, gatherResults

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import InvalidInputError, NotFoundError, UnauthenticatedError
from mailsacd.core.mailstats import ADDRESS, ATTACHMENT, DOMAIN, SENDER
from mailsacd.core.message import NewEnvelope, NewMessage
from mailsacd.core.token import milliseconds
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.mail.records.public_counts import KEPT, PublicCounts
from mailsacd.mail.records.statistics import KEPT_AN_HOUR, KEPT_DAYS, Span, Statistics
from mailsacd.store import statistics as store
from mailsacd.store.locks import Job, take_turn
from mailsacd.store.pool import Database
from mailsacd.store.statistics import Tally
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.property import add_accounts

reactor: Any = the_reactor

CONTENT = b"not much of a picture"
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


def mail(sender: str = "ann@example.net", *, attached: bytes | None = None) -> bytes:
    head = f"From: {sender}\r\nSubject: hi\r\n".encode()
    if attached is None:
        return head + b"\r\nhello\r\n"
    return (
        head
        + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        + b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        + b'Content-Disposition: attachment; filename="a.png"\r\n\r\n'
        + base64.encodebytes(attached).replace(b"\n", b"\r\n")
        + b"--b--\r\n"
    )


@dataclass
class Node:
    database: Database
    public_counts: PublicCounts
    statistics: Statistics
    ingest: Ingest

    async def deliver(self, content: bytes, *addresses: str) -> None:
        await self.ingest.deliver(envelope(self.ingest, content, *addresses))

    async def top(self, kind: str, **span: Any) -> list[tuple[str, int]]:
        asked = Span(**{"since_ms": None, "until_ms": None, "limit": 20, "skip": 0, **span})
        return [(c.name, c.n) for c in await self.statistics.top(ANYONE, kind, asked)]


def make_node(database: Database, *, anonymous_read: bool = True) -> Node:
    public_counts = PublicCounts(database, reactor=reactor)
    statistics = Statistics(
        database, public_counts, LANES.readers, anonymous_read=anonymous_read, reactor=reactor
    )
    ingest = Ingest(
        database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
        observers=[public_counts],
    )
    return Node(database, public_counts, statistics, ingest)


@pytest_twisted.async_yield_fixture
async def node(database: Database) -> AsyncIterator[Node]:
    made = make_node(database)
    yield made
    await made.ingest.finish()
    await made.public_counts.finish()


async def own(database: Database, *addresses: str) -> None:
    await add_accounts(database, "ann")
    for address in addresses:
        await database.run(
            "insert into address (email, domain, owner) values (%s, %s, 'ann')",
            (address, address.rpartition("@")[2]),
        )


@pytest_twisted.ensureDeferred
async def test_what_is_starred_as_it_is_stored_is_not_counted(node: Node) -> None:
    await add_accounts(node.database, "ann")
    new = envelope(node.ingest, mail(attached=CONTENT), "bob@example.com")
    await node.ingest.deliver(replace(new, saved_by="ann"))
    for kind in (ADDRESS, SENDER, DOMAIN, ATTACHMENT):
        assert await node.top(kind) == []


@pytest_twisted.ensureDeferred
async def test_mail_is_counted_by_address_sender_and_domain_at_once(node: Node) -> None:
    await node.deliver(mail("Bob <bob@x.example>"), "a@one.example", "b@two.example")
    await node.deliver(mail("carol@x.example"), "a@one.example")
    assert await node.top(ADDRESS) == [("a@one.example", 2), ("b@two.example", 1)]
    assert await node.top(SENDER) == [("bob@x.example", 2), ("carol@x.example", 1)]
    assert await node.top(DOMAIN) == [("one.example", 2), ("two.example", 1)]
    assert await node.top(ADDRESS, limit=1, skip=1) == [("b@two.example", 1)]
    assert await node.top(ADDRESS, limit=0) == []
    assert await node.top(ATTACHMENT) == []


@pytest_twisted.ensureDeferred
async def test_what_is_deleted_since_was_received_all_the_same(node: Node) -> None:
    await node.deliver(mail(), "a@one.example")
    await node.database.run("delete from message")
    assert await node.top(ADDRESS) == [("a@one.example", 1)]


@pytest_twisted.ensureDeferred
async def test_two_nodes_count_together(node: Node) -> None:
    other = make_node(node.database)
    await node.deliver(mail(), "a@one.example")
    await other.deliver(mail(), "a@one.example")
    await gatherResults([ensureDeferred(n.public_counts.write()) for n in (node, other)])
    assert await node.top(ADDRESS) == [("a@one.example", 2)]


@pytest_twisted.ensureDeferred
async def test_private_mail_is_not_counted_and_later_privacy_hides_what_was(node: Node) -> None:
    await own(node.database, "mine@one.example")
    await node.deliver(mail("spy@x.example", attached=CONTENT), "mine@one.example")
    for kind in (ADDRESS, SENDER, DOMAIN, ATTACHMENT):
        assert await node.top(kind) == [], kind
    await node.deliver(mail(), "later@one.example", "other@two.example")
    await node.database.run(
        "insert into address (email, domain, owner) values (%s, 'one.example', 'ann')",
        ("later@one.example",),
    )
    await node.database.run(
        "insert into domain (name, owner, verified, is_private, verification_txt)"
        " values ('two.example', 'ann', true, true, '')"
    )
    assert await node.top(ADDRESS) == []
    assert await node.top(DOMAIN) == [("one.example", 1)]


@pytest_twisted.ensureDeferred
async def test_mail_of_a_verified_domain_that_is_not_private_is_public(node: Node) -> None:
    await add_accounts(node.database, "ann")
    await node.database.run(
        "insert into domain (name, owner, verified, is_private, verification_txt)"
        " values ('one.example', 'ann', true, false, '')"
    )
    await node.deliver(mail(attached=CONTENT), "a@one.example")
    assert await node.top(ADDRESS) == [("a@one.example", 1)]
    assert await node.statistics.count_with(ANYONE, MD5) == 1


@pytest_twisted.ensureDeferred
async def test_the_range_goes_by_hours(node: Node) -> None:
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    at = [hour, hour - timedelta(hours=2), hour - timedelta(hours=30), hour - timedelta(days=20)]
    await store.add_tallies(
        node.database, [Tally(ADDRESS, h, f"{n}@x.example", 1) for n, h in enumerate(at)]
    )

    async def names(since: datetime | None, until: datetime | None) -> list[str]:
        span = {
            "since_ms": since and milliseconds(since),
            "until_ms": until and milliseconds(until),
        }
        return [name[0] for name, _ in await node.top(ADDRESS, **span)]

    assert await names(None, None) == ["0", "1"]
    assert await names(hour - timedelta(minutes=70), None) == ["0", "1"]
    assert await names(hour - timedelta(minutes=59), None) == ["0"]
    assert await names(None, hour) == ["1"]
    assert await names(None, hour - timedelta(hours=20)) == ["2"]
    assert await names(hour - timedelta(days=25), None) == ["0", "1", "2", "3"]
    assert await names(now + timedelta(days=1), now + timedelta(days=2)) == []


@pytest.mark.parametrize("ms", [-(10**15) + 1, 10**15 - 1])
@pytest_twisted.ensureDeferred
async def test_times_far_off_are_no_error(node: Node, ms: int) -> None:
    assert await node.top(ADDRESS, since_ms=-(10**15), until_ms=ms) == []


@pytest_twisted.ensureDeferred
async def test_a_range_that_ends_before_it_begins_is_a_fault(node: Node) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await node.top(ADDRESS, since_ms=2_000, until_ms=1_000)
    assert [fault.field for fault in refused.value.faults] == ["startDate"]


@pytest_twisted.ensureDeferred
async def test_an_attachment_is_found_in_public_messages_alone(node: Node) -> None:
    await own(node.database, "mine@one.example")
    await node.deliver(mail(attached=CONTENT), "mine@one.example")
    assert await node.statistics.count_with(ANYONE, MD5) == 0
    with pytest.raises(NotFoundError):
        await node.statistics.attachment(ANYONE, MD5)
    await node.deliver(mail(attached=CONTENT), "a@two.example", "b@two.example")
    await node.deliver(mail(attached=b"another"), "a@two.example")
    assert (await node.top(ATTACHMENT))[0] == (MD5, 2)
    assert await node.statistics.count_with(ANYONE, MD5.upper()) == 2
    listed = await node.statistics.messages_with(ANYONE, MD5, limit=1, skip=1)
    assert listed.count('"inbox":"a@two.example"') == listed.count('"_id"') == 1
    found = await node.statistics.attachment(ANYONE, MD5)
    assert (found.content, found.file_name) == (CONTENT, "a.png")
    await node.database.run("update message set saved_by = 'ann' where inbox = 'a@two.example'")
    assert await node.statistics.count_with(ANYONE, MD5) == 1
    await node.database.run("update message set private = true where inbox = 'b@two.example'")
    assert await node.statistics.count_with(ANYONE, MD5) == 0
    assert await node.statistics.messages_with(ANYONE, MD5, limit=9, skip=0) == "[]"
    assert await node.top(ATTACHMENT) == []


@pytest_twisted.ensureDeferred
async def test_an_inbox_that_was_taken_over_hides_what_it_had(node: Node) -> None:
    await node.deliver(mail(attached=CONTENT), "a@two.example", "b@three.example")
    await own(node.database, "a@two.example")
    assert await node.statistics.count_with(ANYONE, MD5) == 1
    await node.database.run(
        "insert into domain (name, owner, verified, is_private, verification_txt)"
        " values ('three.example', 'ann', true, true, '')"
    )
    assert await node.statistics.count_with(ANYONE, MD5) == 0


@pytest.mark.parametrize("text", ["", "x", "g" * 32, "0" * 31, "0" * 33, "\0", "ä" * 32])
@pytest_twisted.ensureDeferred
async def test_no_message_has_what_is_no_md5(node: Node, text: str) -> None:
    assert await node.statistics.count_with(ANYONE, text) == 0
    assert await node.statistics.messages_with(ANYONE, text, limit=9, skip=0) == "[]"
    with pytest.raises(NotFoundError):
        await node.statistics.attachment(ANYONE, text)


@pytest_twisted.ensureDeferred
async def test_without_anonymous_reading_a_key_is_needed(database: Database) -> None:
    statistics = make_node(database, anonymous_read=False).statistics
    span = Span(since_ms=None, until_ms=None, limit=1, skip=0)
    for call in (
        statistics.top(ANYONE, ADDRESS, span),
        statistics.count_with(ANYONE, MD5),
        statistics.messages_with(ANYONE, MD5, limit=1, skip=0),
        statistics.attachment(ANYONE, MD5),
    ):
        with pytest.raises(UnauthenticatedError):
            await call
    assert await statistics.top(Actor(account="ann"), ADDRESS, span) == []


def _new(number: int, *, sender: str = "s@x.example", inbox: str | None = None) -> NewEnvelope:
    inbox = inbox or f"{number}@x.example"
    message = NewMessage(inbox=inbox, id=f"{number}-0", domain="x.example", facts="{")
    return NewEnvelope(
        id=str(number),
        received_ms=milliseconds(datetime.now(UTC)),
        raw=b"",
        size=0,
        messages=(message,),
        sender=sender,
    )


@pytest_twisted.ensureDeferred
async def test_of_very_many_names_those_met_most_stay(database: Database) -> None:
    public_counts = PublicCounts(database, reactor=reactor)
    for number in range(5 * KEPT):
        public_counts.stored([_new(number)], {})
        if number % 10 == 0:
            public_counts.stored([_new(number, inbox="often@x.example")], {})
        assert len(public_counts._counts[ADDRESS]) <= 2 * KEPT + 1
    await public_counts.write()
    [(written,)] = await database.fetch("select count(*) from tally where kind = 'address'")
    assert written == KEPT
    [(often,)] = await database.fetch("select n from tally where name = 'often@x.example'")
    assert often == KEPT / 2


@pytest_twisted.ensureDeferred
async def test_names_that_no_table_can_hold_are_left_out(database: Database) -> None:
    public_counts = PublicCounts(database, reactor=reactor)
    public_counts.stored([_new(1, sender="a\0b@x.example"), _new(2, sender="a" * 10_000)], {})
    await public_counts.write()
    assert await database.fetch("select n from tally where kind = 'sender'") == []
    assert await database.fetch("select n from tally where kind = 'domain'") == [(2,)]


@pytest_twisted.ensureDeferred
async def test_counts_wait_while_the_database_is_away(
    database: Database, stopped_database: Database
) -> None:
    public_counts = PublicCounts(stopped_database, reactor=reactor)
    public_counts.stored([_new(1)], {})
    await public_counts.write()
    public_counts.stored([_new(1)], {})
    await public_counts.write()
    public_counts._database = database
    await public_counts.write()
    assert await database.fetch("select n from tally where kind = 'address'") == [(2,)]


@pytest_twisted.ensureDeferred
async def test_pruning_keeps_the_most_of_an_hour_and_nothing_old(node: Node) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    old = hour - timedelta(days=KEPT_DAYS + 1)
    await store.add_tallies(
        node.database,
        [
            Tally(SENDER, old, "old@x.example", 9),
            *(Tally(SENDER, hour, f"{n}@x.example", n + 1) for n in range(KEPT_AN_HOUR + 50)),
            Tally(DOMAIN, hour, "x.example", 1),
        ],
    )
    await node.statistics.prune()
    rows = await node.database.fetch("select count(*), min(n) from tally where kind = 'sender'")
    assert rows == [(KEPT_AN_HOUR, 51)]
    assert await node.top(DOMAIN) == [("x.example", 1)]


@pytest_twisted.ensureDeferred
async def test_one_node_prunes_at_a_time(node: Node) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=99)
    await store.add_tallies(node.database, [Tally(DOMAIN, hour, "old.example", 1)])

    async def meanwhile(transaction: Any) -> None:
        assert await take_turn(transaction, Job.CUTTING_TALLIES)
        await node.statistics.prune()

    await node.database.transaction(meanwhile)
    assert await node.database.fetch("select name from tally") == [("old.example",)]
    await node.statistics.prune()
    assert await node.database.fetch("select name from tally") == []
