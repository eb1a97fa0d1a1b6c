"""Statements on what an account has and has used, as it is told of itself."""

from dataclasses import dataclass
from typing import Final

from mailsacd.store.sql import Executor, one

MAX_NAMED: Final = 1_000
SEND: Final = "send"
"""The kind of use that the recipients of outgoing mail are counted under."""


@dataclass(frozen=True, slots=True)
class Used:
    """What an account has of what its plan allows.

    ``unused_catch_alls`` are verified domains without one. Months are those of UTC.
    """

    addresses: int
    domains: int
    unused_catch_alls: int
    users: int
    ops_this_month: int
    sends_this_month: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept for an account beside its mail (store.counts). Lists have MAX_NAMED at most."""

    addresses: list[str]
    domains: list[str]
    non_owned_inboxes: list[str]
    ops_last_month: int
    default_domain: str | None


_MONTH: Final = "date_trunc('month', now() at time zone 'utc')::date"

# From inbox to inbox, however many messages there are in each
_NEXT_STARRED: Final = """(select min(inbox) from message
    where saved_by = %(account)s::text and saved_by is not null and owner is distinct from saved_by
        {0})"""
_used = one(
    Used,
    f"""select
        (select count(*) from address where owner = %(account)s::text),
        (select count(*) from domain where owner = %(account)s::text and not of_run),
        (select count(*) from domain d where owner = %(account)s::text and verified and not of_run
            and not exists (select 1 from address a
                            where a.email = '*@' || d.name and a.owner = d.owner)),
        (select count(*) from login where account = %(account)s::text and team),
        (select coalesce(sum(count), 0)::bigint from usage
            where account = %(account)s::text and month = {_MONTH} and kind <> '{SEND}'),
        (select coalesce(sum(count), 0)::bigint from usage
            where account = %(account)s::text and month = {_MONTH} and kind = '{SEND}')""",  # noqa: S608  no input in it
)
_stored = one(
    Stored,
    f"""select
        array(select email from address where owner = %(account)s::text
              order by email limit {MAX_NAMED}),
        array(select name from domain where owner = %(account)s::text and not of_run
              order by name limit {MAX_NAMED}),
        array(with recursive starred (name) as (
                  {_NEXT_STARRED.format("")}
                  union all
                  select ({_NEXT_STARRED.format("and inbox > starred.name")})
                  from starred where name is not null
              )
              select name from starred where name is not null limit {MAX_NAMED}),
        (select coalesce(sum(count), 0)::bigint from usage
            where account = %(account)s::text and kind <> '{SEND}'
              and month = ({_MONTH} - interval '1 month')::date),
        (select name from domain where owner = %(account)s::text and is_default
            order by name limit 1)""",  # noqa: S608  no input in it
)


async def used_by(db: Executor, account: str) -> Used:
    """Return what an account has and has used of what its plan allows."""
    return await _used(db, account=account)


async def stored_for(db: Executor, account: str) -> Stored:
    """Return what is kept for an account."""
    return await _stored(db, account=account)
