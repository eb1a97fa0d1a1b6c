"""Statements on the domains, IP addresses and networks whose mail is refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailsacd.store.sql import Executor, many, none

MAX_ENTRIES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Denied:
    """``entry`` is a normal domain, an IP address, or a network with its prefix length."""

    entry: str
    reason: str
    created: datetime


_list = many(
    Denied,
    f"select entry, reason, created from denylist order by entry limit {MAX_ENTRIES}",  # noqa: S608  no input in it
)
_add = none(
    """insert into denylist (entry, reason) values (%(entry)s, %(reason)s)
       on conflict (entry) do update set reason = excluded.reason"""
)
_remove = none("delete from denylist where entry = %(entry)s")


async def list_denied(db: Executor) -> list[Denied]:
    """Return all entries in the order of their texts, MAX_ENTRIES at most."""
    return await _list(db)


async def add_denied(db: Executor, entry: str, reason: str) -> None:
    """Refuse the mail of ``entry``. One that is there already gets the new reason."""
    await _add(db, entry=entry, reason=reason)


async def remove_denied(db: Executor, entry: str) -> bool:
    """Refuse the mail of ``entry`` no more. Returns False when it was not on the list."""
    return await _remove(db, entry=entry) == 1
