"""Statements on faults: plans of domains, what was provoked, and how often something was tried."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from twisted.logger import Logger

from mailsacd.core.fault_plan import FaultPlan, ProvokedFacts
from mailsacd.store.sql import Executor, column, many, maybe, none, one

KEPT: Final = 200
"""Of each domain so many provoked faults are told, the last ones."""
MAX_COUNTS: Final = 1_000
"""Of each domain so many senders and rules are counted; of more, the oldest begin anew."""
COUNTS_DAYS: Final = 1
"""What was begun to be counted longer ago is forgotten, unless it is the count of a rule."""
MAX_PLANS: Final = 2_000
"""There are so many plans in all, which each process has in memory."""

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvokedFault:
    """A fault that was provoked, as the ``number``-th of its domain."""

    number: int
    time: datetime
    facts: ProvokedFacts


def _plan(text: str) -> FaultPlan:
    return msgspec.json.decode(text, type=FaultPlan)


def _provoked(number: int, time: datetime, facts: str) -> ProvokedFault:
    read = msgspec.json.decode(facts, type=ProvokedFacts)
    return ProvokedFault(number=number, time=time, facts=read)


_set = none(
    """insert into fault_plan (domain, owner, plan) values (%(domain)s, %(owner)s, %(plan)s)
       on conflict (domain, owner) do update set plan = excluded.plan"""
)
_remove = none("delete from fault_plan where domain = %(domain)s and owner = %(owner)s")
_find: maybe[tuple[FaultPlan, int]] = maybe(
    lambda plan, provoked: (_plan(plan), provoked),
    "select plan, provoked from fault_plan where domain = %(domain)s and owner = %(owner)s",
)
_in_force: many[tuple[str, str, str]] = many(
    lambda domain, owner, plan: (domain, owner, plan),
    f"""select fault_plan.domain, fault_plan.owner, plan from fault_plan
        join domain on domain.name = fault_plan.domain and domain.owner = fault_plan.owner
        where domain.verified and (%(all)s::boolean or fault_plan.domain = any(%(domains)s::text[]))
        limit {MAX_PLANS}""",  # noqa: S608  no input in it
)
_count_plans: one[tuple[int, int]] = one(
    lambda total, own: (total, own),
    "select count(*), count(*) filter (where owner = %(owner)s) from fault_plan",
)
_add = none(
    f"""with more as (
            update fault_plan set provoked = provoked + %(count)s::bigint
            where domain = %(domain)s and owner = %(owner)s returning provoked
        ), numbered as (
            select provoked - cardinality(%(facts)s::text[]) + place as number, time, facts
            from more, unnest(%(times)s::timestamptz[], %(facts)s::text[])
                with ordinality noted (time, facts, place)
        )
        insert into provoked_fault (domain, owner, slot, number, provoked, facts)
        select %(domain)s, %(owner)s, mod(number, {KEPT})::integer, number, time, facts
        from numbered
        on conflict (domain, owner, slot) do update
        set number = excluded.number, provoked = excluded.provoked, facts = excluded.facts"""  # noqa: S608  no input in it
)
_list = many(
    _provoked,
    """select number, provoked, facts from provoked_fault
       where domain = %(domain)s and owner = %(owner)s order by number desc limit %(limit)s""",
)
_count: one[int] = one(
    column,
    """insert into fault_count as known (domain, key, tries, since)
       values (%(domain)s, %(key)s, 1, now())
       on conflict (domain, key) do update set
           tries = case when known.since < now() - make_interval(secs => %(window_s)s::int)
               then 1 else known.tries + 1 end,
           since = case when known.since < now() - make_interval(secs => %(window_s)s::int)
               then now() else known.since end
       returning tries""",
)
_forget_surplus = none(
    f"""delete from fault_count where (domain, key) in (
            select domain, key from fault_count where domain = %(domain)s
            order by since desc offset {MAX_COUNTS})"""  # noqa: S608  no input in it
)
_forget_counts = none("delete from fault_count where domain = %(domain)s")
_forget_old = none(
    f"""delete from fault_count where since < now() - interval '{COUNTS_DAYS} days'
        and (not starts_with(key, '#') or not exists (
            select from fault_plan where fault_plan.domain = fault_count.domain))"""  # noqa: S608  no input in it
)


async def set_plan(db: Executor, domain: str, owner: str, plan: FaultPlan) -> None:
    """Set what the owner of a domain has set up; what was counted for it begins anew."""
    await _set(db, domain=domain, owner=owner, plan=msgspec.json.encode(plan).decode())
    await _forget_counts(db, domain=domain)


async def remove_plan(db: Executor, domain: str, owner: str) -> bool:
    """Remove it, with all that is told of it. Returns False when there was none."""
    return await _remove(db, domain=domain, owner=owner) > 0


async def find_plan(db: Executor, domain: str, owner: str) -> tuple[FaultPlan, int] | None:
    """Return a plan, and how many faults were provoked by it; None when there is none."""
    return await _find(db, domain=domain, owner=owner)


async def count_plans(db: Executor, owner: str) -> tuple[int, int]:
    """Return how many plans there are, and how many are of that account."""
    return await _count_plans(db, owner=owner)


async def plans_in_force(
    db: Executor, domains: Collection[str] | None = None
) -> dict[str, tuple[str, FaultPlan]]:
    """Return the plans of proved owners of ``domains``, or of all: (owner, plan) by domain.

    One that a newer mailsacd has written, and that is not understood here, is left out.
    """
    found = {}
    for domain, owner, plan in await _in_force(
        db, all=domains is None, domains=list(domains or ())
    ):
        try:
            found[domain] = (owner, _plan(plan))
        except msgspec.ValidationError as e:
            _log.warn("the faults of {domain} are not known here: {why}", domain=domain, why=str(e))
    return found


async def add_provoked(
    db: Executor,
    domain: str,
    owner: str,
    last: Sequence[tuple[datetime, ProvokedFacts]],
    count: int,
) -> None:
    """Take note of ``count`` faults, if the plan is still there: of the ``last`` of them, at most
    KEPT, each in the place of the one KEPT before it."""
    times = [time for time, _ in last]
    told = [msgspec.json.encode(facts).decode() for _, facts in last]
    await _add(db, domain=domain, owner=owner, times=times, facts=told, count=count)


async def list_provoked(
    db: Executor, domain: str, owner: str, *, limit: int = KEPT
) -> list[ProvokedFault]:
    """Return what was provoked last, the newest first."""
    return await _list(db, domain=domain, owner=owner, limit=limit)


async def count_try(db: Executor, domain: str, key: str, *, window_s: int) -> int:
    """Count one more of ``key``. Returns how many there were since the first, which was at most
    ``window_s`` seconds ago: after that it is the first again."""
    tries = await _count(db, domain=domain, key=key, window_s=window_s)
    if tries == 1:
        await _forget_surplus(db, domain=domain)
    return tries


async def forget_old_counts(db: Executor) -> None:
    """Delete counts of long ago."""
    await _forget_old(db)
