"""Statements on what was stored, commit by commit, and on the messages that somebody waits for.

What somebody has not seen is told by snapshots (store.commit_order), never by times or ids.
"""

import secrets
from dataclasses import dataclass
from typing import Final

import msgspec

from mailsacd.core.event import Arrival, Interest, Position, Snapshot
from mailsacd.core.token import time_prefix
from mailsacd.store.commit_order import (
    BEFORE_ALL,
    IN_NO_FUTURE,
    NOW,
    NUMBER,
    UNSEEN_RANGES,
    WITHIN,
    as_snapshot,
    between,
)
from mailsacd.store.pool import Database
from mailsacd.store.retention import kept
from mailsacd.store.sql import Executor, column, many, none, one
from mailsacd.store.transaction import Transaction
from mailsacd.store.views import VISIBLE

KEPT_S: Final = 900
"""So long are events kept."""

KEPT_FOR_RECYCLER_S: Final = 86_400
"""So long are events kept that the recycler has not seen (see store.recycling)."""

COMMIT_WITHIN_S: Final = 900
"""A message is committed so long after its id was made at the latest: senders do not wait longer
than ten minutes (RFC 5321 section 4.5.3.2.6), and nodes' clocks differ."""

MAX_EVENTS: Final = 500
MAX_EVENT_BYTES: Final = 262_144  # of their texts; one larger event comes alone

PRUNED_AT_ONCE: Final = 5_000

# Of what `seen` does not see; two ranges, each read in order: what was running is below the rest.
_UNSEEN_EVENTS: Final = " union all ".join(
    f"""(select xid, messages from event
         where {unseen} and {WITHIN}
         order by xid limit {MAX_EVENTS + 1})"""  # noqa: S608  parts of SQL, no input
    for unseen in UNSEEN_RANGES
)

_events = many(
    lambda *columns: columns,
    f"""select snapshot, ms, xid, messages
        from (select {NOW}) now
        left join (
            select xid::text, case when place <= {MAX_EVENTS} and before < {MAX_EVENT_BYTES}
                then messages end as messages
            from (
                select xid, messages, row_number() over (order by xid) as place,
                    sum(octet_length(messages)) over (order by xid) - octet_length(messages)
                        as before
                from ({_UNSEEN_EVENTS}) unseen
            ) measured
            order by measured.xid
        ) found on true""",  # noqa: S608  as above
)


_now = one(as_snapshot, f"select {NOW}")

# From the newest down, since nothing else has the events in an order of time.
_now_and_recent = one(
    lambda *columns: columns,
    f"""select {NOW}, array(
            select xid::text from (
                select xid, stored from event order by xid desc limit {MAX_EVENTS}
            ) newest
            where stored > now() - %(ms)s * interval '1 millisecond')""",  # noqa: S608  as above
)

# Of message rows. Those without a transaction are from before there were events.
_UNSEEN: Final = f"""id > %(after)s
    and ({" or ".join(UNSEEN_RANGES)}) and {WITHIN}
    and {VISIBLE} and {kept("message.inbox", "%(viewer)s::text")}"""

_OF_INTEREST: Final = (
    # each goes up an index from `after`, so that a page costs what it shows
    f"""from unnest(%(inboxes)s::text[]) wanted (name) cross join lateral (
            select inbox, id from message where inbox = wanted.name collate "C" and {_UNSEEN}
            order by id limit %(limit)s) found""",  # noqa: S608  as above
    f"""from unnest(%(domains)s::text[]) wanted (name) cross join lateral (
            select inbox, id from message
            where domain = wanted.name collate "C" and owner is not null and {_UNSEEN}
            order by id limit %(limit)s) found""",  # noqa: S608  as above
    # a catch-all is told of mail to the reserved addresses of its domain, too
    f"""from address catch_all cross join lateral (
            select inbox, id from message
            where domain = catch_all.domain collate "C" and owner = %(viewer)s::text
                and exists (select from address where email = message.inbox
                            and address.owner = %(viewer)s::text)
                and {_UNSEEN}
            order by id limit %(limit)s) found
        where catch_all.email = any(%(inboxes)s::text[]) and catch_all.catch_all
            and catch_all.owner = %(viewer)s::text""",  # noqa: S608  as above
    f"""from (select inbox, id from message
            where %(everything)s::boolean and owner = %(viewer)s::text and {_UNSEEN}
            order by id limit %(limit)s) found""",  # noqa: S608  as above
    f"""from (select inbox, id from message
            where owner = %(viewer)s::text and passed is not null and (
                    passed && %(inboxes)s::text[]
                    or exists (select from unnest(passed) way (email)
                               where split_part(email, '@', -1) = any(%(domains)s::text[])))
                and {_UNSEEN}
            order by id limit %(limit)s) found""",  # noqa: S608  as above
)
_page = many(
    lambda inbox, id_: (inbox, id_),
    f"""select inbox, id from (
            {" union ".join(f"select found.inbox, found.id {part}" for part in _OF_INTEREST)}
        ) page order by id limit %(limit)s""",  # noqa: S608  as above
)

# The newest one stays: by it one sees whether the table came from another database.
_prune = none(
    f"""delete from event where xid in (
            select xid from event
            where stored < now() - interval '{KEPT_S} seconds'
                and xid < (select max(xid) from event)
                and (not exists (select from recycler where event.xid >= unseen)
                     or stored < now() - interval '{KEPT_FOR_RECYCLER_S} seconds')
            order by xid limit {PRUNED_AT_ONCE})"""  # noqa: S608  as above
)

_offer_epoch = none("insert into event_epoch (value) values (%(value)s) on conflict do nothing")
_epoch = one(bytes, "select value from event_epoch")
_is_foreign: one[bool] = one(
    column,
    f"select not coalesce((select max(xid) from event) {IN_NO_FUTURE}, true)",  # noqa: S608  no input in it
)

_decode = msgspec.json.Decoder(list[Arrival]).decode


@dataclass(frozen=True, slots=True)
class Events:
    """What was found: ``arrivals`` are pairs of a transaction and a message, in order of ids.

    With them one has seen all that ``reached`` sees. ``more`` tells that there are more events
    now; ``now`` is the database's snapshot.
    """

    arrivals: tuple[tuple[int, Arrival], ...]
    reached: Snapshot
    now: Snapshot
    more: bool


async def current_snapshot(db: Executor) -> Snapshot:
    """Return the snapshot that sees what is committed now."""
    return await _now(db)


async def snapshot_before(db: Executor, recent_ms: int) -> Snapshot:
    """Return a snapshot that sees what is committed now, but for what came within the last
    ``recent_ms`` milliseconds, of which it sees none; of very much it may see the earliest.
    """
    text, ms, recent = await _now_and_recent(db, ms=recent_ms)
    now = as_snapshot(text, ms)
    return Snapshot(now.next_xid, now.running.union(map(int, recent)), ms)


async def events_after(db: Executor, seen: Snapshot, within: Snapshot | None = None) -> Events:
    """Return the first MAX_EVENTS events that ``seen`` does not see.

    With ``within`` they are of those that it sees.
    """
    rows = await _events(db, **between(seen, within))
    now = as_snapshot(*rows[0][:2])
    arrivals: list[tuple[int, Arrival]] = []
    last = None
    for _, _, xid, messages in rows:
        if messages is not None:
            last = int(xid)
            arrivals += [(last, arrival) for arrival in _decode(messages)]
    more = rows[-1][2] is not None and rows[-1][3] is None
    goal = within or now
    reached = seen.up_to(goal, last) if more and last is not None else goal
    arrivals.sort(key=lambda arrival: arrival[1].id)
    return Events(tuple(arrivals), reached, now, more)


async def messages_after(
    db: Executor, interest: Interest, position: Position, until: Snapshot, *, limit: int
) -> list[tuple[str, str]]:
    """Inbox and id of the first ``limit`` messages after ``position`` that ``until`` sees.

    In order of ids. Of what ``interest`` names, but for ``all_public``, which no index finds.
    A position with ``within`` is between two messages of that: ``until`` has to be the same.
    """
    oldest = time_prefix(position.seen.taken_ms - COMMIT_WITHIN_S * 1000)
    return await _page(
        db,
        viewer=interest.account,
        inboxes=sorted(interest.inboxes),
        domains=sorted(interest.domains),
        everything=interest.everything_owned,
        after=max(position.id, oldest),
        limit=limit,
        **between(position.seen, until),
    )


async def prune_events(db: Executor) -> int:
    """Delete some of what is older than KEPT_S. Returns how many."""
    return await _prune(db)


async def event_epoch(database: Database) -> bytes:
    """16 random bytes that all nodes share, until the database is restored.

    Transactions of another database, from which the tables were copied, are forgotten first.
    """

    async def work(transaction: Transaction) -> bytes:
        await _offer_epoch(transaction, value=secrets.token_bytes(16))
        await transaction.run("select 1 from event_epoch for update")  # nodes take turns
        if await _is_foreign(transaction):
            await forget_transactions(transaction)
        return await _epoch(transaction)

    return await database.transaction(work)


async def forget_transactions(transaction: Transaction) -> None:
    """Forget which transaction stored what: their numbers are another database's.

    No sequence given out before is good any more.
    """
    # A column without values costs nothing, however many rows there are.
    await transaction.run(
        "alter table message drop column xid; alter table message add column xid xid8;"  # noqa: S608  no input in it
        f" alter table message alter column xid set default {NUMBER};"
        " delete from event; delete from event_epoch; delete from recycler;"
        f" update erasure set seen = {BEFORE_ALL} where seen is not null"
    )
    await _offer_epoch(transaction, value=secrets.token_bytes(16))
