"""What is kept of the mail, as parts of statements, and the limits that these go by.

Whoever reads mail applies the limits, so what is beyond one is there for nobody from that moment
on, however long it takes until the recycler has removed it. An inbox has the newest messages of
those that are nobody's, and these for some days. An account has so many messages in all that it
owns or starred; beyond that its oldest unstarred ones are left out, and starred ones only when
these alone are too many.
"""

from collections.abc import Mapping
from typing import Final

from mailsacd.store.commit_order import sees
from mailsacd.store.sql import Executor, none

PUBLIC: Final = "message.owner is null and message.saved_by is null"
"""Rows of messages that are nobody's."""

IN_PUBLIC_INDEX: Final = "coalesce(message.owner, message.saved_by) is null"
"""The same as the index of public mail has it, by time: whoever writes this reads that index, and
nobody else does, whatever the planner knows of a new database."""

OLDEST_PUBLIC: Final = (
    "coalesce((select now() - public_max_age from retention), '-infinity'::timestamptz)"
)
"""Public messages that were received before then are not kept."""

LATEST_PUBLIC: Final = "(now() + interval '1 day')"
"""Nor are those of later: they came to a node whose clock was wrong."""


def there(owner: str = "message.owner", saved_by: str = "message.saved_by") -> str:
    """Return the condition that a row is not gone already (store.erasures), or would not be
    if those were its owner and who starred it. Whether anything is gone is asked once a statement.
    """
    return f"""(not (select exists (select from erasure)) or not is_erased({owner}, {saved_by},
        message.private, message.inbox, message.domain, message.id, message.xid))"""  # noqa: S608  as above


def _there_among_many(account: str, starred: str) -> str:
    """Return what `there` does, not by the function: a list may pass over very many rows.

    Each of them takes 2 µs so instead of 8, and every statement 2 µs more.
    """
    return f"""(not (select exists (select from erasure)) or not exists (
    select from erasure
    where account = {account} and (in_domain is null or in_domain = message.domain)
        and (in_inbox is null or in_inbox = message.inbox)
        and message.id between first_id and last_id
        and (takes_private or not message.private)
        and (message.saved_by is null or {starred})
        and (seen is null or message.xid is null or {sees("seen", "message.xid")})))"""  # noqa: S608  as above


THERE_FOR_VIEWER: Final = _there_among_many("%(viewer)s::text", "takes_starred")
"""The same of rows that count for the account ``viewer``, and that it owns."""

THERE_AMONG_MANY: Final = _there_among_many(
    "coalesce(message.owner, '')", "takes_starred and message.saved_by = account"
)
"""What is not gone already, but for its row, where there may be many that are."""

THERE: Final = there()
"""What is not gone already, but for its row."""


# A function that is selected is called once a statement, and only where a row needs it.


def kept_of_account(account: str) -> str:
    """Return the condition that a row is within the limit of ``account``, a parameter.

    The row has to count for that account.
    """
    return f"""message.id > case when message.saved_by is null
        then (select beyond_account({account}, false))
        else (select beyond_account({account}, true)) end"""


def rows_of_account(account: str, *, beyond: bool) -> str:
    """Return the select of the rows that count for ``account``: those beyond its limit, or within.

    It has two parts: for one condition with "or" a large account would be read from end to end.
    """
    are = "<=" if beyond else ">"
    return " union all ".join(
        f"""select message.* from message where {rows} and {THERE_AMONG_MANY}
            and message.id {are} (select beyond_account({account}, {are_starred}))"""  # noqa: S608  as above
        for rows, are_starred in (
            (f"message.owner = {account} and message.saved_by is null", False),
            (f"message.saved_by = {account}", True),
        )
    )


def kept(inbox: str, viewer: str | None = None) -> str:
    """Return the condition that a row is within the limits, whosever it is.

    ``inbox`` is a parameter with the inbox of all rows, or the column. ``viewer`` is a parameter
    with the account that most rows are of that are somebody's.
    """
    beyond_inbox = f"beyond_inbox({inbox})"
    if inbox.startswith("%"):
        beyond_inbox = f"(select {beyond_inbox})"
    holder = "coalesce(message.saved_by, message.owner)"
    of_viewer = f"when {holder} = {viewer} then {kept_of_account(viewer)}" if viewer else ""
    return f"""case when {PUBLIC}
        then message.received >= {OLDEST_PUBLIC} and message.received < {LATEST_PUBLIC}
            and message.id > {beyond_inbox}
        {of_viewer}
        else message.id > beyond_account({holder}, message.saved_by is not null) end"""


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
