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


def kept_of_inbox(inbox: str) -> str:
    """Return the condition that a row of ``inbox`` (SQL) is within the limits, whosever it is.

    An ``inbox`` that is a parameter is looked at once a statement, a column for each row.
    """
    first_beyond = f"""(select newer.id from message newer
        where newer.inbox = {inbox} and newer.owner is null and newer.saved_by is null
            and newer.received < {LATEST_PUBLIC}
        order by newer.id desc offset {PER_INBOX} limit 1)"""  # noqa: S608  as above
    return f"""case when {PUBLIC}
        then message.received >= {OLDEST_PUBLIC} and message.received < {LATEST_PUBLIC}
            and message.id > coalesce({first_beyond}, '')
        else true end"""


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
