"""Statements on what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailsacd.core.activity import THROTTLED, Event
from mailsacd.core.token import time_of
from mailsacd.store.sql import Executor, many, none

_SOME: Final = 10_000

MAX_THROTTLED: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """How often somebody (a peer, domain, address or account) was too fast, and when ``last``."""

    subject: str
    account: str | None
    slowed: int
    sent_away: int
    last: datetime


def _throttled(
    subject: str, account: str | None, slowed: int, sent_away: int, last_id: str
) -> Throttled:
    return Throttled(
        subject=subject,
        account=account,
        slowed=slowed,
        sent_away=sent_away,
        last=time_of(last_id),
    )


# An account may be gone since, and another one have its name: which was made after that event.
_insert = none(
    """insert into activity (id, account, kind, code, subject, detail, times)
       select id, account, kind, nullif(code, 0), subject, detail, times
       from unnest(%(ids)s::text[], %(accounts)s::text[], %(kinds)s::text[], %(codes)s::integer[],
           %(subjects)s::text[], %(details)s::text[], %(times)s::integer[],
           %(firsts)s::timestamptz[])
           as event (id, account, kind, code, subject, detail, times, first)
       where account is null or exists (
           select from account whose where whose.name = event.account and not removing
               and date_trunc('milliseconds', created) <= first)
       on conflict (id) do update set times = activity.times + excluded.times
           where excluded.subject = '*'"""  # of what is only counted there is a row an hour
)
_list = many(
    Event,
    """select id, account, kind, code, subject, detail, times from activity
       where account = %(account)s and id < %(before)s and id >= %(from)s
           and (%(kind)s::text is null or kind = %(kind)s::text)
       order by id desc limit %(limit)s offset %(skip)s""",
)
_list_about = many(
    Event,
    """select id, account, kind, code, subject, detail, times from activity
       where account = %(account)s and id >= %(from)s
           and split_part(subject, '@', -1) = %(domain)s::text
       order by id desc limit %(limit)s""",
)
_throttled_since = many(
    _throttled,
    f"""select subject, account,
            (coalesce(sum(times) filter (where code is null), 0))::bigint as slowed,
            (coalesce(sum(times) filter (where code is not null), 0))::bigint as sent_away, max(id)
        from activity where id >= %(from)s and kind = '{THROTTLED}'
        group by subject, account
        order by sum(times) desc, subject, account limit {MAX_THROTTLED}""",  # noqa: S608  no input in it
)
_forget = none(
    f"""delete from activity where id in (
            select id from activity where id < %(before)s order by id limit {_SOME})"""  # noqa: S608  no input in it
)


async def add_events(db: Executor, events: Sequence[Event]) -> None:
    """Store events. Those whose ids are stored already are left alone.

    But for what is only counted (its subject is ``*``): there the times are added up.

    Those of accounts that were removed since are left out, whoever has their names by now.
    """
    await _insert(
        db,
        ids=[e.id for e in events],
        accounts=[e.account for e in events],
        kinds=[e.kind for e in events],
        codes=[e.code or 0 for e in events],
        subjects=[e.subject for e in events],
        details=[e.detail for e in events],
        times=[e.times for e in events],
        firsts=[time_of(e.id) for e in events],
    )


async def list_events(
    db: Executor,
    account: str,
    *,
    kind: str | None = None,
    ids: tuple[str, str],
    limit: int,
    skip: int,
) -> list[Event]:
    """Return an account's events, newest first, ``limit`` at most after the first ``skip``.

    Their ids are from the first of ``ids`` up to below the second. They are of one ``kind``, or of
    each.
    """
    params = {
        "account": account,
        "kind": kind,
        "from": ids[0],
        "before": ids[1],
        "limit": limit,
        "skip": skip,
    }
    return await _list(db, **params)


async def list_events_about(
    db: Executor, account: str, domain: str, *, from_id: str, limit: int
) -> list[Event]:
    """Return an account's events about a domain and addresses of it, newest first.

    They are ``limit`` at most, with ids from ``from_id`` on.
    """
    params = {"account": account, "domain": domain, "from": from_id, "limit": limit}
    return await _list_about(db, **params)


async def list_throttled(db: Executor, from_id: str) -> list[Throttled]:
    """Return who was too fast since the events with ids from ``from_id`` on, most often first."""
    return await _throttled_since(db, **{"from": from_id})


async def forget_events(db: Executor, before_id: str) -> bool:
    """Delete some of the events with ids below ``before_id``. Returns whether there may be more."""
    return await _forget(db, before=before_id) == _SOME
