"""Who sent messages, written beside them: without waiting for anybody."""

from typing import Any

import pytest_twisted

from mailsacd.core.message import NewEnvelope, NewMessage
from mailsacd.store.authentication import FoundOut, keep_authentication
from mailsacd.store.pool import Database
from mailsacd.store.sql import none
from mailsacd.store.storing import store_envelopes
from mailsacd.store.transaction import Transaction

INBOX = "a@b.example"
_change = none("update message set read = true where id = %(id)s")


def stored(id_: str, auth: str | None = None) -> NewEnvelope:
    message = NewMessage(inbox=INBOX, id=f"{id_}-0", domain="b.example", facts='{"_id":"x"')
    return NewEnvelope(id=id_, received_ms=0, raw=b"r", size=1, messages=(message,), auth=auth)


async def auths(database: Database) -> dict[str, Any]:
    rows, _ = await database.run("select id, auth from message")
    return {str(id_): auth for id_, auth in rows}


@pytest_twisted.ensureDeferred
async def test_it_is_stored_with_the_message_or_later_and_what_is_gone_is_left_out(
    database: Database,
) -> None:
    await store_envelopes(database, [stored("1", "{}"), stored("2"), stored("3")])
    found = [FoundOut(INBOX, "2-0", '{"a":1}'), FoundOut(INBOX, "9-0", "{}")]
    await keep_authentication(database, found)
    assert await auths(database) == {"1-0": "{}", "2-0": '{"a":1}', "3-0": None}


@pytest_twisted.ensureDeferred
async def test_a_message_that_somebody_is_changing_is_not_waited_for(database: Database) -> None:
    await store_envelopes(database, [stored("1"), stored("2")])

    async def work(transaction: Transaction) -> None:
        await _change(transaction, id="1-0")
        found = [FoundOut(INBOX, f"{n}-0", "{}") for n in (1, 2)]
        await keep_authentication(database, found)

    await database.transaction(work)
    assert await auths(database) == {"1-0": None, "2-0": "{}"}
