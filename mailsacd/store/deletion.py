"""Deleting copies of messages, each raw message with its last copy."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from mailsacd.store.raw_messages import IS_RECENT, release
from mailsacd.store.sql import Executor, column, none, one

T = TypeVar("T")

# The lock on the raw makes those who delete the last copies of it at the same time take
# turns: the second one sees the count that the first one left.
_RELEASED: Final = """, counted as (
        select raw_id, count(*) as copies from gone group by raw_id
    ), held as (
        select raw_message.id, refs, copies
        from raw_message join counted on raw_message.id = raw_id
        order by raw_message.id for update of raw_message
    ), unreferenced as (
        delete from raw_message using held
        where raw_message.id = held.id and held.refs <= copies
    ), released as (
        update raw_message set refs = held.refs - copies
        from held where raw_message.id = held.id and held.refs > copies
    )"""

_wait_for_no_disk = none("set local synchronous_commit = off")


class Deletion(Generic[T]):
    """A declared deletion, run like a statement: one statement, or where raw messages are on
    other servers a transaction of several (store.raw_messages).
    """

    def __init__(
        self, row: Callable[..., T], rows: str, answer: str, columns: str = "received"
    ) -> None:
        """Delete ``rows`` (SQL: what comes after ``delete from message``).

        ``answer`` (SQL), of which ``row`` makes what is returned, is made of ``columns`` of the
        copies that are gone.
        """
        gone = f"with gone as (delete from message {rows} returning raw_id, {columns}"  # noqa: S608  parts of SQL, no input
        self._whole = one(row, f"{gone}) {_RELEASED} select {answer} from gone")  # noqa: S608  as above
        self._copies = one(
            lambda *columns: columns,
            f"""{gone}, {IS_RECENT} as is_recent)
                select array(select raw_id from gone),
                    array(select raw_id from gone where is_recent), {answer} from gone""",  # noqa: S608  as above
        )
        self._row = row
        self.text = self._whole.text

    async def __call__(self, db: Executor, **params: object) -> T:
        """Run it with the named parameters."""
        if not db.is_distributed:
            return await self._whole(db, **params)
        return await db.together(lambda transaction: self._apart(transaction, params))

    async def _apart(self, transaction: Executor, params: dict[str, Any]) -> T:
        raw_ids, recent, *answer = await self._copies(transaction, **params)
        await release(transaction, Counter(raw_ids), frozenset(recent))
        return self._row(*answer)


async def wait_for_no_disk(db: Executor) -> None:
    """Have the transaction's commit not wait for the disk: what a crash undoes is done again.

    Where raw messages are on other servers it waits all the same. These would have committed, and
    done again a deletion would take the same copies off their raw messages twice.
    """
    if not db.is_distributed:
        await _wait_for_no_disk(db)


def deletion(rows: str) -> Deletion[int]:
    """Return the Deletion of ``rows`` that answers how many copies there were."""
    return Deletion(column, rows, "count(*)")
