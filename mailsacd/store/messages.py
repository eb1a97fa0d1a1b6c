"""Statements on messages."""

from collections.abc import Sequence
from typing import Unpack

from mailsacd.core.errors import StatementError
from mailsacd.core.message import Message, NewEnvelope, Owned
from mailsacd.store.literal import bytes_expression, literal, text_literal
from mailsacd.store.pool import Database, Transaction
from mailsacd.store.sql import Executor, column, many, maybe, one
from mailsacd.store.views import (
    AS_JSON_ARRAY,
    COLUMNS,
    REACHABLE,
    VISIBLE,
    Page,
    as_message,
    bounds,
)

_PAGE = f"""from message
            where inbox = %(inbox)s and id < %(before)s and id >= %(from)s and {VISIBLE}
            order by id desc limit %(limit)s offset %(skip)s"""
_ONE = f"from message where inbox = %(inbox)s and id = %(id)s and {REACHABLE}"

_list = many(as_message, f"select {COLUMNS} {_PAGE}")
_list_json: one[str] = one(column, f"select {AS_JSON_ARRAY} from (select {COLUMNS} {_PAGE}) page")  # noqa: S608  parts of SQL, no input
_count: one[int] = one(
    column,
    f"select count(*) from message where inbox = %(inbox)s and {VISIBLE}",  # noqa: S608  as above
)
_find = maybe(as_message, f"select {COLUMNS} {_ONE}")
_raw = maybe(bytes, f"select body from raw_message where id = (select raw_id {_ONE})")  # noqa: S608  as above


def deletion(rows: str) -> one[int]:
    """A statement that deletes ``rows`` (SQL: what comes after ``delete from message``).

    Each raw goes with its last copy. All in one statement; its answer is how many there were.
    """
    # The lock on the raw makes those who delete the last copies of it at the same time take
    # turns: the second one sees the count that the first one left.
    return one(
        column,
        f"""with gone as (
                delete from message {rows} returning raw_id
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
            select count(*) from gone""",  # noqa: S608  as above
    )


_delete = deletion("where inbox = %(inbox)s and id = any(%(ids)s)")
_delete_one = deletion(f"where inbox = %(inbox)s and id = %(id)s and {REACHABLE}")


async def store_envelopes(
    db: Database | Transaction, batch: Sequence[NewEnvelope], *, public: bool = False
) -> dict[str, Owned]:
    """Store all of ``batch`` in one statement: all of it is committed, or nothing.

    Tells which of the messages, by id, are somebody's. ``public`` says that nobody owns anything
    of any of the domains, so that this need not be looked up: it would cost a fifth more.
    The reactor is held for about 3 µs per KB of raw: who makes a batch bounds its bytes.
    Raises StatementError, also for a text that PostgreSQL cannot hold.
    """
    try:
        sql = _storing(batch, public=public)
    except ValueError as e:
        raise StatementError("The database cannot hold the text of a message") from e
    return {row[0]: Owned(row[1], row[2]) for row in await db.fetch(sql)}


# An address that is reserved goes before its domain. The subquery is closed by its offset: the
# texts are worked out once a row, and only where there is an owner.
_COPIES = b"(inbox, id, raw_id, domain, received, facts, attachments"
_AS_PUBLIC = b") insert into message " + _COPIES + b") values "
_AS_OWNED = (
    b"), copies as (insert into message "
    + _COPIES
    + b""", owner, private, subject, sender, recipients)
       select inbox, id, raw_id, domain, received, facts, attachments, owner, private, (texts).*
       from (
           select new.inbox, new.id, raw_id, new.domain, received::timestamptz, facts,
               attachments::uuid[], coalesce(address.owner, domain.owner) as owner,
               address.owner is not null or coalesce(domain.is_private, false) as private,
               case when coalesce(address.owner, domain.owner) is not null
                   then searched_texts(facts) end as texts
           from (values """
)
_AS_OWNED_BY = (
    b") new "
    + _COPIES
    + b""")
           left join address on address.email = new.inbox
           left join domain on domain.name = new.domain and domain.verified
           offset 0
       ) stamped
       returning id, owner, private)
       select id, owner, private from copies where owner is not null"""
)


def _storing(batch: Sequence[NewEnvelope], *, public: bool) -> bytes:
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
        attachments = f"'{{{','.join(new.attachments)}}}'::uuid[]" if new.attachments else "null"
        copies += [
            f"({text_literal(message.inbox)},{text_literal(message.id)},{raw_id},"
            f"{text_literal(message.domain)},{received},{text_literal(message.facts)},{attachments})"
            for message in new.messages
        ]
    parts[-1] = _AS_PUBLIC if public else _AS_OWNED
    parts.append(",".join(copies).encode())
    if not public:
        parts.append(_AS_OWNED_BY)
    return b"".join(parts)


async def list_messages(
    db: Executor, inbox: str, viewer: str | None = None, **page: Unpack[Page]
) -> list[Message]:
    """What ``viewer`` (an account; None: the public) sees of ``inbox``, newest first."""
    return await _list(db, inbox=inbox, viewer=viewer, **bounds(page))


async def list_messages_json(
    db: Executor, inbox: str, viewer: str | None = None, **page: Unpack[Page]
) -> str:
    """As `list_messages`, as the text of one JSON array of `Message.as_json`, for half the cost."""
    return await _list_json(db, inbox=inbox, viewer=viewer, **bounds(page))


async def count_messages(db: Executor, inbox: str, viewer: str | None = None) -> int:
    """How many messages ``viewer`` sees in ``inbox``."""
    return await _count(db, inbox=inbox, viewer=viewer)


async def find_message(
    db: Executor, inbox: str, message_id: str, viewer: str | None = None, *, is_open: bool = True
) -> Message | None:
    """One message, if ``inbox`` has it and it is there for ``viewer``.

    ``is_open`` tells whether the viewer may look into the inbox (see store.views).
    """
    return await _find(db, inbox=inbox, id=message_id, viewer=viewer, open=is_open)


async def find_raw(
    db: Executor, inbox: str, message_id: str, viewer: str | None = None, *, is_open: bool = True
) -> bytes | None:
    """The compressed raw of a message, on the same terms."""
    return await _raw(db, inbox=inbox, id=message_id, viewer=viewer, open=is_open)


async def delete_message(
    db: Executor, inbox: str, message_id: str, viewer: str | None = None, *, is_open: bool = True
) -> bool:
    """Delete one copy, on the same terms, and the raw with the last one; False: not there."""
    deleted = await _delete_one(db, inbox=inbox, id=message_id, viewer=viewer, open=is_open)
    return deleted == 1


async def delete_messages(db: Executor, inbox: str, message_ids: Sequence[str]) -> int:
    """Delete copies from one inbox, whosever they are; how many were there."""
    return await _delete(db, inbox=inbox, ids=list(message_ids))
