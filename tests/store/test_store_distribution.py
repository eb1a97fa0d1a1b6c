"""Raw messages apart from all else: the form of statements, and what is not seen at once.

All here runs on one PostgreSQL, in the form for several. On a cluster of Citus all tests of the
store run where TEST_DISTRIBUTED_DSN leads to one (docs/recipes.md).
"""

import re
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from mailsacd.core.errors import ConfigurationError, ConflictError, UnavailableError
from mailsacd.core.message import NewEnvelope
from mailsacd.store import raw_messages
from mailsacd.store.archive import make_beside
from mailsacd.store.distribution import distribute
from mailsacd.store.maildrop import find_bodies, list_maildrop
from mailsacd.store.messages import count_messages, delete_messages, find_raw
from mailsacd.store.pool import Database
from mailsacd.store.pushed_messages import find_messages
from mailsacd.store.recycling import take_turn
from mailsacd.store.sql import Statement
from mailsacd.store.storing import store_envelopes
from mailsacd.store.transaction import Transaction
from tests.mail.hubs import new_mail

STORE = Path(raw_messages.__file__).parent
INBOX = "bob@example.com"


@pytest.fixture
def apart(database: Database, request: pytest.FixtureRequest) -> Database:
    """The database, empty, for statements in the form for several servers."""
    found: Database = request.getfixturevalue("_distributed_database")
    assert found.is_distributed
    return found


@pytest.fixture(autouse=True)
def _few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_messages, "_LOOKS", 6)


async def _hide_raw(apart: Database, new: NewEnvelope) -> None:
    """Have it be as when the server of the raw message has prepared it, and not committed yet."""
    await store_envelopes(apart, [new])
    await apart.run("delete from raw_message where id = %s", (new.id,))


async def _show_raw(apart: Database, new: NewEnvelope) -> None:
    await deferLater(reactor, 0.1)
    await apart.run(
        "insert into raw_message (id, received, body, size, refs, wire_size)"
        " values (%s, now(), %s, %s, %s, 7)",
        (new.id, new.raw, new.size, len(new.messages)),
    )


def test_each_statement_on_raw_messages_is_on_nothing_else() -> None:
    statements = [each for each in vars(raw_messages).values() if isinstance(each, Statement)]
    tables = [re.findall(r"(?:from|into|update|join) (\w+)", each.text) for each in statements]
    assert [found for found in tables if found and set(found) != {"raw_message"}] == []
    assert len(tables) > 5


def test_whoever_asks_for_raw_messages_knows_both_forms() -> None:
    of_one_form = {"raw_messages", "distribution", "unexamined"}  # the last is for an upgrade alone
    asking = {
        file.stem: "is_distributed" in text
        for file in STORE.glob("*.py")
        if re.search(r"\braw_message\b", text := file.read_text(encoding="utf-8"))
    }
    assert {name for name, both in asking.items() if not both} == of_one_form


@pytest_twisted.ensureDeferred
async def test_a_session_finds_out_in_which_form_statements_are_to_be(
    database: Database, apart: Database
) -> None:
    assert (await apart.fetch("show plan_cache_mode"), apart.is_distributed) == ([("auto",)], True)
    if not database.is_distributed:
        assert await database.fetch("show plan_cache_mode") == [("force_generic_plan",)]
    assert await apart.transaction(lambda each: each.together(_is_distributed))


async def _is_distributed(db: object) -> bool:
    return bool(getattr(db, "is_distributed", False))


@pytest_twisted.ensureDeferred
async def test_what_another_server_shows_a_moment_later_is_waited_for(apart: Database) -> None:
    new = new_mail(INBOX)
    message_id = new.messages[0].id
    await _hide_raw(apart, new)
    showing = Deferred.fromCoroutine(_show_raw(apart, new))
    assert await find_raw(apart, INBOX, message_id) == new.raw
    await showing

    await apart.run("delete from raw_message")
    showing = Deferred.fromCoroutine(_show_raw(apart, new))
    found, count = await find_messages(
        apart, [(INBOX, message_id)], max_bytes=100_000, large_bytes=100_000
    )
    assert ([each.raw for each in found], count) == ([new.raw], 1)
    await showing

    await apart.run("delete from raw_message")
    showing = Deferred.fromCoroutine(_show_raw(apart, new))
    assert (await list_maildrop(apart, INBOX, "ann")).sizes == (7,)
    await showing

    await apart.run("delete from raw_message")
    showing = Deferred.fromCoroutine(_show_raw(apart, new))
    assert await delete_messages(apart, INBOX, [message_id]) == 1
    await showing
    assert await apart.fetch("select id from raw_message") == []


@pytest_twisted.ensureDeferred
async def test_what_it_does_not_show_in_time_is_to_be_asked_for_later(apart: Database) -> None:
    new = new_mail(INBOX)
    message_id = new.messages[0].id
    await _hide_raw(apart, new)
    with pytest.raises(UnavailableError):
        await find_raw(apart, INBOX, message_id)
    with pytest.raises(UnavailableError):
        await find_messages(apart, [(INBOX, message_id)], max_bytes=9_999, large_bytes=9_999)
    with pytest.raises(UnavailableError):  # its raw message would stay for ever
        await delete_messages(apart, INBOX, [message_id])
    assert await count_messages(apart, INBOX) == 1


@pytest_twisted.ensureDeferred
async def test_what_is_lost_for_good_holds_up_nothing(apart: Database) -> None:
    new = new_mail(INBOX)
    message_id = new.messages[0].id
    await _hide_raw(apart, new)
    await apart.run("update message set received = received - interval '2 hours'")
    await apart.run("insert into account (name, email, plan) values ('ann', 'ann@example.net', '')")
    assert await find_raw(apart, INBOX, message_id) is None
    assert await find_bodies(apart, INBOX, [message_id], "ann", is_open=True) == {}
    assert await delete_messages(apart, INBOX, [message_id]) == 1
    assert await count_messages(apart, INBOX) == 0


@pytest_twisted.ensureDeferred
async def test_what_is_deleted_while_it_is_looked_for_is_not_there(apart: Database) -> None:
    new = new_mail(INBOX)
    await _hide_raw(apart, new)

    async def delete() -> None:
        await deferLater(reactor, 0.1)
        await apart.run("delete from message")

    deleting = Deferred.fromCoroutine(delete())
    assert await find_raw(apart, INBOX, new.messages[0].id) is None
    await deleting


@pytest_twisted.ensureDeferred
async def test_a_crash_may_not_undo_what_another_server_has_committed(
    database: Database, apart: Database
) -> None:
    async def commits(transaction: Transaction) -> str:
        await take_turn(transaction)
        [[setting]] = await transaction.fetch("show synchronous_commit")
        return str(setting)

    assert await apart.transaction(commits) == "on"
    assert await database.transaction(commits) == ("on" if database.is_distributed else "off")


@pytest_twisted.ensureDeferred
async def test_a_postgresql_without_citus_is_told_in_one_line(database: Database) -> None:
    if database.is_distributed:  # nor is anything done twice while others are at it
        with pytest.raises(ConflictError):
            await distribute(database)
        return
    with pytest.raises(ConfigurationError, match="has no Citus: install it on every server"):
        await distribute(database)
    assert await database.fetch("select current_setting('mailsacd.distributed', true)") in (
        [(None,)],
        [("",)],
    )


@pytest_twisted.ensureDeferred
async def test_nothing_is_restored_into_a_cluster(apart: Database) -> None:
    with pytest.raises(ConfigurationError, match="restore into a new database"):
        await make_beside(apart)
