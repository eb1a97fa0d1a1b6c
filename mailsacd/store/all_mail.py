"""Statements on the mail of all inboxes at once: what is public, and what an account has.

They are for those who are shown one mailbox with everything in it (mail.reading.all_mail).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailsacd.store.deletion import deletion
from mailsacd.store.inbox import KEPT, OWNED
from mailsacd.store.retention import IN_PUBLIC_INDEX, THERE_AMONG_MANY, kept
from mailsacd.store.sql import Executor, column, none, one
from mailsacd.store.views import AS_JSON_ARRAY, COLUMNS

_PUBLIC: Final = f"""%(public)s::boolean and {IN_PUBLIC_INDEX} and {THERE_AMONG_MANY}
    and {kept("message.inbox")}"""
_WITHIN: Final = "(%(domain)s::text is null or domain = %(domain)s::text)"
_STARRED_ELSEWHERE: Final = f"""saved_by = %(viewer)s::text
    and owner is distinct from %(viewer)s::text and {THERE_AMONG_MANY}"""
_OF_VIEWER: Final = tuple(
    f"{rows} and {KEPT} and {_WITHIN}" for rows in (OWNED, _STARRED_ELSEWHERE)
)

_NEWEST: Final = " union all ".join(
    f"(select {COLUMNS} from message where {rows} order by {order} limit %(limit)s)"  # noqa: S608  parts of SQL, no input
    for rows, order in (
        (_PUBLIC, "received desc"),
        *((rows, "id desc") for rows in _OF_VIEWER),
    )
)
_newest: one[str] = one(
    column,
    f"""select {AS_JSON_ARRAY}
        from (select * from ({_NEWEST}) found order by id desc limit %(limit)s) page""",  # noqa: S608  as above
)

# What is public is found by its time alone, which its id has, too
_COPIES: Final = "id > %(envelope)s::text || '-' and id < %(envelope)s::text || '.'"
_OF_ENVELOPE: Final = " union all ".join(
    f"(select {COLUMNS} from message where {rows} and {_COPIES})"  # noqa: S608  as above
    for rows in (f"received = %(received)s::timestamptz and {_PUBLIC}", *_OF_VIEWER)
)
_copies: one[str] = one(
    column,
    f"select {AS_JSON_ARRAY} from (select * from ({_OF_ENVELOPE}) found) page",  # noqa: S608  as above
)

_NAMED: Final = f"""where (inbox, id) in (
            select wanted.inbox collate "C", wanted.id collate "C"
            from unnest(%(inboxes)s::text[], %(ids)s::text[]) wanted (inbox, id))
        and ({" or ".join(f"({rows})" for rows in (_PUBLIC, *_OF_VIEWER))})"""  # noqa: S608  as above
# In one order everywhere: who else marks or deletes the same messages waits, without deadlock
_HELD: Final = f"select inbox, id from message {_NAMED} order by inbox, id for update"  # noqa: S608  as above
_delete = deletion(f"where (inbox, id) in ({_HELD})")


def _change(assignment: str) -> none:
    return none(f"update message set {assignment} where (inbox, id) in ({_HELD})")  # noqa: S608  as above


_read = _change("read = %(read)s::boolean")
_labels = _change("labels = %(labels)s::text[]")
# What a label has become is made of those that the row has now, and each of them is there once
_rename = _change(
    """labels = array(
        select written from (
            select case when label = any(%(labels)s::text[]) then %(by)s::text else label end
                as written, min(place) as place
            from unnest(message.labels) with ordinality named (label, place) group by 1) renamed
        where written is not null order by place)"""
)

Copies = Sequence[tuple[str, str]]
"""The inbox and the id of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Who looks, and at what.

    That is what ``account`` owns or has starred, in ``domain`` alone if that is not None, and where
    ``public`` what is nobody's.
    """

    account: str | None
    public: bool
    domain: str | None = None

    @property
    def params(self) -> dict[str, str | bool | None]:
        """The parameters of a statement."""
        return {"viewer": self.account, "public": self.public, "domain": self.domain}


async def newest_copies(db: Executor, sight: Sight, limit: int) -> str:
    """Return the newest ``limit`` copies of messages, newest first, as a JSON array."""
    return await _newest(db, limit=limit, **sight.params)


async def copies_of(db: Executor, sight: Sight, envelope_id: str, received: datetime) -> str:
    """Return the copies of one envelope, which came at ``received``, as a JSON array."""
    return await _copies(db, envelope=envelope_id, received=received, **sight.params)


async def delete_copies(db: Executor, sight: Sight, copies: Copies) -> int:
    """Delete those copies that are seen. Returns how many there were."""
    return await _delete(db, **_named(copies), **sight.params)


async def set_read(db: Executor, sight: Sight, copies: Copies, *, read: bool) -> int:
    """Mark those copies that are seen as read, or as not. Returns how many there were."""
    return await _read(db, read=read, **_named(copies), **sight.params)


async def set_labels(db: Executor, sight: Sight, copies: Copies, labels: Sequence[str]) -> int:
    """Give those copies that are seen these labels and no others. Returns how many there were."""
    return await _labels(db, labels=list(labels), **_named(copies), **sight.params)


async def rename_labels(
    db: Executor, sight: Sight, copies: Copies, labels: Sequence[str], by: str | None
) -> int:
    """Give those copies that are seen the label ``by`` in place of each of ``labels``; None: none.

    Other labels stay as they are. Returns how many copies there were.
    """
    return await _rename(db, labels=list(labels), by=by, **_named(copies), **sight.params)


def _named(copies: Copies) -> dict[str, list[str]]:
    return {"inboxes": [inbox for inbox, _ in copies], "ids": [id_ for _, id_ in copies]}
