"""Maildrops: what a session sees, what it may delete, and who has it to himself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

from mailsacd.core.actor import Actor
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import (
    ForbiddenError,
    InUseError,
    LoginDelayError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from mailsacd.core.maildrop import on_the_wire
from mailsacd.mail.accounts.guesses import Guesses
from mailsacd.mail.ownership.address_settings import checked_settings
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.ownership.alternates import Alternates
from mailsacd.mail.ownership.directory import Directory
from mailsacd.mail.ownership.mail_login import MailLogins
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.maildrop import MEASURED_AT_A_TIME, Maildrop, Maildrops
from mailsacd.mail.reading.read_ahead import GOOD_FOR_S
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from mailsacd.settings import Pop3Settings
from mailsacd.store.compression import expand
from mailsacd.store.pool import Database
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.people import PLANS, People, people

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred

BOTH_FORMS = True
PEER = "192.0.2.1"
BOX = "box@me.example"
ANN = Actor(account="ann")
BOB = Actor(account="bob")


@dataclass
class _Post:
    """A node with mail for ann; bob is somebody else."""

    people: People
    addresses: Addresses
    directory: Directory
    mailbox: Mailbox
    ingest: Ingest
    keys: dict[str, str]

    def maildrops(self, **settings: Any) -> Maildrops:
        access_control = AccessControl(self.directory, anonymous_read=True)
        logins = MailLogins(
            self.people.database,
            self.people.authenticator,
            self.directory,
            self.people.passwords,
            Guesses(reactor),
        )
        return Maildrops(
            self.people.database,
            access_control,
            logins,
            Pop3Settings(**settings),
            LANES.readers,
            reactor=reactor,
        )

    async def deliver(self, inbox: str = BOX, content: bytes = b"Subject: x\r\n\r\nhi\r\n") -> str:
        new = envelope(self.ingest, content, inbox)
        await self.ingest.deliver(new)
        return f"{new.id}-0"

    async def open(self, name: str = BOX, **settings: Any) -> Maildrop:
        return await self.maildrops(**settings).open(name, self.keys["ann"], PEER)

    async def ids(self, name: str = BOX) -> list[str]:
        return list((await self.open(name)).listing.ids)

    async def run(self, sql: str, *values: Any) -> None:
        await self.people.database.run(sql, values)


@pytest_twisted.async_yield_fixture
async def post(database: Database, database_dsn: str) -> AsyncIterator[_Post]:
    async with people(database, database_dsn) as node:
        directory = Directory(database, node.notices)
        addresses = Addresses(
            database, directory, PLANS, node.passwords, Alternates(database, reactor=reactor)
        )
        keys = {name: await node.key(name) for name in ("ann", "bob")}
        await database.run(
            "insert into domain (name, owner, verified, is_private, verification_txt)"
            " values ('own.example', 'ann', true, true, 'x')"
        )
        for email in (BOX, "*@own.example"):
            await addresses.reserve(ANN, email, checked_settings(password="of the box"))
        mailbox = Mailbox(database, AccessControl(directory, anonymous_read=True), LANES.readers)
        budget = ByteBudget(1 << 24)
        ingest = Ingest(
            database, composer=Composer("mx.example", LANES.mail_in), budget=budget, reactor=reactor
        )
        yield _Post(node, addresses, directory, mailbox, ingest, keys)
        await ingest.finish()


@ensure
async def test_the_owner_opens_every_kind_of_maildrop(post: _Post) -> None:
    maildrops = post.maildrops()
    for inbox in (BOX, "*@own.example", "whoever@own.example"):
        sent = [await post.deliver(inbox) for _ in range(2)]
        for name in (inbox, inbox.upper()):
            opened = await maildrops.open(name, post.keys["ann"], PEER)
            assert list(opened.listing.ids) == sent
    opened = await maildrops.open("Box+tag@ME.example", "of the box", PEER)
    assert (opened.account, opened.inbox) == ("ann", BOX)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        (BOX, "wrong"),
        (BOX, "bob"),  # bob's key
        ("ann", "ann"),  # an account is no maildrop
        ("public@anybody.example", "ann"),
        ("public@anybody.example", "of the box"),
        ("whoever@own.example", "of the box"),  # it has no password of its own
        ("no address", "ann"),
        ("", ""),
    ],
)
@ensure
async def test_nobody_else_opens_one(post: _Post, name: str, secret: str) -> None:
    await post.deliver("public@anybody.example")
    with pytest.raises(UnauthenticatedError):
        await post.maildrops().open(name, post.keys.get(secret, secret), PEER)


@ensure
async def test_a_suspended_account_opens_none_and_reads_none(post: _Post) -> None:
    await post.deliver()
    opened = await post.open()
    await post.people.accounts.change("ann", {"suspended": True})
    with pytest.raises(UnauthenticatedError):
        await post.open()
    with pytest.raises(NotFoundError):
        await opened.read(0)
    with pytest.raises(ForbiddenError):
        await opened.remove([0])
    await post.people.accounts.change("ann", {"suspended": False})
    assert len(await post.ids()) == 1


@ensure
async def test_a_session_sees_what_was_there_when_it_began(post: _Post) -> None:
    first = await post.deliver()
    opened = await post.open()
    second = await post.deliver()
    assert list(opened.listing.ids) == [first]
    assert await post.ids() == [first, second]


@ensure
async def test_spam_and_trash_are_left_out_and_stars_are_not(post: _Post) -> None:
    ids = [await post.deliver() for _ in range(5)]
    for message_id, folder in zip(ids, ("inbox", "all", "spam", "trash", "sent"), strict=True):
        await post.run("update message set folder = %s where id = %s", folder, message_id)
    await post.run("update message set saved_by = 'ann' where id = %s", ids[1])
    assert await post.ids() == [ids[0], ids[1], ids[4]]


@pytest.mark.parametrize(
    "body",
    [
        b"plain\r\n",
        b".dot\r\n..\r\n.\r\n",
        b"no end",
        b"bare\n.\n.\n",
        b"bare\n",
        b"cr\r",
        b"",
        bytes(range(256)) * 400,
    ],
)
@ensure
async def test_sizes_are_exactly_what_is_sent(post: _Post, body: bytes) -> None:
    message_id = await post.deliver(BOX, b"Subject: x\r\n\r\n" + body)
    opened = await post.open()
    raw = await post.mailbox.raw(ANN, BOX, message_id)
    message = await opened.read(0)
    assert expand(message.body) == raw
    assert opened.listing.sizes == (len(on_the_wire(raw)),)
    assert not message.plain or on_the_wire(raw) == raw


@ensure
async def test_mail_from_before_sizes_were_kept_is_measured_once(post: _Post) -> None:
    bodies = [b"plain\r\n", b"no end", b"bare\n.\n", *[b"bare\n"] * MEASURED_AT_A_TIME]
    ids = [await post.deliver(BOX, b"Subject: x\r\n\r\n" + body) for body in bodies]
    raws = [await post.mailbox.raw(ANN, BOX, message_id) for message_id in ids]
    await post.run("update raw_message set plain = default, wire_size = default")
    for _ in range(2):
        opened = await post.open()
        assert opened.listing.sizes == tuple(len(on_the_wire(raw)) for raw in raws)
        assert [(await opened.read(place)).plain for place in range(3)] == [True, False, False]
        await post.run("update raw_message set body = ''")  # not looked at again


@ensure
async def test_messages_are_read_in_any_order(post: _Post) -> None:
    ids = [await post.deliver(BOX, f"Subject: {n}\r\n\r\n{n}\r\n".encode()) for n in range(40)]
    opened = await post.open()
    order = [*range(40), 3, 4, 5, 39, 0, *range(10, 30, 2), *range(39, -1, -1)]
    for place in order:
        raw = expand((await opened.read(place)).body)
        assert raw.endswith(f"Subject: {place}\r\n\r\n{place}\r\n".encode())
    assert list(opened.listing.ids) == ids


@ensure
async def test_a_message_deleted_meanwhile_is_gone(post: _Post) -> None:
    ids = [await post.deliver() for _ in range(4)]
    opened = await post.open()
    for place in (0, 1):
        await opened.read(place)
    await post.mailbox.delete(ANN, BOX, ids[2])
    await deferLater(reactor, 2 * GOOD_FOR_S)  # what was read ahead is not good any more
    with pytest.raises(NotFoundError):
        await opened.read(2)
    assert await opened.read(3)
    await opened.remove([1, 2])  # one of them is gone already: that is as was asked
    assert await post.ids() == [ids[0], ids[3]]


@ensure
async def test_deleting_takes_the_raw_along_and_leaves_other_copies(post: _Post) -> None:
    new = envelope(post.ingest, b"Subject: x\r\n\r\nhi\r\n", BOX, "other@anybody.example")
    await post.ingest.deliver(new)
    await post.run("update message set saved_by = 'ann' where inbox = %s", BOX)
    await (await post.open()).remove([0])  # a star does not keep what its owner deletes
    assert await post.ids() == []
    assert await post.mailbox.raw(ANN, "other@anybody.example", f"{new.id}-1")


@ensure
async def test_what_is_not_the_accounts_any_more_is_not_deleted(post: _Post) -> None:
    ids = [await post.deliver() for _ in range(3)]
    opened = await post.open()
    await post.run("update message set owner = 'bob' where id = %s", ids[1])
    with pytest.raises(NotFoundError):
        await opened.read(1)
    with pytest.raises(ForbiddenError):
        await opened.remove([0, 1, 2])
    rows, _ = await post.people.database.run("select id from message order by id")
    assert [row[0] for row in rows] == ids  # nothing at all


@ensure
async def test_an_address_released_meanwhile_leaves_its_old_mail_to_its_owner(post: _Post) -> None:
    ids = [await post.deliver() for _ in range(2)]
    opened = await post.open()
    await post.addresses.release(ANN, BOX, delete_messages=False)
    await post.addresses.reserve(BOB, BOX)
    theirs = await post.deliver()
    assert await opened.read(0)
    await opened.remove([0])
    rows, _ = await post.people.database.run("select id from message order by id")
    assert [row[0] for row in rows] == [ids[1], theirs]
    with pytest.raises(UnauthenticatedError):
        await post.open()


async def _close(opened: Maildrop) -> None:
    opened.close()
    assert await opened._maildrops._tasks.idle(5)


@ensure
async def test_a_lock_lets_one_session_in_until_it_ends(post: _Post) -> None:
    first = await post.open(lock=True)
    with pytest.raises(InUseError):
        await post.open(lock=True)
    assert await post.open("*@own.example", lock=True)
    await _close(first)
    second = await post.open(lock=True)
    await _close(first)  # again: the lock is another's now
    with pytest.raises(InUseError):
        await post.open(lock=True)
    await post.run("update maildrop set held_until = now() - interval '1 s'")
    third = await post.open(lock=True)  # whoever held it has died
    await _close(second)
    with pytest.raises(InUseError):
        await post.open(lock=True)
    await _close(third)


@ensure
async def test_sessions_of_a_process_that_lives_keep_their_lock(post: _Post) -> None:
    maildrops = post.maildrops(lock=True)
    opened = await maildrops.open(BOX, post.keys["ann"], PEER)
    await post.run("update maildrop set held_until = now() + interval '1 s'")
    await maildrops._renewing.run_now()
    rows, _ = await post.people.database.run(
        "select held_until > now() + interval '60 s' from maildrop"
    )
    assert rows == [(True,)]
    await _close(opened)
    await post.run("update maildrop set last_login = now() - interval '1 h'")
    await maildrops._renewing.run_now()
    assert (await post.people.database.run("select 1 from maildrop"))[0] == []


@ensure
async def test_who_logs_in_too_soon_has_to_wait(post: _Post) -> None:
    await _close(await post.open(login_delay_s=60))
    with pytest.raises(LoginDelayError):
        await post.open(login_delay_s=60)
    await post.run("update maildrop set last_login = now() - interval '61 s'")
    await _close(await post.open(login_delay_s=60))


@ensure
async def test_two_sessions_are_let_in_without_a_lock(post: _Post) -> None:
    ids = [await post.deliver() for _ in range(2)]
    first, second = await post.open(), await post.open()
    await first.remove([0])
    await second.remove([0, 1])
    assert await post.ids() == []
    assert list(first.listing.ids) == ids


@ensure
async def test_a_database_that_is_away_deletes_nothing(
    post: _Post, stopped_database: Database
) -> None:
    await post.deliver()
    opened = await post.open()
    database = post.people.database
    opened._maildrops._database = stopped_database
    with pytest.raises(UnavailableError):
        await opened.remove([0])
    opened._maildrops._database = database
    assert len(await post.ids()) == 1


@ensure
async def test_a_large_maildrop_is_listed_whole_and_in_order(post: _Post) -> None:
    await post.deliver()
    await post.run(
        "insert into message (inbox, id, raw_id, domain, received, facts, owner, private)"
        " select inbox, to_char(n, 'FM00000') || '-0', raw_id, domain, received, facts, owner,"
        " private from message, generate_series(1, 10000) n"
    )
    listing = (await post.open()).listing
    assert len(listing.ids) == 10_001
    assert list(listing.ids) == sorted(listing.ids)
    assert len(set(listing.sizes)) == 1
