"""Statements on those from whom, and to whom, no mail is taken."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailsacd.store.sql import Executor, many, none

MAX_ENTRIES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Denied:
    """``entry`` is a normal address or domain, an IP address, or a network with its prefix length.

    With ``recipient`` it is whom mail is for, else whom it is from. It ``expires`` by itself;
    None: never.
    """

    entry: str
    recipient: bool
    reason: str
    created: datetime
    expires: datetime | None


_list = many(
    Denied,
    f"""select entry, recipient, reason, created, expires from denylist
        where expires is null or expires > now()
        order by entry, recipient limit {MAX_ENTRIES}""",  # noqa: S608  no input in it
)
_search = many(
    Denied,
    """select entry, recipient, reason, created, expires from denylist
       where (expires is null or expires > now()) and (position(lower(%(query)s) in entry) > 0
           or position(lower(%(query)s) in lower(reason)) > 0)
       order by entry, recipient limit %(limit)s offset %(skip)s""",
)
_add = none(
    """insert into denylist (entry, recipient, reason, expires)
       values (%(entry)s, %(recipient)s::boolean, %(reason)s,
           now() + make_interval(secs => %(for_s)s::int))
       on conflict (entry, recipient) do update
           set reason = excluded.reason, expires = excluded.expires"""
)
_remove = none(
    """delete from denylist where entry = %(entry)s and recipient = %(recipient)s::boolean
           and (expires is null or expires > now())"""
)
_forget_expired = none("delete from denylist where expires <= now()")


async def list_denied(db: Executor) -> list[Denied]:
    """Return all entries in force in the order of their texts, MAX_ENTRIES at most."""
    return await _list(db)


async def search_denied(db: Executor, query: str, *, limit: int, skip: int) -> list[Denied]:
    """Return entries in force by text, of whose text or reason ``query`` is a part."""
    return await _search(db, query=query, limit=limit, skip=skip)


async def add_denied(
    db: Executor, entry: str, reason: str, *, recipient: bool, for_s: int | None
) -> None:
    """Put ``entry`` on the list for so many seconds; None: until it is removed.

    One that is there already gets the new reason and time.
    """
    await _add(db, entry=entry, recipient=recipient, reason=reason, for_s=for_s)


async def remove_denied(db: Executor, entry: str, *, recipient: bool) -> bool:
    """Take ``entry`` off the list. Returns False when it was not on it."""
    return await _remove(db, entry=entry, recipient=recipient) == 1


async def forget_expired(db: Executor) -> None:
    """Delete the entries whose time is over."""
    await _forget_expired(db)
