"""Statements on operations counted by account, month, kind and API key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from mailsacd.store.sql import Executor, column, many, none, one

API: Final = "api"
INBOUND: Final = "inbound"
PUSH: Final = "push"
CAPTURE: Final = "capture"
OPS: Final = (API, INBOUND, PUSH, CAPTURE)
"""The kinds that count against a plan's ops_per_month."""


@dataclass(frozen=True, slots=True)
class Use:
    """How many operations of a kind an account used in a month. ``month`` is its first day."""

    account: str
    month: date
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The same of one account, by the name of the API key; ``""`` is what no key did."""

    month: date
    kind: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class NewUse(Use):
    """Operations to be added to those that are stored, the first of them at the time ``since``."""

    key: str
    since: datetime


# An account may be gone since, and another one have its name: which was made after that use. So
# may a key: what it did is the account's all the same. One that is being deleted is waited for:
# else it would be there for the join, and not for the reference.
_add = none(
    """with there as (
           select name, created from account where name = any(%(accounts)s::text[])
           order by name for key share
       )
       insert into usage (account, month, kind, key, count)
       select used.account, used.month, used.kind, coalesce(api_key.name, ''), sum(used.count)
       from unnest(%(accounts)s::text[], %(months)s::text[]::date[], %(kinds)s::text[],
           %(keys)s::text[], %(counts)s::bigint[], %(times)s::timestamptz[])
           as used (account, month, kind, key, count, since)
       join there on there.name = used.account
           and date_trunc('milliseconds', there.created) <= used.since
       left join api_key on api_key.account = used.account and api_key.name = used.key
       group by 1, 2, 3, 4
       order by used.account collate "C", used.month, used.kind collate "C",
           coalesce(api_key.name, '') collate "C"
       on conflict (account, month, kind, key) do update set count = usage.count + excluded.count"""
)
# What a key did is nobody's in particular when it is gone: so there are never more names than keys.
_fold_key = none(
    """with gone as (
           delete from usage using api_key
           where api_key.account = %(account)s and api_key.id = %(id)s
               and usage.account = api_key.account and usage.key = api_key.name
           returning usage.account, month, kind, count
       )
       insert into usage (account, month, kind, key, count)
       select account, month, kind, '', count from gone
       order by account collate "C", month, kind collate "C"
       on conflict (account, month, kind, key) do update set count = usage.count + excluded.count"""
)
_ops: many[tuple[str, int]] = many(
    lambda account, count: (account, count),
    """select account, sum(count)::bigint from usage
       where account = any(%(accounts)s::text[]) and month = %(month)s::date
           and kind = any(%(kinds)s::text[])
       group by account""",
)
_of_month = many(
    Use,
    """select account, month, kind, sum(count)::bigint as count from usage
       where month = %(month)s::date group by account, month, kind
       order by count desc, account, kind limit %(limit)s""",
)
_history = many(
    KeyUse,
    """select month, kind, key, count from usage
       where account = %(account)s and month >= %(since)s::date
       order by month desc, kind, count desc, key""",
)
_forget = none("delete from usage where month < %(before)s::date")
_forget_warnings = none("delete from usage_warning where month < %(before)s::date")
_warn = none(
    """insert into usage_warning (account, month, percent)
       select name, %(month)s::date, %(percent)s::integer from account
       where name = %(account)s and not removing for key share
       on conflict do nothing"""
)
_ops_of_month: one[int] = one(
    column,
    """select coalesce(sum(count), 0)::bigint from usage
       where account = %(account)s and month = %(month)s::date and kind = any(%(kinds)s::text[])""",
)


async def add_uses(db: Executor, uses: Sequence[NewUse]) -> None:
    """Add to what was counted before.

    ``uses`` has at most one for each account, month, kind and key. Those of accounts that were
    removed since are left out, whoever has their names by now.
    """
    await _add(
        db,
        accounts=[u.account for u in uses],
        months=[u.month.isoformat() for u in uses],
        kinds=[u.kind for u in uses],
        keys=[u.key for u in uses],
        counts=[u.count for u in uses],
        times=[u.since for u in uses],
    )


async def fold_key(db: Executor, account: str, key_id: str) -> None:
    """Have what a key did be nobody's in particular, before it is deleted."""
    await _fold_key(db, account=account, id=key_id)


async def count_ops(db: Executor, account: str, month: date) -> int:
    """Return how many operations of an account count against its plan.

    ``month`` is the month's first day.
    """
    return await _ops_of_month(db, account=account, month=month.isoformat(), kinds=list(OPS))


async def ops_of(db: Executor, accounts: Sequence[str], month: date) -> dict[str, int]:
    """Return the same of several accounts, those with none left out."""
    found = await _ops(db, accounts=list(accounts), month=month.isoformat(), kinds=list(OPS))
    return dict(found)


async def uses_of_month(db: Executor, month: date, *, limit: int) -> list[Use]:
    """Return what was used in a month, most first, ``limit`` at most."""
    return await _of_month(db, month=month.isoformat(), limit=limit)


async def history(db: Executor, account: str, since: date) -> list[KeyUse]:
    """Return what an account used from the month ``since`` on, newest month first."""
    return await _history(db, account=account, since=since.isoformat())


async def note_warning(db: Executor, account: str, month: date, percent: int) -> bool:
    """Note that an account is warned. Returns False when it was, or is gone."""
    return await _warn(db, account=account, month=month.isoformat(), percent=percent) == 1


async def forget_uses(db: Executor, before: date) -> None:
    """Delete what was counted in the months before ``before``, and the warnings of these."""
    await _forget(db, before=before.isoformat())
    await _forget_warnings(db, before=before.isoformat())
