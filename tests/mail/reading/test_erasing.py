"""Very much mail is gone at once, wherever one looks, and removed after that."""

import json
from functools import partial
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.task import deferLater

from mailsacd.core.actor import Actor
from mailsacd.core.errors import NotFoundError
from mailsacd.core.event import Interest, Position
from mailsacd.core.message import NewEnvelope
from mailsacd.core.search import Terms
from mailsacd.core.token import time_of
from mailsacd.mail.accounts.accounts import REMOVED_AT_ONCE
from mailsacd.mail.ownership.erasing import Erasing
from mailsacd.mail.reading.account_mail import AccountMail
from mailsacd.mail.reading.mailbox import Mailbox, Page
from mailsacd.mail.reading.marks import Marks
from mailsacd.store import counts, erasures, inbox, maildrop, messages
from mailsacd.store.deletion import Deletion
from mailsacd.store.events import current_snapshot, messages_after
from mailsacd.store.inbox import BATCH
from mailsacd.store.maildrop import find_bodies, list_maildrop, remove_messages
from mailsacd.store.pool import Database
from mailsacd.store.profile import stored_for
from mailsacd.store.pushed_messages import find_messages
from mailsacd.store.retention import keep_limits
from mailsacd.store.sql import Statement
from mailsacd.store.storing import store_envelopes
from mailsacd.store.transaction import Transaction
from tests.lanes import LANES
from tests.mail.access import access_control
from tests.mail.hubs import new_mail
from tests.mail.owners import add_owner
from tests.mail.people import People, people

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred

BOTH_FORMS = True
ANN = Actor(account="ann")
BOX = "box@anns.example"
OTHER = "other@else.example"
MANY = 2 * BATCH + 3
WHOLE = Page(limit=1_000)


async def store_many(database: Database, inbox: str = BOX, many: int = MANY) -> list[str]:
    """Store so many messages for an inbox; their ids, oldest first."""
    stored = [new_mail(inbox) for _ in range(many)]
    for first in range(0, many, 200):
        await store_envelopes(database, stored[first : first + 200], hooks=False)
    return [new.messages[0].id for new in stored]


async def rows(database: Database, table: str = "message") -> int:
    return int((await database.fetch(f"select count(*) from {table}"))[0][0])


async def remove_all(database: Database) -> int:
    """Remove what is gone; in how many transactions."""
    times = 1
    while await database.transaction(erasures.remove_erased):
        times += 1
    return times


def mail_of(database: Database) -> tuple[Mailbox, AccountMail, Marks]:
    """What people read and change mail by."""
    access = access_control(database)
    return (
        Mailbox(database, access, LANES.readers),
        AccountMail(database, access),
        Marks(database, access),
    )


@ensure
async def test_a_domains_mail_is_gone_everywhere_before_it_is_removed(database: Database) -> None:
    await add_owner(database, "ann", OTHER, domains=("anns.example",))
    mailbox, account_mail, marks = mail_of(database)
    before = await current_snapshot(database)
    ids = await store_many(database)
    (kept,) = await store_many(database, OTHER, 1)
    await marks.toggle_star(ANN, BOX, ids[0])
    await account_mail.purge_domain(ANN, "anns.example")

    assert await rows(database) == MANY + 1 - BATCH
    hidden = [
        id_ for (id_,) in await database.fetch("select id from message where id <> %s", (kept,))
    ]
    assert await mailbox.list_json(ANN, BOX, WHOLE) == "[]"
    assert await mailbox.count(ANN, BOX) == (0, BOX)
    assert json.loads((await account_mail.list(ANN, WHOLE)).messages)[0]["_id"] == kept
    assert (await account_mail.list(ANN, WHOLE)).unread == 1
    assert await account_mail.starred(ANN, WHOLE) == "[]"
    assert await account_mail.of_domain(ANN, "anns.example", WHOLE) == "[]"
    for terms in (Terms(anywhere="box@anns"), Terms(read=False, anywhere="zq"), Terms(sender="zq")):
        assert await account_mail.search(ANN, terms) == "[]"
    assert len(json.loads(await account_mail.search(ANN, Terms(read=False)))) == 1
    for call in (mailbox.get, mailbox.raw, mailbox.text, mailbox.delete):
        with pytest.raises(NotFoundError):
            await call(ANN, BOX, hidden[0])
    for call in (
        marks.toggle_star,
        partial(marks.set_star, starred=True),
        partial(marks.set_read, read=True),
    ):
        with pytest.raises(NotFoundError):
            await call(ANN, BOX, hidden[0])
    assert (await list_maildrop(database, BOX, "ann")).ids == ()
    assert await find_bodies(database, BOX, hidden, "ann", is_open=True) == {}
    assert await remove_messages(database, BOX, hidden[:5], "ann", is_open=True) == 0
    found, _ = await find_messages(
        database, [(BOX, id_) for id_ in hidden], max_bytes=10**9, large_bytes=10**9
    )
    assert found == []
    interest = Interest(account="ann", everything_owned=True)
    now = await current_snapshot(database)
    missed = await messages_after(database, interest, Position(before), now, limit=1_000)
    assert missed == [(OTHER, kept)]
    has = await counts.count_of(database, "ann")
    assert (has.held, has.owned, has.starred, has.unread) == (1, 1, 0, 1)
    assert (await counts.count_of_domain(database, "ann", "anns.example")).held == 0
    assert (await stored_for(database, "ann")).non_owned_inboxes == []

    assert await remove_all(database) == 4  # two batches, one that finds nothing, and the end
    assert await rows(database) == await rows(database, "raw_message") == 1
    assert await rows(database, "erasure") == 0
    assert await counts.count_of(database, "ann") == has
    assert await counts.differences(database) == []


def earlier(new: NewEnvelope) -> NewEnvelope:
    """The envelope as a node with a slow clock would have named it."""
    id_ = "00" + new.id[2:]
    messages = [
        type(m)(**{name: getattr(m, name) for name in m.__struct_fields__} | {"id": f"{id_}-0"})
        for m in new.messages
    ]
    return NewEnvelope(
        id=id_, received_ms=new.received_ms, raw=new.raw, size=new.size, messages=tuple(messages)
    )


@ensure
async def test_what_comes_after_that_stays_whatever_its_id_is(database: Database) -> None:
    await add_owner(database, "ann", domains=("anns.example",))
    mailbox, account_mail, _ = mail_of(database)
    await store_many(database)
    await account_mail.purge_domain(ANN, "anns.example")
    late = earlier(new_mail(BOX))
    assert time_of(late.id).year < 2000
    await store_envelopes(database, [late, new_mail(BOX)])
    for _ in range(2):
        assert (await mailbox.count(ANN, BOX))[0] == 2
        assert (await counts.count_of(database, "ann")).held == 2
        await remove_all(database)
    assert await rows(database) == 2


@ensure
async def test_a_purge_takes_the_newest_so_many_and_no_star(database: Database) -> None:
    await add_owner(database, "ann", domains=("anns.example",))
    mailbox, _, marks = mail_of(database)
    ids = await store_many(database)
    newest = MANY - BATCH - 20
    await marks.toggle_star(ANN, BOX, ids[newest])
    await mailbox.purge(ANN, BOX, limit=BATCH + 30)
    there = [*ids[: MANY - BATCH - 31], ids[newest]]
    for _ in range(2):
        listed = json.loads(await mailbox.list_json(ANN, BOX, WHOLE))
        assert [m["_id"] for m in listed] == there[::-1]
        assert (await counts.count_of(database, "ann")).held == len(there)
        # Else it would be one of those that are gone
        for take_off in (marks.toggle_star, partial(marks.set_star, starred=False)):
            changed = await take_off(ANN, BOX, ids[newest])
            assert (changed.marks.saved_by == "ann") is bool(await rows(database, "erasure"))
            again = await marks.set_star(ANN, BOX, ids[newest], starred=True)
            assert again.marks.saved_by == "ann"
        await remove_all(database)
    assert await rows(database) == len(there)


@ensure
async def test_what_is_gone_counts_towards_no_limit(database: Database) -> None:
    await add_owner(database, "ann", OTHER, domains=("anns.example",))
    mailbox, account_mail, _ = mail_of(database)
    await store_many(database, OTHER, 30)
    ids = await store_many(database)
    await database.transaction(
        lambda t: keep_limits(t, per_inbox=6, days=4, plans={"free": 40}, default_plan="free")
    )
    assert (await mailbox.count(ANN, OTHER))[0] == 0
    assert (await mailbox.count(ANN, BOX))[0] == 40
    await account_mail.purge_domain(ANN, "anns.example")
    assert len(ids) - BATCH > 40
    for _ in range(2):
        assert (await mailbox.count(ANN, OTHER))[0] == 30
        assert (await counts.count_of(database, "ann")).held == 30
        assert (await counts.count_of(database, "ann")).owned == 30
        await remove_all(database)


@ensure
async def test_what_is_broken_off_is_gone_on_with_and_several_share_it(database: Database) -> None:
    await add_owner(database, "ann", domains=("anns.example",))
    _, account_mail, _ = mail_of(database)
    await store_many(database)
    await account_mail.purge_domain(ANN, "anns.example")

    async def killed(transaction: Transaction) -> None:
        assert await erasures.remove_erased(transaction)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.transaction(killed)
    assert (await counts.count_of(database, "ann")).held == 0
    await gatherResults([ensureDeferred(remove_all(database)) for _ in range(3)])
    await remove_all(database)
    assert await rows(database) == await rows(database, "erasure") == 0
    assert await counts.differences(database) == []


@ensure
async def test_an_account_is_gone_at_once_and_its_name_is_free_when_all_is_removed(
    database: Database, database_dsn: str
) -> None:
    many = (REMOVED_AT_ONCE + 1) * BATCH
    async with people(database, database_dsn) as node:
        await node.accounts.add("bob", "bob@example.net")
        await database.run(
            "insert into domain (name, owner, verified, is_private, verification_txt)"
            " values ('bobs.example', 'bob', true, false, '')"
        )
        await store_many(database, "box@bobs.example", many)
        mailbox, _, _ = mail_of(database)
        nobody = Actor(account=None)
        assert (await mailbox.count(nobody, "box@bobs.example"))[0] == many
        await node.accounts.remove("bob")
        assert await rows(database) > 0
        assert (await mailbox.count(nobody, "box@bobs.example"))[0] == 0
        await store_many(database, "box@bobs.example", 1)
        assert (await mailbox.count(nobody, "box@bobs.example"))[0] == 1
        erasing = Erasing(database, node.accounts, reactor=reactor)
        erasing.start()
        await until_none(node)
        await erasing.stop()
        assert await rows(database) == await rows(database, "raw_message") == 1
        assert await rows(database, "erasure") == 0
        await node.accounts.add("bob", "bob@example.net")


async def until_none(node: People) -> None:
    """Wait until there is no account."""
    while await node.accounts.list():
        await deferLater(reactor, 0.02)


@pytest.mark.parametrize(
    "statement",
    [*messages._list_json.values(), messages._count, inbox._purge_inbox, maildrop._list],
)
def test_what_may_pass_over_very_many_rows_calls_no_function_for_each(
    statement: Statement | Deletion[int],
) -> None:
    assert "from erasure" in statement.text
    assert "is_erased" not in statement.text
