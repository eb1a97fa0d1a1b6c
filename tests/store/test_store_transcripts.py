"""Transcripts of refused transactions: how many are kept, for how long, and for whom."""

from datetime import UTC, datetime, timedelta

import pytest_twisted

from mailsacd.core.token import EnvelopeIds
from mailsacd.store import transcripts as store
from mailsacd.store.accounts import add_account
from mailsacd.store.pool import Database
from mailsacd.store.removal import begin_removal, finish_removal
from mailsacd.store.transaction import Transaction
from mailsacd.store.transcripts import (
    RefusedTranscript,
    add_refused,
    forget_old_refused,
    list_refused,
)

ensure = pytest_twisted.ensureDeferred
NOW = datetime.now(UTC)
BOX, OTHER = "box@x.example", "other@x.example"


def refused(ids: EnvelopeIds, inbox: str, account: str, received: datetime) -> RefusedTranscript:
    return RefusedTranscript(ids.next(0)[0], inbox, account, received, b"said")


async def add(
    database: Database, *rows: tuple[str, str], received: datetime = NOW, per_inbox: int = 2
) -> list[str]:
    """Their ids."""
    ids = EnvelopeIds()
    made = [refused(ids, inbox, account, received) for inbox, account in rows]

    async def work(transaction: Transaction) -> None:
        await add_refused(transaction, made, per_inbox=per_inbox)

    await database.transaction(work)
    return [each.id for each in made]


async def listed(database: Database, inbox: str, account: str | None, most: int = 50) -> list[str]:
    return [each.id for each in await list_refused(database, inbox, account, most)]


@ensure
async def test_the_newest_of_an_address_are_kept_for_each_whose_it_was(database: Database) -> None:
    mine = await add(database, *[(BOX, "ann")] * 3, (OTHER, "ann"))
    nobodys = await add(database, *[(BOX, "")] * 2)
    assert await listed(database, BOX, "ann") == [mine[2], mine[1]]
    assert await listed(database, OTHER, "ann") == [mine[3]]
    assert await listed(database, BOX, "bob") == []
    assert set(await listed(database, BOX, None)) == {*mine[1:3], *nobodys}
    assert len(await listed(database, BOX, None, 3)) == 3


@ensure
async def test_an_account_has_no_more_than_its_bound_however_many_addresses(
    database: Database,
) -> None:
    await add(database, *[(f"n{number}@x.example", "ann") for number in range(1_010)])
    rows = await database.fetch("select count(*), min(inbox) from refused_transcript")
    assert rows == [(store.MAX_OF_ACCOUNT, "n1000@x.example")]
    assert await listed(database, "n9@x.example", "ann") == []


@ensure
async def test_old_ones_are_forgotten_and_those_of_a_removed_account(database: Database) -> None:
    assert await add_account(database, "ann", "ann@owner.example", "default", None)
    await add(database, (BOX, "ann"), received=NOW - timedelta(days=8))
    await add(database, (OTHER, "ann"), (OTHER, ""))
    assert await forget_old_refused(database, 7) == 1
    assert await listed(database, BOX, None) == []

    async def work(transaction: Transaction) -> None:
        assert await begin_removal(transaction, "ann")

    await database.transaction(work)
    assert await finish_removal(database, "ann")
    assert len(await listed(database, OTHER, None)) == 1
    assert await listed(database, OTHER, "ann") == []
