"""The audit log: bounded by age and topic, and gone with its account."""

from datetime import UTC, datetime, timedelta

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from mailsacd.core.actor import Actor
from mailsacd.core.audit import OPERATOR, SERVER, Act, Author
from mailsacd.core.token import moment_id, time_of
from mailsacd.mail.records import audit as module
from mailsacd.mail.records.audit import AuditLog, audit
from mailsacd.store import removal
from mailsacd.store.accounts import add_account
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction
from tests.mail.property import add_accounts

ANN = Actor(account="ann", login="ann")
BOB = Actor(account="bob", login="bob")
PEER = Author(kind="login", name="ann", peer="192.0.2.1")


def _log(database: Database) -> AuditLog:
    clock = Clock()
    clock.advance(datetime.now(UTC).timestamp())
    return AuditLog(database, days=30, reactor=clock)


async def _age(database: Database, account: str, days: int) -> None:
    """Have all entries of ``account`` be of so many days ago."""
    old = moment_id(datetime.now(UTC) - timedelta(days=days))[:12]
    await database.run(
        "update audit set id = %s || substr(id, 13) where account = %s", (old, account)
    )


@pytest_twisted.ensureDeferred
async def test_an_entry_is_there_with_what_it_tells_of_or_not_at_all(database: Database) -> None:
    await add_accounts(database, "ann", "bob")

    async def fails(transaction: Transaction) -> None:
        await audit(transaction, "ann", PEER, Act("key", "created", "ci"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.transaction(fails)
    log = _log(database)
    assert await log.list(ANN) == []
    await audit(database, "ann", PEER, Act("key", "created", "c\0i", "x" * 400))
    (entry,) = await log.list(ANN)
    assert (entry.author, entry.act.subject, len(entry.act.detail)) == (PEER, "c\ufffdi", 300)
    assert abs(time_of(entry.id) - datetime.now(UTC)) < timedelta(minutes=1)
    assert await log.list(BOB) == []


@pytest_twisted.ensureDeferred
async def test_each_topic_has_room_of_its_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_OF_TOPIC", 3)
    await add_accounts(database, "ann", "bob")
    await audit(database, "ann", PEER, Act("key", "created", "ci"))
    for number in range(8):
        for account in ("ann", "bob"):
            await audit(database, account, SERVER, Act("address", "reserved", f"a{number}"))
    log = _log(database)
    await log.forget_old()
    kept = ["a7", "a6", "a5"]
    assert [e.act.subject for e in await log.list(ANN)] == [*kept, "ci"]
    assert [e.act.subject for e in await log.list(ANN, topic="address")] == kept
    assert [e.act.subject for e in await log.list(BOB)] == kept


@pytest_twisted.ensureDeferred
async def test_what_is_too_old_is_not_told_and_goes(database: Database) -> None:
    await add_accounts(database, "ann", "bob")
    for account in ("ann", "bob"):
        await audit(database, account, OPERATOR, Act("account", "created", account))
    await _age(database, "ann", 31)
    await _age(database, "bob", 29)
    log = _log(database)
    assert await log.list(ANN, since_ms=0) == []
    await log.forget_old()
    assert await database.fetch("select account from audit") == [("bob",)]
    assert len(await log.list(BOB)) == 1


@pytest_twisted.ensureDeferred
async def test_the_next_account_of_a_name_finds_nothing(database: Database) -> None:
    await add_accounts(database, "ann")
    for number in range(removal.BATCH + 1):
        await audit(database, "ann", OPERATOR, Act("account", "created", str(number)))
    assert await removal.begin_removal(database, "ann")
    await audit(database, "ann", PEER, Act("key", "created", "late"))
    assert await removal.finish_removal(database, "ann")
    assert await database.fetch("select count(*) from audit") == [(0,)]
    assert await add_account(database, "ann", "ann@owner.example", "free", None)
    assert await _log(database).list(ANN) == []


def test_ids_rise_by_the_microsecond() -> None:
    now = datetime.now(UTC)
    ids = [moment_id(now + timedelta(microseconds=n)) for n in range(2_000)]
    assert ids == sorted(ids)
    assert abs(time_of(ids[0]) - now) < timedelta(milliseconds=1)
