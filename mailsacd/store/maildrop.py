"""Statements on maildrops: an inbox as POP3 sees it."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from mailsacd.core.maildrop import Listing, Measure, StoredMessage
from mailsacd.store.messages import deletion
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
_list = one(
    _listing,
    f"""select string_agg(shown.id || ' ' || shown.octets, ' ' order by shown.id)
        from (
            select message.id, coalesce(wire_size, -1) as octets
            from message cross join lateral {_RAW} raw
            where inbox = %(inbox)s and {VISIBLE_AMONG_MANY} and {KEPT}
                and folder not in {_LEFT_OUT}
            order by message.id desc limit {MAX_MESSAGES}
        ) shown""",  # noqa: S608  as above
)
_bodies: many[tuple[str, StoredMessage]] = many(
    lambda message_id, body, plain: (message_id, StoredMessage(body, plain)),
    f"""select message.id, body, plain
        from message cross join lateral {_RAW} raw
        where inbox = %(inbox)s and message.id = any(%(ids)s::text[]) and {_MAY} and {KEPT}""",  # noqa: S608  as above
)
# Messages from before there were maildrops
_unmeasured: many[tuple[str, bytes]] = many(
    lambda raw_id, body: (raw_id, body),
    f"""select raw.id, body
        from message cross join lateral {_RAW} raw
        where inbox = %(inbox)s and message.id = any(%(ids)s::text[]) and wire_size is null""",  # noqa: S608  as above
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
    return await _list(db, inbox=inbox, viewer=account)


async def find_bodies(
    db: Executor, inbox: str, ids: Sequence[str], account: str, *, is_open: bool
) -> dict[str, StoredMessage]:
    """Return those of the messages that are there for ``account``, by id.

    ``is_open`` tells whether it may look into the inbox (see store.views).
    """
    found = await _bodies(db, inbox=inbox, ids=list(ids), viewer=account, open=is_open)
    return dict(found)


async def find_unmeasured(db: Executor, inbox: str, ids: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return id and stored body of the raws of those messages that nobody has measured yet."""
    return await _unmeasured(db, inbox=inbox, ids=list(ids))


async def keep_measures(db: Executor, measures: Sequence[Measure]) -> None:
    """Store what was measured of raw messages."""
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
