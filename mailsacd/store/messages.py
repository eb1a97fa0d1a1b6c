"""Statements on messages."""

from collections.abc import Sequence
from typing import Any

from mailsacd.core.message import Message, NewEnvelope
from mailsacd.store.pool import Database, Transaction
from mailsacd.store.sql import Executor, column, many, maybe, none, one

_store = none(
    """with raws as (
           insert into raw_message (id, received, body, size, refs)
           select * from unnest(
               %(ids)s::text[], %(received)s::timestamptz[], %(bodies)s::bytea[],
               %(sizes)s::int[], %(refs)s::int[])
       )
       insert into message (inbox, id, raw_id, domain, received, facts)
       select * from unnest(
           %(inboxes)s::text[], %(message_ids)s::text[], %(raw_ids)s::text[],
           %(domains)s::text[], %(message_received)s::timestamptz[], %(facts)s::text[])"""
)
_COLUMNS = "inbox, id, facts, saved_by, folder, labels, read"


def _message(
    inbox: str, id_: str, facts: str, saved_by: str | None, folder: str, *rest: Any
) -> Message:
    labels, read = rest
    return Message(
        inbox=inbox,
        id=id_,
        facts=facts,
        saved_by=saved_by,
        folder=folder,
        labels=tuple(labels),
        read=read,
    )


_list = many(
    _message,
    f"""select {_COLUMNS} from message
        where inbox = %(inbox)s and id < %(before)s and id >= %(from)s
        order by id desc limit %(limit)s offset %(skip)s""",  # noqa: S608  no input in it
)
_count: one[int] = one(column, "select count(*) from message where inbox = %(inbox)s")
_find = maybe(
    _message,
    f"select {_COLUMNS} from message where inbox = %(inbox)s and id = %(id)s",  # noqa: S608  no input
)
_raw = maybe(
    bytes,
    """select body from raw_message
       where id = (select raw_id from message where inbox = %(inbox)s and id = %(id)s)""",
)
_delete: many[str] = many(
    column,
    "delete from message where inbox = %(inbox)s and id = any(%(ids)s) returning raw_id",
)
_release = none(
    """update raw_message set refs = refs - gone.n
       from (select id, count(*)::int as n from unnest(%(ids)s::text[]) as id group by id) gone
       where raw_message.id = gone.id"""
)
_sweep = none("delete from raw_message where id = any(%(ids)s) and refs <= 0")

_ABOVE_ALL_IDS = "~"


async def store_envelopes(db: Executor, batch: Sequence[NewEnvelope]) -> None:
    """Store all of ``batch`` in one statement: all of it is committed, or nothing."""
    copies = [(new, message) for new in batch for message in new.messages]
    await _store(
        db,
        ids=[new.id for new in batch],
        received=[new.received for new in batch],
        bodies=[new.raw for new in batch],
        sizes=[new.size for new in batch],
        refs=[len(new.messages) for new in batch],
        inboxes=[message.inbox for _, message in copies],
        message_ids=[message.id for _, message in copies],
        raw_ids=[new.id for new, _ in copies],
        domains=[message.domain for _, message in copies],
        message_received=[new.received for new, _ in copies],
        facts=[message.facts for _, message in copies],
    )


async def list_messages(
    db: Executor, inbox: str, *, before_id: str | None, from_id: str | None, limit: int, skip: int
) -> list[Message]:
    """Messages of ``inbox`` newest first, with ids from ``from_id`` up to below ``before_id``."""
    params = {
        "inbox": inbox,
        "before": before_id or _ABOVE_ALL_IDS,
        "from": from_id or "",
        "limit": limit,
        "skip": skip,
    }
    return await _list(db, **params)


async def count_messages(db: Executor, inbox: str) -> int:
    """How many messages ``inbox`` has."""
    return await _count(db, inbox=inbox)


async def find_message(db: Executor, inbox: str, message_id: str) -> Message | None:
    """One message, if ``inbox`` has it."""
    return await _find(db, inbox=inbox, id=message_id)


async def find_raw(db: Executor, inbox: str, message_id: str) -> bytes | None:
    """The compressed raw of a message, if ``inbox`` has it."""
    return await _raw(db, inbox=inbox, id=message_id)


async def delete_message(db: Database, inbox: str, message_id: str) -> bool:
    """Delete one copy, and the raw with the last one; False when it is not there."""
    return await delete_messages(db, inbox, [message_id]) == 1


async def delete_messages(db: Database, inbox: str, message_ids: Sequence[str]) -> int:
    """Delete copies from one inbox, and each raw with its last copy; how many were there."""

    async def work(transaction: Transaction) -> int:
        raw_ids = await _delete(transaction, inbox=inbox, ids=list(message_ids))
        if raw_ids:
            # The row's lock makes two who delete the last two copies at once take turns
            await _release(transaction, ids=sorted(raw_ids))
            await _sweep(transaction, ids=raw_ids)
        return len(raw_ids)

    return await db.transaction(work)
