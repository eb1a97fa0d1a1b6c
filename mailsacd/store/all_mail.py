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
from mailsacd.store.sql import Executor, column, one
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

_delete = deletion(
    f"""where (inbox, id) in (
            select wanted.inbox collate "C", wanted.id collate "C"
            from unnest(%(inboxes)s::text[], %(ids)s::text[]) wanted (inbox, id))
        and ({" or ".join(f"({rows})" for rows in (_PUBLIC, *_OF_VIEWER))})"""  # noqa: S608  as above
)


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


async def delete_copies(db: Executor, sight: Sight, copies: Sequence[tuple[str, str]]) -> int:
    """Delete those copies (inbox, id). Returns how many there were."""
    inboxes, ids = [inbox for inbox, _ in copies], [id_ for _, id_ in copies]
    return await _delete(db, inboxes=inboxes, ids=ids, **sight.params)
