"""Mail that an older version left unexamined is whole after the upgrade."""

from typing import Any

import pytest
import pytest_twisted
from msgspec.structs import replace
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.logger import LogEvent

from mailsacd.core.message import NewEnvelope
from mailsacd.mail.upgrading import unexamined as module
from mailsacd.mail.upgrading.schema import bring_up_to_date
from mailsacd.mail.upgrading.unexamined import GROUP, examine_some
from mailsacd.store.messages import delete_messages
from mailsacd.store.migrate import migrate, migrations
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.conftest import Open
from tests.mail.hubs import new_mail
from tests.store.stored import store_by_older_version

reactor: Any = the_reactor

BOB = "bob@example.com"
EVE = "eve@example.com"

OLDER = 14  # the number of that version's schema
NEWER = len(migrations()) - OLDER

CONTENTS = ',"attachments":'  # and all after it
NOTHING = ',"attachments":null,"links":[],"parseLimited":false'

_PART = b"Content-Type: image/png\r\nContent-Disposition: attachment; filename=a.png\r\n\r\nxyz\r\n"
_SUM = "d16fb36f0911f878998c136191af705e"  # of "xyz"
MIXED = (
    b"From: Ann <ann@example.net>\r\nSubject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    b"\r\n--b\r\n\r\nsee https://one.example/ and \"@\":\"0\"\r\n--b\r\n" + _PART + b"--b\r\n"
    + _PART + b"--b--\r\n"
)  # fmt: skip
NESTED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"

UNUSUAL = {
    "usual": b"From: ann@example.net\r\nSubject: hi\r\n\r\nhello\r\n",
    "attachments": MIXED,
    "nothing": b"",
    "no header": b"no header at all, https://one.example/",
    "a header that looks like a trace": b"Received: from x\r\n\tMon, 01 Jan 2026 00:00:00 +0000\r\n"
    b"\r\nhttps://one.example/",
    "too many fields": b"X-A: b\r\n" * 1_200 + b"\r\nhello",
    "too many links": b"\r\n" + b"".join(b"https://example/%d\r\n" % n for n in range(1_200)),
    "nested too deep": NESTED * 40,
    "a placeholder": b'Subject: ","@":"00000000000000000000a"\r\n\r\nhttps://e/","@":"0a"',
    "any byte": bytes(range(256)) * 4,
    "large": b"\r\nhttps://one.example/ " + b"x" * 120_000,
}


async def store_put_off(database: Database, *sent: NewEnvelope) -> None:
    """Store these as the older version did under pressure: before it knew what is in them."""
    for new in sent:
        copies = [
            replace(m, facts=f'{m.facts[: m.facts.rindex(CONTENTS)]},"@":"{new.id}"')
            for m in new.messages
        ]
        put_off = replace(new, messages=tuple(copies), attachments=())
        await store_by_older_version(database, put_off)
        await database.run(
            "insert into unexamined values (%s, %s)", (new.id, [m.inbox for m in new.messages])
        )


async def facts(database: Database) -> list[str]:
    return [row[0] for row in await database.fetch("select facts from message order by id")]


async def tallies(database: Database) -> Any:
    return await database.fetch("select name, sum(n) from tally group by name order by name")


@pytest_twisted.async_fixture
async def old(open_empty: Open) -> Database:
    """A database of the older version."""
    database = await open_empty()
    await migrate(database, {}, upto=OLDER)
    return database


@pytest_twisted.ensureDeferred
async def test_all_that_was_put_off_is_as_if_it_had_been_stored_whole(old: Database) -> None:
    whole = new_mail(BOB, content=MIXED)
    sent = [new_mail(BOB, EVE, content=content) for content in UNUSUAL.values()]
    sent += [new_mail(BOB, content=MIXED) for _ in range(2 * GROUP)]
    await store_by_older_version(old, whole)
    await store_put_off(old, *sent)
    await old.run("update message set saved_by = 'ann', labels = '{x}' where inbox = %s", (EVE,))
    assert await bring_up_to_date(old) == NEWER
    assert await facts(old) == [m.facts for new in (whole, *sent) for m in new.messages]
    rows = await old.fetch("select array_to_string(attachments, ' ') from message order by id")
    sums = [m5 for new in (whole, *sent) for m5 in [new.attachments] * len(new.messages)]
    assert [(each[0] or "").replace("-", "").split() for each in rows] == list(map(list, sums))
    marks = await old.fetch("select distinct saved_by, labels from message order by saved_by")
    assert marks == [("ann", ["x"]), (None, [])]
    assert await tallies(old) == [(_SUM, 2 * GROUP + 1)]  # that of Eve is starred
    assert await old.fetch("select to_regclass('unexamined')") == [(None,)]
    assert await bring_up_to_date(old) == 0


@pytest_twisted.ensureDeferred
async def test_what_was_deleted_in_the_meantime_is_passed_over(old: Database) -> None:
    gone, half, torn = (new_mail(BOB, EVE, content=MIXED) for _ in range(3))
    await store_put_off(old, gone, half, torn)
    for inbox, message in ((BOB, gone), (EVE, gone), (BOB, half)):
        ids = {m.inbox: m.id for m in message.messages}
        assert await delete_messages(old, inbox, [ids[inbox]]) == 1
    await old.run("delete from raw_message where id = %s", (torn.id,))
    await bring_up_to_date(old)
    left = await facts(old)
    assert left[0] == half.messages[1].facts
    assert [each.endswith(NOTHING) for each in left] == [False, True, True]
    assert await tallies(old) == [(_SUM, 1)]


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_read_has_empty_contents_and_is_logged(
    old: Database, logged_errors: list[LogEvent]
) -> None:
    broken, sound = new_mail(BOB, content=MIXED), new_mail(BOB, content=MIXED)
    await store_put_off(old, broken, sound)
    await old.run("update raw_message set body = '\\x00' where id = %s", (broken.id,))
    await bring_up_to_date(old)
    first, second = await facts(old)
    assert first.endswith(NOTHING)
    assert second == sound.messages[0].facts
    assert [event["id"] for event in logged_errors] == [broken.id]
    logged_errors.clear()


@pytest_twisted.ensureDeferred
async def test_what_breaks_off_is_gone_on_with(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GROUP", 2)
    sent = [new_mail(BOB, content=MIXED) for _ in range(5)]
    await store_put_off(old, *sent)
    left = []

    async def broken_off(transaction: Transaction) -> bool:
        more = await examine_some(transaction)
        left.extend(await transaction.fetch("select count(*) from unexamined"))
        if len(left) % 2 == 0:
            raise ConnectionError
        return more

    for _ in range(2):
        with pytest.raises(ConnectionError):
            await migrate(old, {15: broken_off})
    assert left == [(3,), (1,), (1,), (0,)]
    assert await bring_up_to_date(old) == NEWER
    assert await facts(old) == [new.messages[0].facts for new in sent]
    assert await tallies(old) == [(_SUM, 5)]


@pytest_twisted.ensureDeferred
async def test_several_daemons_share_the_work_and_count_it_once(
    old: Database, open_empty: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GROUP", 2)
    sent = [new_mail(BOB, content=MIXED) for _ in range(20)]
    await store_put_off(old, *sent)
    nodes = [old, await open_empty(), await open_empty()]
    done = await gatherResults([ensureDeferred(bring_up_to_date(node)) for node in nodes])
    assert sum(done) == NEWER
    assert await facts(old) == [new.messages[0].facts for new in sent]
    assert await tallies(old) == [(_SUM, 20)]


@pytest_twisted.ensureDeferred
async def test_a_daemon_of_the_older_version_puts_nothing_off_meanwhile(
    old: Database, open_empty: Open
) -> None:
    put_off, late = new_mail(BOB, content=MIXED), new_mail(BOB, content=MIXED)
    await store_put_off(old, put_off)
    other = await open_empty()

    async def upgrade(transaction: Transaction) -> Deferred[None]:
        await examine_some(transaction)
        storing = ensureDeferred(store_put_off(other, late))
        await transaction.fetch("select pg_sleep(0.1)")
        assert await transaction.fetch("select count(*) from unexamined") == [(0,)]
        return storing

    storing = await old.transaction(upgrade)
    await storing
    assert await old.fetch("select raw_id from unexamined") == [(late.id,)]
