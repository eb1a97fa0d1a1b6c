"""Statements that keep the table of deliveries small."""

from datetime import datetime
from typing import Final

from mailsacd.store.sql import Executor, none

_SOME: Final = 1_000

_forget = none(
    f"""delete from delivery where id in (
            select id from delivery where finished < %(before)s::timestamptz limit {_SOME})"""  # noqa: S608  no input in it
)

# From account to account by the index
_forget_surplus = none(
    f"""with recursive whose (account) as (
            select min(account) from delivery
            union all
            select (select min(account) from delivery where account > whose.account)
            from whose where account is not null
        )
        delete from delivery where id in (
            select old.id from whose cross join lateral (
                select id from delivery where delivery.account = whose.account
                order by id desc offset %(most)s limit {_SOME}
            ) old where whose.account is not null)"""  # noqa: S608  no input in it
)


async def forget_ended(db: Executor, before: datetime) -> int:
    """Delete some of the deliveries that ended before ``before``. Returns how many."""
    return await _forget(db, before=before)


async def forget_surplus(db: Executor, most: int) -> int:
    """Delete some of what each account has beyond its ``most`` newest. Returns how many."""
    return await _forget_surplus(db, most=most)
