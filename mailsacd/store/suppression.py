"""Statements on addresses that nothing is sent to: those that failed for good, for a while."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailsacd.store.sql import Executor, many, none

EVERYBODY: Final = ""
"""The account of what holds for all: the operator's own."""

_SOME: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An address, in lower case, and for what ``reason`` nothing is sent there until ``expires``.

    It holds for the mail of ``account``, or EVERYBODY's.
    """

    account: str
    address: str
    reason: str
    created: datetime
    expires: datetime


def _suppression(*columns: object) -> Suppression:
    return Suppression(**dict(zip(Suppression.__dataclass_fields__, columns, strict=True)))  # type: ignore[arg-type]  # as the columns are selected


_add = none(
    """insert into suppression (account, address, reason, created, expires)
       values (%(account)s, lower(%(address)s), %(reason)s, %(created)s, %(expires)s)
       on conflict (account, address) do update
       set reason = excluded.reason, created = excluded.created, expires = excluded.expires"""
)
_list = many(
    _suppression,
    """select account, address, reason, created, expires from suppression
       where account = coalesce(%(account)s::text, account) and expires > now()
       order by created desc, account, address limit %(limit)s offset %(skip)s""",
)
_list_of = many(
    _suppression,
    """select account, address, reason, created, expires from suppression
       where account = %(account)s and expires > now()
       order by created desc, address limit %(limit)s offset %(skip)s""",
)
_remove = none(
    """delete from suppression
       where account = %(account)s and address = lower(%(address)s) and expires > now()"""
)
_remove_all = none("delete from suppression where address = lower(%(address)s)")
_forget_expired = none(
    f"""delete from suppression where (account, address) in (
            select account, address from suppression where expires < %(now)s::timestamptz
            order by expires limit {_SOME})"""  # noqa: S608  no input in it
)
# From account to account by the index
_forget_surplus = none(
    f"""with recursive whose (account) as (
            select min(account) from suppression
            union all
            select (select min(account) from suppression where account > whose.account)
            from whose where account is not null
        )
        delete from suppression where (account, address) in (
            select whose.account, old.address from whose cross join lateral (
                select address from suppression where suppression.account = whose.account
                order by created desc offset %(most)s limit {_SOME}
            ) old where whose.account is not null)"""  # noqa: S608  no input in it
)


async def add_suppression(db: Executor, new: Suppression) -> None:
    """Have nothing sent to an address. What was said of it before is forgotten."""
    await _add(
        db,
        account=new.account,
        address=new.address,
        reason=new.reason,
        created=new.created,
        expires=new.expires,
    )


async def list_suppressions(
    db: Executor, account: str | None, *, limit: int, skip: int
) -> list[Suppression]:
    """Return what is in force for an account's mail alone, or (None) all; the newest first."""
    if account is None:
        return await _list(db, account=None, limit=limit, skip=skip)
    return await _list_of(db, account=account, limit=limit, skip=skip)


async def remove_suppression(db: Executor, account: str | None, address: str) -> int:
    """Have mail sent to an address again, an account's or (None) everybody's.

    Returns how many suppressions that ended.
    """
    if account is None:
        return await _remove_all(db, address=address)
    return await _remove(db, account=account, address=address)


async def forget_expired(db: Executor, now: datetime) -> int:
    """Delete some of those that are over. Returns how many."""
    return await _forget_expired(db, now=now)


async def forget_surplus(db: Executor, most: int) -> int:
    """Delete some of what each account has beyond its ``most`` newest. Returns how many."""
    return await _forget_surplus(db, most=most)
