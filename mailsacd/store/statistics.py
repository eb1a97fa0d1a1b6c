"""Statements on what public inboxes received: tallies by the hour, and attachments by their MD5."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from mailsacd.core.mailstats import ADDRESS, ATTACHMENT, DOMAIN, SENDER
from mailsacd.store.counts import public_total, total
from mailsacd.store.raw_messages import IS_RECENT, RawPlace, find_body_at
from mailsacd.store.retention import THERE, kept
from mailsacd.store.sql import Executor, column, many, maybe, none, one
from mailsacd.store.views import AS_JSON_ARRAY, COLUMNS

MAX_COUNTED: Final = 10_000
"""More messages with one attachment than these are neither counted nor listed."""

EXACT_ADDRESSES: Final = 100_000
"""Above so many reserved addresses their number is an estimate: counting them takes too long."""

_NOT_HIDDEN: Final = """not exists (select from address where email = {0}) and not exists (
    select from domain where domain.name = split_part({0}, '@', -1) and verified and is_private)"""
_THERE: Final = f"attachments is not null and not private and saved_by is null and {THERE}"
# The second half goes for mail of before somebody took the inbox or the domain over.
_KEPT: Final = kept("message.inbox")
_PUBLIC: Final = f"{_THERE} and {_NOT_HIDDEN.format('message.inbox')} and {_KEPT}"
_WITH: Final = f"attachments @> array[%(md5)s::uuid] and {_PUBLIC}"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages were counted under a name in the hour that begins at ``hour``."""

    kind: str
    hour: datetime
    name: str
    n: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A name, and in how many messages it was met."""

    name: str
    n: int


# In one order everywhere, so that nodes which write at the same time wait instead of deadlocking.
_add = none(
    """insert into tally (kind, hour, name, n)
       select kind, hour::timestamptz, name, n
       from unnest(%(kinds)s::text[], %(hours)s::text[], %(names)s::text[], %(ns)s::bigint[])
           as counted (kind, hour, name, n)
       order by kind collate "C", hour, name collate "C"
       on conflict (kind, hour, name) do update set n = tally.n + excluded.n"""
)


def _top(kind: str, shown: str) -> many[Counted]:
    """Whatever is not public now is left out, though it was when it was counted.

    It is looked for in the order of the answer, and so only until that is full: the offset keeps
    the condition out of the subquery.
    """
    return many(
        Counted,
        f"""select name, n from (
                select name, sum(n)::bigint as n from tally
                where kind = '{kind}' and hour < %(until)s::timestamptz
                    and hour >= date_trunc('hour', %(since)s::timestamptz, 'UTC')
                group by name order by n desc, name offset 0
            ) counted
            where {shown}
            order by n desc, name limit %(limit)s offset %(skip)s""",  # noqa: S608  no input in it
    )


_TOPS: Final = {
    ADDRESS: _top(ADDRESS, _NOT_HIDDEN.format("counted.name")),
    SENDER: _top(SENDER, "true"),
    DOMAIN: _top(DOMAIN, _NOT_HIDDEN.format("counted.name")),
    ATTACHMENT: _top(
        ATTACHMENT,
        f"""exists (select from message
                    where attachments @> array[counted.name::uuid] and {_PUBLIC})""",
    ),
}
_forget = none("delete from tally where hour < %(before)s::timestamptz")
_cut = none(
    """delete from tally using (
           select kind, hour, name,
               row_number() over (partition by kind, hour order by n desc, name) as place
           from tally where hour >= %(since)s::timestamptz
       ) ranked
       where ranked.place > %(most)s::bigint and tally.kind = ranked.kind
           and tally.hour = ranked.hour and tally.name = ranked.name"""
)
_count: one[int] = one(
    column,
    f"select count(*) from (select from message where {_WITH} limit {MAX_COUNTED}) found",  # noqa: S608  no input in it
)
# Ids first, and the wide rows of one page after that: very many messages may have it.
_with: one[str] = one(
    column,
    f"""select {AS_JSON_ARRAY} from (
            select {", ".join(f"message.{name}" for name in COLUMNS.split(", "))} from (
                select inbox, id from (
                    select inbox, id, received, owner, saved_by from message
                    where attachments @> array[%(md5)s::uuid] and {_THERE}
                    order by id desc limit {MAX_COUNTED}
                ) message
                where {_NOT_HIDDEN.format("message.inbox")} and {_KEPT}
                order by id desc limit %(limit)s offset %(skip)s
            ) place join message on message.inbox = place.inbox and message.id = place.id
        ) page""",  # noqa: S608  as above
)
_NEWEST_WITH: Final = f"from message where {_WITH} order by id desc limit 1"
_raw: maybe[bytes] = maybe(
    column,
    f"select body from raw_message where id = (select raw_id {_NEWEST_WITH})",  # noqa: S608  as above
)
_raw_place = maybe(RawPlace, f"select raw_id, {IS_RECENT} {_NEWEST_WITH}")

_COUNTED_THINGS: Final = ("accounts", "addresses", "verifiedDomains", "denied", "databaseBytes")
# Of addresses there may be millions, and what PostgreSQL knows of a large table is near enough
_beside_mail = one(
    lambda *counts: dict(zip(_COUNTED_THINGS, map(int, counts), strict=True)),
    f"""select (select count(*) from account),
           case when known.addresses > {EXACT_ADDRESSES} then known.addresses
               else (select count(*) from address) end,
           (select count(*) from domain where verified and not of_run),
           (select count(*) from denylist),
           pg_database_size(current_database())
       from (select reltuples::bigint as addresses from pg_class
             where oid = 'address'::regclass) known""",  # noqa: S608  no input in it
)


async def add_tallies(db: Executor, tallies: Sequence[Tally]) -> None:
    """Add to what was counted before. ``tallies`` has at most one for each kind, hour and name."""
    await _add(
        db,
        kinds=[t.kind for t in tallies],
        hours=[t.hour.isoformat() for t in tallies],
        names=[t.name for t in tallies],
        ns=[t.n for t in tallies],
    )


async def top_names(
    db: Executor, kind: str, since: datetime, until: datetime, *, limit: int, skip: int
) -> list[Counted]:
    """Return the names that were counted most in some hours.

    These are from that of ``since`` on, and begin before ``until``; the names are ``limit`` at
    most, after the first ``skip``.
    """
    return await _TOPS[kind](db, since=since, until=until, limit=limit, skip=skip)


async def cut_tallies(db: Executor, *, since: datetime, most: int, before: datetime) -> None:
    """Keep the ``most`` frequent names of each hour from ``since`` on.

    Nothing from before ``before`` is kept.
    """
    await _cut(db, since=since, most=most)
    await _forget(db, before=before)


async def count_everything(db: Executor) -> dict[str, int]:
    """Return how much there is of what, by names, of mail by the counts that are kept up.

    Addresses are estimated where there are more than EXACT_ADDRESSES. Bytes are of messages, a
    copy for each recipient.
    """
    everything, public = await total(db), await public_total(db)
    return {
        "messages": everything.held,
        "publicMessages": public.held,
        "starredMessages": everything.starred,
        "messageBytes": everything.bytes,
        **await _beside_mail(db),
    }


async def count_with_attachment(db: Executor, md5: UUID) -> int:
    """Return how many public messages have the attachment, MAX_COUNTED at most."""
    return await _count(db, md5=str(md5))


async def messages_with_attachment(db: Executor, md5: UUID, *, limit: int, skip: int) -> str:
    """Return the public messages that have the attachment, newest first, as one JSON array."""
    return await _with(db, md5=str(md5), limit=limit, skip=skip)


async def raw_with_attachment(db: Executor, md5: UUID) -> bytes | None:
    """Return the compressed raw of the newest public message that has the attachment, or None."""
    if db.is_distributed:
        return await find_body_at(db, lambda: _raw_place(db, md5=str(md5)))
    return await _raw(db, md5=str(md5))
