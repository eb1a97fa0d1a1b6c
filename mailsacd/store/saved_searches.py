"""Statements on searches that accounts have given a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailsacd.store.sql import Executor, many, none


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """``name`` is in lower case, ``query`` as it was given."""

    name: str
    query: str
    created: datetime


_list = many(
    lambda name, query, created: SavedSearch(name=name, query=query, created=created),
    """select name, query, created from saved_search where account = %(account)s
       order by name limit 1000""",
)
_save = none(
    """insert into saved_search (account, name, query)
       values (%(account)s, %(name)s, %(query)s)
       on conflict (account, name) do update set query = excluded.query, created = now()"""
)
_remove = none("delete from saved_search where account = %(account)s and name = %(name)s")


async def list_searches(db: Executor, account: str) -> list[SavedSearch]:
    """Return what an account has saved, by name, 1,000 at most."""
    return await _list(db, account=account)


async def queries_of(db: Executor, account: str) -> Mapping[str, str]:
    """Return the queries of the same by their names."""
    return {each.name: each.query for each in await _list(db, account=account)}


async def save_search(db: Executor, account: str, name: str, query: str) -> None:
    """Give ``query`` that name, and take it from what had it before."""
    await _save(db, account=account, name=name, query=query)


async def remove_search(db: Executor, account: str, name: str) -> bool:
    """Forget it. Returns False when there is none of that name."""
    return await _remove(db, account=account, name=name) == 1
