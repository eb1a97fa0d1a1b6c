"""Statements on mail that was stored before it was worked out what is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailsacd.store.sql import Executor, column, many, one

LOCK_TIMEOUT_MS: Final = 200
"""So long is waited for messages that somebody else is changing. It is shorter than it takes
PostgreSQL to look for deadlocks (1 s): of two who wait for each other it is never the other one
that fails."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw message, compressed; ``size`` is in bytes before that."""

    id: str
    size: int
    body: bytes


# For the transaction. The planner is to look each row up by its key, whatever it takes the size of
# a table for that is empty at one time and very long at another. Nobody waits for the disk: what a
# crash of PostgreSQL undoes is done again.
_settings: one[None] = one(
    lambda *_: None,
    f"""select set_config('lock_timeout', '{LOCK_TIMEOUT_MS}', true),
           set_config('synchronous_commit', 'off', true),
           set_config('enable_mergejoin', 'off', true),
           set_config('enable_hashjoin', 'off', true)""",
)
_raws = many(
    Raw,
    "select id, size, body from raw_message where id = any(%(ids)s::text[])",
    binary=True,
)
_claim = many(
    lambda *columns: columns,
    """select raw_id, coalesce(size, 0) from (
           select raw_id from unexamined order by raw_id limit %(limit)s for update skip locked
       ) claimed
       left join raw_message on id = raw_id
       order by raw_id""",
)
# A message that was not there before is not looked for again: ids never come back. Rows are locked
# in the order of their keys, as others do.
_complete: many[str | None] = many(
    column,
    """with done as (
           delete from unexamined where raw_id = any(%(ids)s::text[]) returning raw_id, inboxes
       ), copies as (
           select copy.inbox, raw_id || '-' || place - 1 as id,
               ',"@":"' || raw_id || '"' as placeholder, contents, attachments
           from done
           join unnest(%(ids)s::text[], %(contents)s::text[], %(attachments)s::text[])
               worked_out (id, contents, attachments) on worked_out.id = raw_id
           cross join unnest(inboxes) with ordinality copy (inbox, place)
           order by 1, 2
       )
       update message
       set facts = replace(facts, placeholder, contents), attachments = copies.attachments::uuid[]
       from copies
       where message.inbox = copies.inbox and message.id = copies.id
           and strpos(facts, placeholder) > 0
       returning case when not private and saved_by is null then raw_id end""",
)


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """``contents`` go in the place of the placeholder; ``attachments`` are MD5 sums in hex."""

    raw_id: str
    contents: str
    attachments: tuple[str, ...]


async def find_raws(db: Executor, raw_ids: Sequence[str]) -> list[Raw]:
    """Those of them that are there."""
    return await _raws(db, ids=list(raw_ids))


async def claim_unexamined(db: Executor, limit: int) -> list[tuple[str, int]]:
    """The oldest ones that nobody else has claimed; they are ours until the transaction ends.

    Each is the id and the bytes of a raw message, which may be gone: then these are 0.
    """
    await _settings(db)
    return await _claim(db, limit=limit)


async def record_examined(db: Executor, found: Sequence[WorkedOut]) -> list[str]:
    """Write it into all copies that are there still. Each must have been claimed before.

    The raw id of each copy that is public comes back, as often as there are such copies.
    """
    public = await _complete(
        db,
        ids=[each.raw_id for each in found],
        contents=[each.contents for each in found],
        attachments=[
            "{" + ",".join(each.attachments) + "}" if each.attachments else None for each in found
        ],
    )
    return [raw_id for raw_id in public if raw_id is not None]
