"""Statements on maildrops: an inbox as POP3 sees it."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from mailsacd.core.maildrop import Listing, Measure, StoredMessage
from mailsacd.store.deletion import deletion
from mailsacd.store.raw_messages import (
    IS_RECENT,
    RawPlace,
    find_stored,
    find_unmeasured_raws,
    find_wire_sizes,
    keep_measures_apart,
    look_until_whole,
)
from mailsacd.store.retention import THERE
from mailsacd.store.sql import Executor, column, many, maybe, none, one
from mailsacd.store.views import KEPT, REACHABLE, VISIBLE_AMONG_MANY

MAX_MESSAGES: Final = 50_000
"""Of a larger maildrop a session sees the newest."""

_LEFT_OUT: Final = "('spam', 'trash')"
_MAY: Final = f"""{REACHABLE} and exists (
    select 1 from account
    where name = %(viewer)s::text and not suspended and not removing)"""  # noqa: S608  no input in it

# One look into the index for each message: a join that the planner chose might read all of it
_RAW: Final = "(select * from raw_message where raw_message.id = message.raw_id offset 0)"


def _listing(text: str | None) -> Listing:
    words = text.split() if text else []
    return Listing(ids=tuple(words[::2]), sizes=tuple(map(int, words[1::2])))


# One text: thousands of rows would hold the reactor for several times as long
def _shown(beside: str, raw: str = "") -> str:
    """What is shown of an inbox, oldest first: ids, each with what is ``beside`` it (SQL)."""
    return f"""select string_agg(shown.id || ' ' || shown.beside, ' ' order by shown.id)
        from (
            select message.id, {beside} as beside
            from message {raw}
            where inbox = %(inbox)s and {VISIBLE_AMONG_MANY} and {KEPT}
                and folder not in {_LEFT_OUT}
            order by message.id desc limit {MAX_MESSAGES}
        ) shown"""  # noqa: S608  as above


_list = one(_listing, _shown("coalesce(wire_size, -1)", f"cross join lateral {_RAW} raw"))
_list_apart: one[str | None] = one(column, _shown(f"raw_id || ' ' || ({IS_RECENT})"))
_THESE: Final = f"""inbox = %(inbox)s and message.id = any(%(ids)s::text[]) and {_MAY}
    and {KEPT}"""
_bodies: many[tuple[str, StoredMessage]] = many(
    lambda message_id, body, plain: (message_id, StoredMessage(body, plain)),
    f"""select message.id, body, plain
        from message cross join lateral {_RAW} raw where {_THESE}""",  # noqa: S608  as above
)
_places: many[tuple[str, RawPlace]] = many(
    lambda message_id, raw_id, is_recent: (message_id, RawPlace(raw_id, is_recent)),
    f"select id, raw_id, {IS_RECENT} from message where {_THESE}",  # noqa: S608  as above
)
# Messages from before there were maildrops
_unmeasured: many[tuple[str, bytes]] = many(
    lambda raw_id, body: (raw_id, body),
    f"""select raw.id, body
        from message cross join lateral {_RAW} raw
        where inbox = %(inbox)s and message.id = any(%(ids)s::text[]) and wire_size is null""",  # noqa: S608  as above
)
_raw_ids: many[str] = many(
    column, "select raw_id from message where inbox = %(inbox)s and id = any(%(ids)s::text[])"
)
_keep_measures = none(
    """update raw_message set plain = known.plain, wire_size = known.wire_size
       from unnest(%(ids)s::text[], %(plain)s::bool[], %(sizes)s::int[])
           known (id, plain, wire_size)
       where raw_message.id = known.id"""
)
_delete = deletion(f"where inbox = %(inbox)s and id = any(%(ids)s::text[]) and {_MAY}")
_left: one[int] = one(
    column,
    f"""select count(*) from message
        where inbox = %(inbox)s and id = any(%(ids)s::text[]) and {THERE}""",  # noqa: S608  as above
)
_enter: maybe[str] = maybe(
    column,
    """insert into maildrop (inbox, holder, held_until, last_login)
       values (%(inbox)s, %(holder)s::text, now() + %(lease_s)s::int * interval '1 s', now())
       on conflict (inbox) do update set
           holder = excluded.holder, held_until = excluded.held_until, last_login = now()
       where (maildrop.holder is null or maildrop.held_until < now() or %(holder)s::text is null)
           and maildrop.last_login <= now() - %(delay_s)s::int * interval '1 s'
       returning inbox""",
)
_is_held: maybe[bool] = maybe(
    bool,
    """select holder is not null and held_until >= now() from maildrop where inbox = %(inbox)s""",
)
_renew = none(
    """update maildrop set held_until = now() + %(lease_s)s::int * interval '1 s'
       where holder = any(%(holders)s::text[])"""
)
_leave = none(
    """update maildrop set holder = null, held_until = null
       where inbox = %(inbox)s and holder = %(holder)s"""
)
_forget = none(
    """delete from maildrop
       where (holder is null or held_until < now())
           and last_login < now() - %(delay_s)s::int * interval '1 s'"""
)


class Entry(Enum):
    """Whether a session may begin, and why not."""

    OPEN = "open"
    HELD = "held"
    TOO_SOON = "too soon"


async def list_maildrop(db: Executor, inbox: str, account: str) -> Listing:
    """Return what ``account`` sees of the inbox, without what is in spam or trash."""
    if db.is_distributed:
        return await look_until_whole(db, lambda: _listed_apart(db, inbox, account))
    return await _list(db, inbox=inbox, viewer=account)


async def _listed_apart(db: Executor, inbox: str, account: str) -> tuple[Listing, bool]:
    """Return the listing, and whether a raw message of it is yet to come."""
    words = (await _list_apart(db, inbox=inbox, viewer=account) or "").split()
    ids, raw_ids, recent = words[::3], words[1::3], words[2::3]
    sizes = await find_wire_sizes(db, sorted(set(raw_ids)))
    there = [
        (id_, sizes[raw_id]) for id_, raw_id in zip(ids, raw_ids, strict=True) if raw_id in sizes
    ]
    listing = Listing(
        ids=tuple(id_ for id_, _ in there),
        sizes=tuple(-1 if size is None else size for _, size in there),
    )
    pairs = zip(raw_ids, recent, strict=True)
    return listing, any(raw_id not in sizes and is_recent == "true" for raw_id, is_recent in pairs)


async def find_bodies(
    db: Executor, inbox: str, ids: Sequence[str], account: str, *, is_open: bool
) -> dict[str, StoredMessage]:
    """Return those of the messages that are there for ``account``, by id.

    ``is_open`` tells whether it may look into the inbox (see store.views).
    """
    these = {"inbox": inbox, "ids": list(ids), "viewer": account, "open": is_open}
    if not db.is_distributed:
        return dict(await _bodies(db, **these))

    async def look() -> tuple[dict[str, StoredMessage], bool]:
        places = dict(await _places(db, **these))
        raws, is_to_come = await find_stored(db, places.values())
        there = {id_: raws[at.raw_id] for id_, at in places.items() if at.raw_id in raws}
        return there, is_to_come

    return await look_until_whole(db, look)


async def find_unmeasured(db: Executor, inbox: str, ids: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return id and stored body of the raws of those messages that nobody has measured yet."""
    if db.is_distributed:
        return await find_unmeasured_raws(db, await _raw_ids(db, inbox=inbox, ids=list(ids)))
    return await _unmeasured(db, inbox=inbox, ids=list(ids))


async def keep_measures(db: Executor, measures: Sequence[Measure]) -> None:
    """Store what was measured of raw messages."""
    if db.is_distributed:
        await keep_measures_apart(db, measures)
        return
    await _keep_measures(
        db,
        ids=[each.raw_id for each in measures],
        plain=[each.plain for each in measures],
        sizes=[each.wire_size for each in measures],
    )


async def remove_messages(
    db: Executor, inbox: str, ids: Sequence[str], account: str, *, is_open: bool
) -> int:
    """Delete those messages on the terms of `find_bodies`.

    Returns how many are there that may not be deleted.
    """
    deleted = await _delete(db, inbox=inbox, ids=list(ids), viewer=account, open=is_open)
    return 0 if deleted == len(ids) else await _left(db, inbox=inbox, ids=list(ids))


async def enter_maildrop(
    db: Executor, inbox: str, holder: str | None, *, lease_s: int, delay_s: int
) -> Entry:
    """Begin a session: as the only one for ``lease_s`` seconds if there is a ``holder``.

    It begins no sooner than ``delay_s`` seconds after the one before.
    """
    if await _enter(db, inbox=inbox, holder=holder, lease_s=lease_s, delay_s=delay_s):
        return Entry.OPEN
    held = holder is not None and await _is_held(db, inbox=inbox)
    return Entry.HELD if held else Entry.TOO_SOON


async def renew_maildrops(db: Executor, holders: Sequence[str], lease_s: int) -> None:
    """Extend the leases of the sessions of ``holders`` to ``lease_s`` seconds from now."""
    await _renew(db, holders=list(holders), lease_s=lease_s)


async def leave_maildrop(db: Executor, inbox: str, holder: str) -> None:
    """End the session of ``holder``."""
    await _leave(db, inbox=inbox, holder=holder)


async def forget_maildrops(db: Executor, delay_s: int) -> None:
    """Delete what is known of maildrops that no session has, nor had within ``delay_s`` seconds."""
    await _forget(db, delay_s=delay_s)
