"""Statements on the messages that are pushed: their rows with their raw messages, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailsacd.core.message import Message
from mailsacd.store.raw_messages import IS_RECENT, RawPlace, find_stored, look_until_whole
from mailsacd.store.retention import THERE, kept
from mailsacd.store.sql import Executor, many
from mailsacd.store.views import COLUMNS, as_message


def _measured(
    body: str, size: str, *, columns: str = COLUMNS, raw: str = ""
) -> many[tuple[Any, ...]]:
    """Select what is wanted, with ``columns`` of the messages.

    ``body`` and ``size`` (SQL) are of the message or of ``raw``, which is joined with it. The
    bodies are those of the first so many bytes, of the first one in any case; of the rest only that
    they are there. Large ones are not among them, and do not count.
    """
    return many(
        lambda *columns: columns,
        f"""select place, before < %(bytes)s, owner, private, size,
            case when before < %(bytes)s and size <= %(large)s then body end, {columns}
        from (
            select place, {body} as body, {size} as size, message.*,
                coalesce(sum({size}) filter (where {size} <= %(large)s) over (
                    order by place rows between unbounded preceding and 1 preceding), 0) as before
            from unnest(%(inboxes)s::text[], %(ids)s::text[]) with ordinality
                wanted (wanted_inbox, wanted_id, place)
            join message
                on inbox = wanted_inbox collate "C" and message.id = wanted_id collate "C"
            {raw}
            where {THERE} and (not %(again)s::boolean or {kept("message.inbox")})
        ) measured
        order by place""",  # noqa: S608  parts of SQL, no input
    )


_with_bodies = _measured("body", "size", raw="join raw_message on raw_message.id = raw_id")
_with_places = _measured(
    "raw_id", "message_bytes(message.bytes, facts)", columns=f"{IS_RECENT}, {COLUMNS}"
)
_RAW_ID, _REST = 5, 7  # where in a row of that it is, and what is after it and whether it is recent


@dataclass(frozen=True, slots=True)
class Found:
    """A message that is there: its row, whose it is, and its raw message, compressed.

    ``size`` is that of the raw message before compression; of a large one that was not asked for
    ``raw`` is None.
    """

    message: Message
    owner: str | None
    private: bool
    size: int
    raw: bytes | None

    def is_there_for(self, account: str | None) -> bool:
        """Return whether ``account`` (None: the public) may see the message now."""
        saved_by = self.message.marks.saved_by
        if saved_by is not None:
            return saved_by == account
        return not self.private or (self.owner is not None and self.owner == account)


async def find_messages(
    db: Executor,
    wanted: Sequence[tuple[str, str]],
    *,
    max_bytes: int,
    large_bytes: int,
    again: bool = False,
) -> tuple[list[Found], int]:
    """Those of ``wanted`` (inbox, id) that are there, in that order, and how many were looked at.

    Not all, when they are larger than ``max_bytes`` together before compression; always one. Of
    those over ``large_bytes``, which do not count, the raw message is not read. If they are pushed
    ``again``, what has gone beyond a limit is not there, though its row is.
    """
    inboxes, ids = [inbox for inbox, _ in wanted], [id_ for _, id_ in wanted]
    params: dict[str, Any] = {"inboxes": inboxes, "ids": ids, "again": again}
    params |= {"bytes": max_bytes, "large": large_bytes}
    if db.is_distributed:
        rows = await look_until_whole(db, lambda: _rows_apart(db, params))
    else:
        rows = await _with_bodies(db, **params)
    found: list[Found] = []
    for place, fits, owner, private, size, raw, *row in rows:
        if not fits:
            return found, place - 1
        found.append(Found(as_message(*row), owner, private, size, raw))
    return found, len(wanted)


async def _rows_apart(db: Executor, params: dict[str, Any]) -> tuple[list[Any], bool]:
    """Return the rows of `_with_bodies`, and whether a body is yet to come (store.raw_messages)."""
    rows = [
        (row[:_RAW_ID], RawPlace(*row[_RAW_ID:_REST]), row[_REST:])
        for row in await _with_places(db, **params)
    ]
    stored, is_to_come = await find_stored(db, {place for _, place, _ in rows if place.raw_id})
    return [
        (*start, stored[place.raw_id].body if place.raw_id else None, *rest)
        for start, place, rest in rows
        if place.raw_id in stored or not place.raw_id
    ], is_to_come
