"""Statements on how much waits to be done, for the operator's figures: each in bounded time."""

from dataclasses import dataclass
from typing import Final

from mailsacd.store.sql import Executor, one

MOST_COUNTED: Final = 100_000
"""What waits is counted up to here: more would take the database too long, and is too much."""


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


async def waiting_deliveries(db: Executor) -> Waiting:
    """Return how many deliveries to webhooks and Slack are still to be made."""
    return await _deliveries(db)
