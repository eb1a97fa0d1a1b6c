"""Statements on operations counted by account, month and kind."""

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
class NewUse(Use):
    """Operations to be added to those that are stored, the first of them at the time ``since``."""

    since: datetime


# An account may be gone since, and another one have its name: which was made after that use.
_add = none(
    """insert into usage (account, month, kind, count)
       select used.account, used.month::date, used.kind, used.count
       from unnest(%(accounts)s::text[], %(months)s::text[], %(kinds)s::text[],
           %(counts)s::bigint[], %(times)s::timestamptz[])
           as used (account, month, kind, count, since)
       join account on account.name = used.account
           and date_trunc('milliseconds', account.created) <= used.since
       order by used.account collate "C", used.month, used.kind collate "C"
       on conflict (account, month, kind) do update set count = usage.count + excluded.count"""
)
_ops: one[int] = one(
    column,
    """select coalesce(sum(count), 0)::bigint from usage
       where account = %(account)s and month = %(month)s::date and kind = any(%(kinds)s::text[])""",
)
_of_month = many(
    Use,
    """select account, month, kind, count from usage where month = %(month)s::date
       order by count desc, account, kind limit %(limit)s""",
)
_forget = none("delete from usage where month < %(before)s::date")


async def add_uses(db: Executor, uses: Sequence[NewUse]) -> None:
    """Add to what was counted before. ``uses`` has at most one for each account, month and kind.

    Those of accounts that were removed since are left out, whoever has their names by now.
    """
    await _add(
        db,
        accounts=[u.account for u in uses],
        months=[u.month.isoformat() for u in uses],
        kinds=[u.kind for u in uses],
        counts=[u.count for u in uses],
        times=[u.since for u in uses],
    )


async def count_ops(db: Executor, account: str, month: date) -> int:
    """Return how many operations of an account count against its plan.

    ``month`` is the month's first day.
    """
    return await _ops(db, account=account, month=month.isoformat(), kinds=list(OPS))


async def uses_of_month(db: Executor, month: date, *, limit: int) -> list[Use]:
    """Return what was used in a month, most first, ``limit`` at most."""
    return await _of_month(db, month=month.isoformat(), limit=limit)


async def forget_uses(db: Executor, before: date) -> None:
    """Delete what was counted in the months before ``before``."""
    await _forget(db, before=before.isoformat())
