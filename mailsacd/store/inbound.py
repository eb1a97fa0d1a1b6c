"""Statements on mail that came in, counted by account and domain, by the day and by the month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from mailsacd.store.sql import Executor, many, none

PUBLIC: Final = ""
"""The account that public mail is counted under, all of it without its domain."""

MAX_LISTED: Final = 10_000
_SOME: Final = 10_000


@dataclass(frozen=True, slots=True)
class Inbound:
    """Mail of a day, or of a month: ``since`` is its first day; ``bytes`` are of raw messages."""

    since: date
    domain: str
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class NewInbound:
    """Mail of a day to be added to what is stored, the first of it received at ``first``."""

    account: str
    day: date
    domain: str
    messages: int
    bytes: int
    first: datetime


# An account may be gone since, and another one have its name: which was made after that mail.
_add = none(
    f"""insert into inbound (account, monthly, since, domain, messages, bytes)
        select came.account, monthly,
            case when monthly then date_trunc('month', day)::date else day end,
            domain, sum(messages), sum(bytes)
        from unnest(%(accounts)s::text[], %(days)s::text[]::date[], %(domains)s::text[],
            %(messages)s::bigint[], %(bytes)s::bigint[], %(firsts)s::timestamptz[])
            as came (account, day, domain, messages, bytes, first)
        cross join (values (true), (false)) period (monthly)
        where came.account = '{PUBLIC}' or exists (
            select from account where name = came.account and not removing
                and date_trunc('milliseconds', created) <= came.first)
        group by 1, 2, 3, 4
        order by came.account collate "C", monthly, 3, domain collate "C"
        on conflict (account, monthly, since, domain) do update
            set messages = inbound.messages + excluded.messages,
                bytes = inbound.bytes + excluded.bytes"""  # noqa: S608  no input in it
)
_list = many(
    Inbound,
    f"""select since, domain, messages, bytes from inbound
        where account = %(account)s and monthly = %(monthly)s::boolean
            and since >= %(since)s::date
            and (%(domain)s::text is null or domain = %(domain)s::text)
        order by since desc, messages desc, domain limit {MAX_LISTED}""",  # noqa: S608  as above
)
_forget = none(
    f"""delete from inbound where (account, monthly, since, domain) in (
            select account, monthly, since, domain from inbound
            where monthly = %(monthly)s::boolean and since < %(before)s::date limit {_SOME})"""  # noqa: S608  as above
)


async def add_inbound(db: Executor, came: Sequence[NewInbound]) -> None:
    """Add to what was counted before: to the days, and to their months.

    That of accounts that were removed since is left out, whoever has their names by now.
    """
    await _add(
        db,
        accounts=[c.account for c in came],
        days=[c.day.isoformat() for c in came],
        domains=[c.domain for c in came],
        messages=[c.messages for c in came],
        bytes=[c.bytes for c in came],
        firsts=[c.first for c in came],
    )


async def list_inbound(
    db: Executor, account: str, since: date, *, monthly: bool, domain: str | None = None
) -> list[Inbound]:
    """Return what came in for an account from ``since`` on, by months or by days.

    Newest first, MAX_LISTED at most; of one ``domain``, or of each.
    """
    return await _list(db, account=account, monthly=monthly, since=since.isoformat(), domain=domain)


async def forget_inbound(db: Executor, before: date, *, monthly: bool) -> bool:
    """Delete some counts of months, or of days, before ``before``.

    Returns whether there may be more.
    """
    return await _forget(db, monthly=monthly, before=before.isoformat()) == _SOME
