"""Statements on traces: whom an operator follows, and what was seen."""

from collections.abc import Sequence
from typing import Final

from mailsacd.core.trace import MESSAGE, TraceStep
from mailsacd.store.sql import Executor, many, none

MAX_STEPS: Final = 10_000
"""Of a trace that has so many steps no further ones are stored."""

MAX_TRACES: Final = 100
_LISTED: Final = 1_000

_begin = none(
    f"""insert into trace (id, names, until)
        select %(id)s, %(names)s::text[], now() + %(lease_s)s::int * interval '1 s'
        where (select count(*) from trace) < {MAX_TRACES}"""  # noqa: S608  no input in it
)
_renew = none(
    "update trace set until = now() + %(lease_s)s::int * interval '1 s' where id = %(id)s"
)
_end = none("delete from trace where id = %(id)s")
_open: many[tuple[str, list[str]]] = many(
    lambda trace_id, names: (trace_id, names),
    "select id, names from trace where until > now()",
)
_forget = none("delete from trace where until < now()")
_add = none(
    f"""insert into trace_step (id, trace, session, what, detail)
        select step.id, step.trace, step.session, step.what, step.detail
        from unnest(%(ids)s::text[], %(traces)s::text[], %(sessions)s::text[], %(whats)s::text[],
            %(details)s::text[]) as step (id, trace, session, what, detail)
        join trace on trace.id = step.trace
        where (select count(*) from trace_step there where there.trace = step.trace) < {MAX_STEPS}
        on conflict (id) do nothing"""  # noqa: S608  no input in it
)
_steps = many(
    TraceStep,
    f"""select id, session, what, detail from trace_step
        where trace = %(trace)s and id > %(after)s order by id limit {_LISTED}""",  # noqa: S608  as above
)


_past_messages = many(
    TraceStep,
    f"""select id, '', '{MESSAGE}', id || ' in ' || inbox || ', ' || (fact ->> 'size')
            || ' bytes from ' || (fact ->> 'ip')
            || case when (fact ->> 'rtls')::boolean then ' with TLS' else ' without TLS' end
            || case when fact ->> 'originalInbox' = inbox then ''
                   else ', mailed to ' || (fact ->> 'originalInbox') end
            || coalesce(', through ' || array_to_string(passed, ' and '), '')
        from (
            select id, inbox, passed, (replace(facts, '\\u0000', '\\ufffd') || '}}')::json as fact
            from message where inbox = any(%(inboxes)s::text[])
            order by id desc limit %(limit)s
        ) newest order by id""",  # noqa: S608  no input in it
)
_past_deliveries = many(
    TraceStep,
    """select delivery.id, '', kind, delivery.message_id || ' in ' || delivery.inbox || ', '
            || attempts || ' attempts to ' || target || ': '
            || case when delivered then 'delivered' when finished is not null then 'failed'
                   else 'pending' end
            || coalesce(' ' || code, '') || ' ' || error
        from (
            select id, inbox from message where inbox = any(%(inboxes)s::text[])
            order by id desc limit %(limit)s
        ) newest
        join delivery on delivery.id >= newest.id and delivery.id < newest.id || '~'
            and delivery.message_id = newest.id
        order by delivery.id""",
)


async def begin_trace(db: Executor, trace_id: str, names: Sequence[str], lease_s: int) -> bool:
    """Begin to follow ``names`` for ``lease_s`` seconds. Returns False when too many do."""
    return await _begin(db, id=trace_id, names=list(names), lease_s=lease_s) == 1


async def renew_trace(db: Executor, trace_id: str, lease_s: int) -> bool:
    """Go on for ``lease_s`` seconds. Returns False when the trace is over."""
    return await _renew(db, id=trace_id, lease_s=lease_s) == 1


async def end_trace(db: Executor, trace_id: str) -> None:
    """Delete a trace with its steps."""
    await _end(db, id=trace_id)


async def open_traces(db: Executor) -> list[tuple[str, list[str]]]:
    """Return each trace's id, and the addresses that it follows; delete those that are over."""
    await _forget(db)
    return await _open(db)


async def add_steps(db: Executor, steps: Sequence[tuple[str, TraceStep]]) -> None:
    """Store steps, each with the id of its trace. Those of traces that are over are left out."""
    await _add(
        db,
        ids=[step.id for _, step in steps],
        traces=[trace_id for trace_id, _ in steps],
        sessions=[step.session for _, step in steps],
        whats=[step.what for _, step in steps],
        details=[step.detail for _, step in steps],
    )


async def steps_after(db: Executor, trace_id: str, after_id: str) -> list[TraceStep]:
    """Return a trace's steps with ids above ``after_id``, oldest first, 1,000 at most."""
    return await _steps(db, trace=trace_id, after=after_id)


async def past_messages(db: Executor, inboxes: Sequence[str], *, limit: int) -> list[TraceStep]:
    """Return a step for each of the newest ``limit`` messages of ``inboxes``, oldest first."""
    return await _past_messages(db, inboxes=list(inboxes), limit=limit)


async def past_deliveries(db: Executor, inboxes: Sequence[str], *, limit: int) -> list[TraceStep]:
    """Return a step for each delivery of those messages to a webhook or Slack."""
    return await _past_deliveries(db, inboxes=list(inboxes), limit=limit)
