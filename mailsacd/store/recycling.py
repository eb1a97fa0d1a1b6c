"""Statements of the recycler: whose turn it is, how far it is, and what it removes.

What is removed is found by an index and is nobody's any more (see store.retention). Rows that
somebody has locked are left out: they are looked at again, and nobody waits for the recycler.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from mailsacd.core.event import Snapshot
from mailsacd.store.counts import EVERYTHING
from mailsacd.store.deletion import Deletion, deletion, wait_for_no_disk
from mailsacd.store.retention import (
    IN_PUBLIC_INDEX,
    LATEST_PUBLIC,
    OLDEST_PUBLIC,
    PUBLIC,
    THERE,
)
from mailsacd.store.sql import Executor, column, many, maybe, none, one

_NO_LIMIT: Final = 2**53

BATCH: Final = 500
"""How many messages one statement removes at most."""

SWEPT_AT_ONCE: Final = 1_000
ACCOUNTS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Excess:
    """How many messages an account has beyond its ``limit``: unstarred ones, and starred ones."""

    account: str
    unstarred: int
    starred: int
    limit: int


# Again on the rows that are locked: what was changed meanwhile may be somebody's now
_LOCKED: Final = f"""select ctid from message where ctid = any(array({{0}})) and {PUBLIC}
    for update skip locked"""  # noqa: S608  no input in it
_BEYOND: Final = f"""select beyond.ctid
    from unnest(%(inboxes)s::text[]) wanted (name)
    cross join lateral (select beyond_inbox(wanted.name) as id offset 0) newest
    cross join lateral (
        select message.ctid from message
        where inbox = wanted.name collate "C" and {PUBLIC} and message.id <= newest.id
        order by message.id limit {BATCH}
    ) beyond
    limit {BATCH}"""  # noqa: S608  as above
_OLDEST: Final = f"""select ctid from message
    where {IN_PUBLIC_INDEX} and received >= coalesce(%(since)s::timestamptz, '-infinity')
        and received < case when %(any_age)s::boolean then 'infinity' else {OLDEST_PUBLIC} end
    order by received limit least(%(limit)s::bigint, {BATCH})
    for update skip locked"""  # noqa: S608  as above
_TOO_NEW: Final = f"""select ctid from message
    where {IN_PUBLIC_INDEX} and received >= {LATEST_PUBLIC} limit {BATCH} for update skip locked"""  # noqa: S608  as above
# Of an account
_UNSTARRED: Final = f"""message.owner = %(account)s::text and message.saved_by is null
    and {THERE}"""
_STARRED: Final = f"message.saved_by = %(account)s::text and {THERE}"
_STILL: Final = "coalesce(message.saved_by, message.owner) = %(account)s::text"


def _rows(chosen: str, still: str = PUBLIC) -> str:
    return f"where ctid = any(array({chosen})) and {still}"


def _remove_beyond_of(rows: str, *, are_starred: bool) -> Deletion[int]:
    chosen = f"""select ctid from message where {rows}
            and id <= (select beyond_account(%(account)s::text, {are_starred}))
        order by id limit {BATCH} for update skip locked"""  # noqa: S608  as above
    return deletion(_rows(chosen, _STILL))


_remove_unstarred = _remove_beyond_of(_UNSTARRED, are_starred=False)
_remove_starred = _remove_beyond_of(_STARRED, are_starred=True)
_over_limit = many(
    Excess,
    """select name, greatest(least(held - most, held - starred), 0),
            greatest(starred - most, 0), most
        from unnest(%(accounts)s::text[]) account_ (name)
        cross join lateral standing(name) standing
        where held > most""",
)
_some_accounts: many[str] = many(
    column,
    f"""select account from mail_count
        where domain = '' and account > %(after)s::text and account <> '{EVERYTHING}'
        order by account limit {ACCOUNTS_AT_ONCE}""",  # noqa: S608  as above
)


_remove_beyond = deletion(_rows(_LOCKED.format(_BEYOND)))
_remove_too_new = deletion(_rows(_TOO_NEW))
_remove_oldest: Deletion[tuple[int, datetime | None]] = Deletion(
    lambda count, latest: (count, latest), _rows(_OLDEST), "count(*), max(received)"
)

_remove_beside = deletion(
    f"""where inbox = %(inbox)s::text and {PUBLIC} and id <= (
            select beyond_inbox(message.inbox)
            from message where inbox = %(inbox)s::text and id = %(id)s and {PUBLIC})"""  # noqa: S608  as above
)

_offer = none("insert into recycler default values on conflict do nothing")
_keep = none(
    """update recycler set seen = %(seen)s::text, unseen = %(unseen)s::xid8,
           sweep = %(sweep)s::timestamptz, swept = %(swept)s::timestamptz,
           applied = %(applied)s::bigint"""
)
_per_inbox: one[int] = one(
    column,
    f"select coalesce((select public_per_inbox from retention), {_NO_LIMIT})::bigint",  # noqa: S608  as above
)
_end: one[datetime] = one(column, f"select {LATEST_PUBLIC}")
# All that were received at the same time come together
_to_sweep: many[tuple[str, datetime]] = many(
    lambda inbox, received: (inbox, received),
    f"""select inbox, received from message
        where {IN_PUBLIC_INDEX} and received > coalesce(%(swept)s::timestamptz, '-infinity')
            and received <= %(sweep)s::timestamptz
        order by received fetch first {SWEPT_AT_ONCE} rows with ties""",  # noqa: S608  as above
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the recycler is. All mail that ``seen`` sees has been looked after (None: none),
    but for the public mail that was received after ``swept`` and up to ``sweep`` (None: there is
    none of that). ``applied`` is the limit of an inbox that was in force when that was begun.
    """

    seen: Snapshot | None
    sweep: datetime | None
    swept: datetime | None
    applied: int | None


def _progress(seen: str | None, *rest: Any) -> Progress:
    sweep, swept, applied = rest
    snapshot = None if seen is None else _read(seen)
    return Progress(seen=snapshot, sweep=sweep, swept=swept, applied=applied)


_claim = maybe(_progress, "select seen, sweep, swept, applied from recycler for update skip locked")


async def take_turn(db: Executor) -> Progress | None:
    """Become the recycler until the transaction ends. Returns None while another node is it.

    That the transaction is committed is not waited for: what a crash undoes is done again.
    """
    await wait_for_no_disk(db)
    progress = await _claim(db)
    if progress is None and await _offer(db):
        progress = await _claim(db)
    return progress


async def keep_progress(db: Executor, progress: Progress) -> None:
    """Write down how far the recycler is."""
    seen = progress.seen
    await _keep(
        db,
        seen=None if seen is None else _written(seen),
        unseen=None if seen is None else str(min((seen.next_xid, *seen.running))),
        sweep=progress.sweep,
        swept=progress.swept,
        applied=progress.applied,
    )


async def sweep_begun(db: Executor, progress: Progress) -> Progress:
    """Return ``progress`` with a sweep begun anew if there has to be one.

    That is when nothing is known to have been looked after, or an inbox is to have fewer messages.
    """
    limit = await _per_inbox(db)
    if progress.seen is not None and progress.applied is not None and limit >= progress.applied:
        return replace(progress, applied=limit)
    return replace(progress, sweep=await _end(db), swept=None, applied=limit)


async def inboxes_to_sweep(
    db: Executor, progress: Progress
) -> tuple[Sequence[str], datetime | None]:
    """Return the next inboxes of the sweep, and up to where that is; None: to its end."""
    found = await _to_sweep(db, sweep=progress.sweep, swept=progress.swept)
    inboxes = tuple(dict.fromkeys(inbox for inbox, _ in found))
    return inboxes, found[-1][1] if len(found) >= SWEPT_AT_ONCE else None


async def remove_beyond(db: Executor, inboxes: Sequence[str]) -> int:
    """Remove public messages that are not among the newest of their inbox, BATCH at most.

    Returns how many.
    """
    return await _remove_beyond(db, inboxes=list(inboxes))


async def remove_beside(db: Executor, inbox: str, message_id: str) -> None:
    """Remove what is beyond in the inbox of a message, if that is public.

    Whoever takes a message out of public mail calls it before, so that nothing comes up from below.
    """
    await _remove_beside(db, inbox=inbox, id=message_id)


async def remove_too_old(db: Executor, since: datetime | None) -> tuple[int, datetime | None]:
    """Remove public messages for their age, BATCH at most.

    They are the oldest of those received at ``since`` or later. Returns how many, and when the
    last of them was received.
    """
    return await _remove_oldest(db, since=since, any_age=False, limit=BATCH)


async def remove_oldest(
    db: Executor, since: datetime | None, limit: int
) -> tuple[int, datetime | None]:
    """Remove the oldest public messages as `remove_too_old` does, whatever their age."""
    return await _remove_oldest(db, since=since, any_age=True, limit=limit)


async def remove_too_new(db: Executor) -> int:
    """Remove public messages of a time that is yet to come, BATCH at most. Returns how many."""
    return await _remove_too_new(db)


async def accounts_over_limit(db: Executor, accounts: Sequence[str]) -> Sequence[Excess]:
    """Return those of ``accounts`` that have more than they may."""
    return await _over_limit(db, accounts=list(accounts))


async def some_accounts(db: Executor, after: str) -> Sequence[str]:
    """Return accounts that have mail, ACCOUNTS_AT_ONCE at most, in the order of their names.

    They are the first ones after the name ``after``.
    """
    return await _some_accounts(db, after=after)


async def remove_excess(db: Executor, excess: Excess) -> int:
    """Remove the account's oldest messages beyond its limit, BATCH at most. Returns how many."""
    remove = _remove_unstarred if excess.unstarred else _remove_starred
    return await remove(db, account=excess.account)


def _written(snapshot: Snapshot) -> str:
    running = ",".join(map(str, sorted(snapshot.running)))
    return f"{snapshot.next_xid}:{running}:{snapshot.taken_ms}"


def _read(text: str) -> Snapshot:
    next_xid, running, taken_ms = text.split(":")
    xids = frozenset(map(int, filter(None, running.split(","))))
    return Snapshot(int(next_xid), xids, int(taken_ms))
