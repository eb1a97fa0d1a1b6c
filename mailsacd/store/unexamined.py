"""Statements on mail that an older version stored before it had worked out what is in it.

For the upgrade alone (mail.upgrading.unexamined): the table is dropped at its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mailsacd.store.sql import many
from mailsacd.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Unexamined:
    """A raw message by its id; ``body`` is it, compressed with zstd, or None when it is gone."""

    raw_id: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Completed:
    """``contents`` go in the place of the placeholder; ``attachments`` are MD5 sums in hex."""

    raw_id: str
    contents: str
    attachments: tuple[str, ...]


# The lock is for a daemon of the older version that still runs: it puts nothing off meanwhile. And
# rows of a table of any length are to be found by their keys.
_BEGIN = """lock table unexamined in share row exclusive mode;
    set local enable_seqscan = off; set local enable_hashjoin = off;
    set local enable_mergejoin = off"""
_claim = many(
    Unexamined,
    """select raw_id, body from (
           select raw_id from unexamined order by raw_id limit %(limit)s::int
       ) claimed
       left join raw_message on id = raw_id
       order by raw_id""",
)
_complete: many[str | None] = many(
    lambda raw_id: raw_id,
    """with done as (
           delete from unexamined where raw_id = any(%(ids)s::text[]) returning raw_id, inboxes
       ), copies as (
           select copy.inbox, raw_id || '-' || place - 1 as id,
               ',"@":"' || raw_id || '"' as placeholder, contents, attachments
           from done
           join unnest(%(ids)s::text[], %(contents)s::text[], %(attachments)s::text[])
               completed (id, contents, attachments) on completed.id = raw_id
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


async def claim_unexamined(transaction: Transaction, limit: int) -> list[Unexamined]:
    """The oldest ``limit`` of them. Nobody else adds or changes any until the transaction ends."""
    await transaction.run(_BEGIN)
    return await _claim(transaction, limit=limit)


async def complete(transaction: Transaction, found: Sequence[Completed]) -> list[str]:
    """Write it into all copies that are there still, and forget that they were incomplete.

    The raw id of each copy that is public comes back, as often as there are such copies.
    """
    public = await _complete(
        transaction,
        ids=[each.raw_id for each in found],
        contents=[each.contents for each in found],
        attachments=[
            "{" + ",".join(each.attachments) + "}" if each.attachments else None for each in found
        ],
    )
    return [raw_id for raw_id in public if raw_id is not None]
