"""Statements on messages."""

from collections.abc import Sequence
from typing import Any

from mailsacd.core.errors import StatementError
from mailsacd.core.message import Message, NewEnvelope
from mailsacd.store.literal import bytes_expression, literal, text_literal
from mailsacd.store.pool import Database, Transaction
from mailsacd.store.sql import Executor, column, many, maybe, one

_COLUMNS = "inbox, id, facts, saved_by, folder, labels, read"
_PAGE = """from message where inbox = %(inbox)s and id < %(before)s and id >= %(from)s
           order by id desc limit %(limit)s offset %(skip)s"""
_ABOVE_ALL_IDS = "~"

# What Message.as_json does. PostgreSQL's own JSON functions write the texts with the same escapes.
_AS_JSON = """facts || case
    when saved_by is null and folder = 'inbox' and labels = '{}' and read is null
    then ',"savedBy":null,"folder":"inbox","labels":[],"read":null}'
    else ',"savedBy":' || coalesce(to_json(saved_by)::text, 'null')
      || ',"folder":' || to_json(folder)
      || ',"labels":' || array_to_json(labels)
      || ',"read":' || coalesce(read::text, 'null') || '}'
    end"""


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


_list = many(_message, f"select {_COLUMNS} {_PAGE}")
_list_json: one[str] = one(
    column,
    f"""select '[' || coalesce(string_agg({_AS_JSON}, ',' order by id desc), '') || ']'
        from (select {_COLUMNS} {_PAGE}) page""",  # noqa: S608  parts of SQL, no input
)
_count: one[int] = one(column, "select count(*) from message where inbox = %(inbox)s")
_find = maybe(
    _message,
    f"select {_COLUMNS} from message where inbox = %(inbox)s and id = %(id)s",  # noqa: S608  as above
)
_raw = maybe(
    bytes,
    """select body from raw_message
       where id = (select raw_id from message where inbox = %(inbox)s and id = %(id)s)""",
)
# All in one statement. The lock on the raw makes those who delete the last copies of it at the
# same time take turns: the second one sees the count that the first one left.
_delete: one[int] = one(
    column,
    """with gone as (
           delete from message where inbox = %(inbox)s and id = any(%(ids)s) returning raw_id
       ), counted as (
           select raw_id, count(*) as copies from gone group by raw_id
       ), held as (
           select raw_message.id, refs, copies
           from raw_message join counted on raw_message.id = raw_id
           order by raw_message.id for update of raw_message
       ), unreferenced as (
           delete from raw_message using held
           where raw_message.id = held.id and held.refs <= copies
       ), released as (
           update raw_message set refs = held.refs - copies
           from held where raw_message.id = held.id and held.refs > copies
       )
       select count(*) from gone""",
)


async def store_envelopes(db: Database | Transaction, batch: Sequence[NewEnvelope]) -> None:
    """Store all of ``batch`` in one statement: all of it is committed, or nothing.

    The reactor is held for about 3 µs per KB of raw: who makes a batch bounds its bytes.
    Raises StatementError, also for a text that PostgreSQL cannot hold.
    """
    try:
        sql = _storing(batch)
    except ValueError as e:
        raise StatementError("The database cannot hold the text of a message") from e
    await db.run(sql)


def _storing(batch: Sequence[NewEnvelope]) -> bytes:
    """One insert into each table. Written out: what arrays cost would come on top of it."""
    parts = [b"with raws as (insert into raw_message (id, received, body, size, refs) values "]
    copies = []
    for new in batch:
        raw_id, received = text_literal(new.id), literal(new.received)
        parts += (
            f"({raw_id},{received},".encode(),
            *bytes_expression(new.raw),
            f",{new.size},{len(new.messages)})".encode(),
            b",",
        )
        copies += [
            f"({text_literal(message.inbox)},{text_literal(message.id)},{raw_id},"
            f"{text_literal(message.domain)},{received},{text_literal(message.facts)})"
            for message in new.messages
        ]
    parts[-1] = b") insert into message (inbox, id, raw_id, domain, received, facts) values "
    parts.append(",".join(copies).encode())
    return b"".join(parts)


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


async def list_messages_json(
    db: Executor, inbox: str, *, before_id: str | None, from_id: str | None, limit: int, skip: int
) -> str:
    """As `list_messages`, as the text of one JSON array of `Message.as_json`, for half the cost."""
    params = {
        "inbox": inbox,
        "before": before_id or _ABOVE_ALL_IDS,
        "from": from_id or "",
        "limit": limit,
        "skip": skip,
    }
    return await _list_json(db, **params)


async def count_messages(db: Executor, inbox: str) -> int:
    """How many messages ``inbox`` has."""
    return await _count(db, inbox=inbox)


async def find_message(db: Executor, inbox: str, message_id: str) -> Message | None:
    """One message, if ``inbox`` has it."""
    return await _find(db, inbox=inbox, id=message_id)


async def find_raw(db: Executor, inbox: str, message_id: str) -> bytes | None:
    """The compressed raw of a message, if ``inbox`` has it."""
    return await _raw(db, inbox=inbox, id=message_id)


async def delete_message(db: Executor, inbox: str, message_id: str) -> bool:
    """Delete one copy, and the raw with the last one; False when it is not there."""
    return await delete_messages(db, inbox, [message_id]) == 1


async def delete_messages(db: Executor, inbox: str, message_ids: Sequence[str]) -> int:
    """Delete copies from one inbox, and each raw with its last copy; how many were there."""
    return await _delete(db, inbox=inbox, ids=list(message_ids))
