"""What is kept of the mail, as parts of statements, and the limits that these go by.

Whoever reads mail applies the limits, so what is beyond one is there for nobody from that moment
on, however long it takes until the recycler has removed it. An inbox has the newest messages of
those that are nobody's, and these for some days. An account has so many messages in all that it
owns or starred; beyond that its oldest unstarred ones are left out, and starred ones only when
these alone are too many.
"""

from collections.abc import Mapping
from typing import Final

from mailsacd.store.sql import Executor, none

UNLIMITED: Final = 2**53

PUBLIC: Final = "message.owner is null and message.saved_by is null"
"""Rows of messages that are nobody's."""

OLDEST_PUBLIC: Final = (
    "coalesce((select now() - public_max_age from retention), '-infinity'::timestamptz)"
)
"""Public messages that were received before then are not kept."""

# A node whose clock was wrong is not to fill an inbox with mail that stays the newest for years
LATEST_PUBLIC: Final = "(now() + interval '1 day')"

PER_INBOX: Final = f"coalesce((select public_per_inbox from retention), {UNLIMITED})"  # noqa: S608  no input in it
MOST_PER_INBOX: Final = 10_000
"""A larger limit is none: to find out whether an inbox has more, so many rows are looked at."""
# 1, or 0: nothing is looked for then
IS_LIMITED: Final = f"(select count(*) from retention where public_per_inbox <= {MOST_PER_INBOX})"  # noqa: S608  as above


def newest_beyond(inbox: str) -> str:
    """Return the select of the newest id of ``inbox`` (SQL) that is beyond the limit of an inbox.

    All public ones with lower ids are, too. There is none where an inbox has no more than it may.
    """
    return f"""(select newer.id from message newer
        where newer.inbox = {inbox} and newer.owner is null and newer.saved_by is null
            and newer.received < {LATEST_PUBLIC}
        order by newer.id desc offset {PER_INBOX} limit {IS_LIMITED})"""  # noqa: S608  as above


# Of an account: what counts for it (see schema 0017), and how much may
_STANDING: Final = f"""select coalesce(sum(held), 0)::bigint as held,
        coalesce(sum(starred), 0)::bigint as starred,
        coalesce((select coalesce((overrides ->> 'message_limit')::bigint, its.message_limit,
                                  usual.message_limit)
                  from account left join plan_limit its on its.plan = account.plan
                      left join plan_limit usual on usual.plan = ''
                  where account.name = {{0}}), {UNLIMITED}) as most
    from (select held, starred from mail_count where account = {{0}} and domain = ''
          union all
          select held, starred from count_change where account = {{0}}) counted"""  # noqa: S608  as above


def standing(account: str) -> str:
    """Return the select of ``held``, ``starred`` and the limit ``most`` of ``account`` (SQL)."""
    return _STANDING.format(account)


def _account_beyond(account: str, rows: str, have: str, keep: str) -> str:
    """Return the select of the newest of ``rows`` that are beyond a limit: nothing, if none is.

    It is looked for from the end that it is nearer to.
    """
    one_row = f"select beyond.id from message beyond where {rows} order by beyond.id"  # noqa: S608  as above
    return f"""(select case when have - keep <= keep
            then ({one_row} offset have - keep - 1 limit 1)
            else ({one_row} desc offset keep limit 1) end
        from (select {have} as have, {keep} as keep from ({standing(account)}) standing) limits
        where have > keep)"""  # noqa: S608  as above


def _unstarred_beyond(account: str) -> str:
    return _account_beyond(
        account,
        f"beyond.owner = {account} and beyond.saved_by is null",
        "held - starred",
        "greatest(most - starred, 0)",
    )


def _starred_beyond(account: str) -> str:
    return _account_beyond(account, f"beyond.saved_by = {account}", "starred", "most")


def kept_of_account(account: str) -> str:
    """Return the condition that a row that counts for ``account`` (SQL) is within its limit.

    An ``account`` that is a parameter is looked at once a statement, a column for each row.
    """
    return f"""case when message.saved_by is null
        then message.id > coalesce({_unstarred_beyond(account)}, '')
        else message.id > coalesce({_starred_beyond(account)}, '') end"""


def beyond_of_account(account: str) -> str:
    """Return the condition of rows that count for ``account`` (SQL) and are beyond its limit."""
    return f"""(message.owner = {account} and message.saved_by is null
            and message.id <= {_unstarred_beyond(account)}
        or message.saved_by = {account} and message.id <= {_starred_beyond(account)})"""


def kept(inbox: str, viewer: str = "null") -> str:
    """Return the condition that a row of ``inbox`` (SQL) is within the limits, whosever it is.

    A parameter is looked at once a statement, a column for each row. ``viewer`` is the account
    that most rows are of.
    """
    holder = "coalesce(message.saved_by, message.owner)"
    return f"""case when {PUBLIC}
        then message.received >= {OLDEST_PUBLIC} and message.received < {LATEST_PUBLIC}
            and message.id > coalesce({newest_beyond(inbox)}, '')
        when {holder} = {viewer} then {kept_of_account(viewer)}
        else {kept_of_account(holder)} end"""


_keep_limits = none(
    """insert into retention (public_per_inbox, public_max_age)
       values (%(per_inbox)s, make_interval(days => %(days)s))
       on conflict (single) do update set public_per_inbox = excluded.public_per_inbox,
           public_max_age = excluded.public_max_age
       where retention is distinct from excluded"""
)
_keep_plans = none(
    """insert into plan_limit (plan, message_limit)
       select plan, message_limit
       from unnest(%(plans)s::text[], %(limits)s::bigint[]) known (plan, message_limit)
       order by plan collate "C"
       on conflict (plan) do update set message_limit = excluded.message_limit
       where plan_limit is distinct from excluded"""
)
_forget_plans = none("delete from plan_limit where plan <> all(%(plans)s::text[])")


async def keep_limits(
    db: Executor, *, per_inbox: int, days: int, plans: Mapping[str, int], default_plan: str
) -> None:
    """Have all nodes go by these limits from now on, within a transaction.

    They are for public mail, and for what an account holds, by the names of ``plans``.
    """
    limits = {"": plans[default_plan], **plans}
    await _keep_limits(db, per_inbox=per_inbox, days=days)
    await _keep_plans(db, plans=list(limits), limits=list(limits.values()))
    await _forget_plans(db, plans=list(limits))
