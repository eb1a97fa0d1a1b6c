"""Statements on messages."""

from collections.abc import Sequence
from typing import Unpack

from mailsacd.core.message import Message, Neighbours
from mailsacd.store.deletion import deletion
from mailsacd.store.raw_messages import IS_RECENT, RawPlace, find_body_at
from mailsacd.store.sql import Executor, column, maybe, one
from mailsacd.store.views import (
    AS_JSON_ARRAY,
    COLUMNS,
    KEPT,
    REACHABLE,
    REACHABLE_AMONG_MANY,
    UNMARKED_COLUMNS,
    VISIBLE_AMONG_MANY,
    IdPage,
    as_message,
    bounds,
)

_PAGE = f"""from message
            where inbox = %(inbox)s and id < %(before)s and id >= %(from)s and {VISIBLE_AMONG_MANY}
                and {KEPT}
            order by id desc limit %(limit)s offset %(skip)s"""
_THIS = f"where inbox = %(inbox)s and id = %(id)s and {REACHABLE} and {KEPT}"
_ONE = f"from message {_THIS}"

_list_json: dict[bool, one[str]] = {
    marked: one(column, f"select {AS_JSON_ARRAY} from (select {columns} {_PAGE}) page")  # noqa: S608  parts of SQL, no input
    for marked, columns in ((True, COLUMNS), (False, UNMARKED_COLUMNS))
}
_count: one[int] = one(
    column,
    f"select count(*) from message where inbox = %(inbox)s and {VISIBLE_AMONG_MANY} and {KEPT}",  # noqa: S608  as above
)
_find = maybe(as_message, f"select {COLUMNS} {_ONE}")
_NEXT = f"select id from message where inbox = %(inbox)s and {REACHABLE_AMONG_MANY} and {KEPT}"  # noqa: S608  as above
_neighbours = maybe(
    Neighbours,
    f"""select ({_NEXT} and id > %(id)s order by id limit 1),
               ({_NEXT} and id < %(id)s order by id desc limit 1) {_ONE}""",
)
_raw: maybe[bytes] = maybe(
    column,
    f"select body from raw_message where id = (select raw_id {_ONE})",  # noqa: S608  as above
)
_raw_place = maybe(RawPlace, f"select raw_id, {IS_RECENT} {_ONE}")
_delete = deletion("where inbox = %(inbox)s and id = any(%(ids)s)")
_delete_one = deletion(_THIS)


async def list_messages_json(
    db: Executor,
    inbox: str,
    viewer: str | None = None,
    *,
    marked: bool = True,
    **page: Unpack[IdPage],
) -> str:
    """Return what ``viewer`` sees of ``inbox``, newest first, as the text of one JSON array.

    ``viewer`` is an account, or None for the public. A row for each message would cost twice as
    much (see store.views). Not ``marked``, they are as if nobody had done anything to them.
    """
    return await _list_json[marked](db, inbox=inbox, viewer=viewer, **bounds(page))


async def count_messages(db: Executor, inbox: str, viewer: str | None = None) -> int:
    """Return how many messages ``viewer`` sees in ``inbox``."""
    return await _count(db, inbox=inbox, viewer=viewer)


async def find_message(
    db: Executor, inbox: str, message_id: str, viewer: str | None = None, *, is_open: bool = True
) -> Message | None:
    """Return one message of ``inbox``, or None when it is not there for ``viewer``.

    ``is_open`` tells whether the viewer may look into the inbox (see store.views).
    """
    return await _find(db, inbox=inbox, id=message_id, viewer=viewer, open=is_open)


async def find_neighbours(
    db: Executor, inbox: str, message_id: str, viewer: str | None = None, *, is_open: bool = True
) -> Neighbours | None:
    """Return the messages of ``inbox`` beside one, on the terms of `find_message`."""
    return await _neighbours(db, inbox=inbox, id=message_id, viewer=viewer, open=is_open)


async def find_raw(
    db: Executor, inbox: str, message_id: str, viewer: str | None = None, *, is_open: bool = True
) -> bytes | None:
    """Return the raw of a message, compressed with zstd, on the terms of `find_message`."""
    this = {"inbox": inbox, "id": message_id, "viewer": viewer, "open": is_open}
    if db.is_distributed:
        return await find_body_at(db, lambda: _raw_place(db, **this))
    return await _raw(db, **this)


async def delete_message(
    db: Executor, inbox: str, message_id: str, viewer: str | None = None, *, is_open: bool = True
) -> bool:
    """Delete one copy on the terms of `find_message`, and the raw with its last copy.

    Returns False when it is not there.
    """
    deleted = await _delete_one(db, inbox=inbox, id=message_id, viewer=viewer, open=is_open)
    return deleted == 1


async def delete_messages(db: Executor, inbox: str, message_ids: Sequence[str]) -> int:
    """Delete copies from one inbox, whosever they are. Returns how many were there."""
    return await _delete(db, inbox=inbox, ids=list(message_ids))
