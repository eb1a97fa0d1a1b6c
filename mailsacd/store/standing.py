"""Statements on how much waits to be done, for the operator's figures: each in bounded time."""

from dataclasses import dataclass
from typing import Final

from mailsacd.store.sql import Executor, one

MOST_COUNTED: Final = 100_000
"""What waits is counted up to here: more would take the database too long, and is too much."""
LOOKED_AT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """``count`` wait, MOST_COUNTED at most, and one of them is due for ``overdue_s`` seconds."""

    count: int
    overdue_s: int


_deliveries: one[Waiting] = one(
    Waiting,
    f"""select (select count(*) from (
               select from delivery where due is not null limit {MOST_COUNTED}) waiting),
           coalesce(greatest(extract(epoch from
               now() - (select min(due) from delivery where due is not null)), 0), 0)::bigint""",  # noqa: S608  a number in it
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Recipients of mail that goes out, MOST_COUNTED of each kind at most.

    Those that are ``ready`` may be sent to now; the others are being sent to, or wait for another
    attempt.

    Of LOOKED_AT of each kind, one has been due for ``overdue_s`` seconds, and the oldest message
    has the id ``oldest``; None without any.
    """

    ready: int
    later: int
    overdue_s: int
    oldest: str | None


_OPEN: Final = f"""(
    (select message_id, due from outgoing_recipient
     where ready and state = 'queued' limit {LOOKED_AT})
    union all
    (select message_id, coalesce(claimed_until, due) from outgoing_recipient
     where not ready and state = 'queued' order by coalesce(claimed_until, due) limit {LOOKED_AT})
) looked_at"""  # noqa: S608  a number in it
_outgoing: one[Outgoing] = one(
    Outgoing,
    f"""select (select count(*) from (
               select from outgoing_recipient where ready and state = 'queued'
               limit {MOST_COUNTED}) ready),
           (select count(*) from (
               select from outgoing_recipient where not ready and state = 'queued'
               limit {MOST_COUNTED}) later),
           coalesce(greatest(extract(epoch from now() - min(due)), 0), 0)::bigint,
           min(message_id)
       from {_OPEN}""",  # noqa: S608  numbers and parts of SQL in it
)


async def waiting_deliveries(db: Executor) -> Waiting:
    """Return how many deliveries to webhooks and Slack are still to be made."""
    return await _deliveries(db)


async def open_outgoing(db: Executor) -> Outgoing:
    """Return to how many recipients mail is still to be sent."""
    return await _outgoing(db)
