"""The recycler: removes what is beyond the limits, from which moment on nobody sees it anyway.

It goes by what is stored, commit by commit: only inboxes that got mail can have too much, so the
work is that of the new mail, however much is kept. What is too old is at the beginning of an index.
It works in short transactions, each of which writes down how far it has come. One that is broken
off by a crash is done again, and whoever has locked that one row is the recycler, of all nodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from mailsacd.core.activity import RECYCLED
from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.mail.records.activity import Activity
from mailsacd.store import recycling as store
from mailsacd.store.events import current_snapshot, events_after
from mailsacd.store.pool import Database
from mailsacd.store.recycling import Progress
from mailsacd.store.transaction import Transaction
from mailsacd.work.loop import Loop

LOOK_EVERY_S: Final = 1.0
"""New mail is looked after so soon, and not sooner: who listens has been told of it by then."""
LOOK_AT_LEAST_EVERY_S: Final = 10.0
RECORD_EVERY_S: Final = 60.0

BEYOND: Final = "more than the newest of their inboxes"
TOO_OLD: Final = "too old"


class Recycler:
    """An observer of ingest: what was stored wakes it."""

    def __init__(self, database: Database, activity: Activity, *, reactor: Any) -> None:
        self._database = database
        self._activity = activity
        self._reactor = reactor
        self._due = True
        self._looked_s = self._recorded_s = 0.0
        self._oldest_gone: datetime | None = None  # nothing public is from before
        self._just_removed: dict[str, int] = {}  # in the transaction under way
        self._removed: dict[str, int] = {}  # and is to be recorded
        self._recycling = Loop("recycle mail", self._step, every_s=LOOK_EVERY_S, clock=reactor)
        self.start = self._recycling.start
        self.run_now = self._recycling.run_now

    async def stop(self) -> None:
        """End, with what is under way."""
        await self._recycling.stop()
        self._record()

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:  # noqa: ARG002  an Observer
        """Have what was stored looked after soon."""
        self._due = True

    async def _step(self) -> float | None:
        now = self._reactor.seconds()
        if not self._due and now - self._looked_s < LOOK_AT_LEAST_EVERY_S:
            return None
        self._looked_s, self._due = now, False
        self._just_removed = {}
        try:
            more = await self._database.transaction(self._recycle)
        except BaseException:
            self._due = True
            raise
        for why, count in self._just_removed.items():
            self._removed[why] = self._removed.get(why, 0) + count
        if now - self._recorded_s >= RECORD_EVERY_S:
            self._recorded_s = now
            self._record()
        return 0.0 if more else None

    async def _recycle(self, transaction: Transaction) -> bool:
        """Do some of what is to be done; whether there is more."""
        progress = await store.take_turn(transaction)
        if progress is None:
            return False
        before = progress
        progress = await store.sweep_begun(transaction, progress)
        progress, more = await self._follow(transaction, progress)
        more = await self._age(transaction) or more
        if progress.sweep is not None and not more:
            progress, more = await self._sweep(transaction, progress)
        if progress != before:
            await store.keep_progress(transaction, progress)
        return more

    async def _follow(
        self, transaction: Transaction, progress: Progress
    ) -> tuple[Progress, bool]:
        """Look after the mail that was stored since the last time."""
        seen = progress.seen
        now = await current_snapshot(transaction)
        if seen is None or now.next_xid < seen.next_xid:
            return replace(progress, seen=now), False
        if not await store.is_all_there(transaction, seen):
            return await store.sweep_begun(transaction, replace(progress, seen=None)), True
        events = await events_after(transaction, seen)
        inboxes = {
            arrival.inbox
            for _, arrival in events.arrivals
            if arrival.owner is None and arrival.saved_by is None
        }
        if not await self._remove_beyond(transaction, sorted(inboxes)):
            progress = replace(progress, seen=events.reached)
            return progress, events.more
        return progress, True

    async def _sweep(self, transaction: Transaction, progress: Progress) -> tuple[Progress, bool]:
        """Look after some of all public mail."""
        inboxes, swept = await store.inboxes_to_sweep(transaction, progress)
        if await self._remove_beyond(transaction, inboxes):
            return progress, True
        if swept is None:
            return replace(progress, sweep=None, swept=None), False
        return replace(progress, swept=swept), True

    async def _remove_beyond(self, transaction: Transaction, inboxes: Sequence[str]) -> bool:
        """Remove what these inboxes have too much; whether there may be more of that."""
        removed = await store.remove_beyond(transaction, inboxes) if inboxes else 0
        self._count(BEYOND, removed)
        return removed >= store.BATCH

    async def _age(self, transaction: Transaction) -> bool:
        """Remove some of what is too old; whether there may be more of that."""
        removed, latest = await store.remove_too_old(transaction, self._oldest_gone)
        # What was removed is in the index until it is vacuumed: not to be passed over each time.
        # A star that was taken off may have left something there, so it is begun anew in between.
        self._oldest_gone = latest
        removed += await store.remove_too_new(transaction)
        self._count(TOO_OLD, removed)
        return removed >= store.BATCH

    def _count(self, why: str, removed: int) -> None:
        if removed:
            self._just_removed[why] = self._just_removed.get(why, 0) + removed

    def _record(self) -> None:
        """Tell the operator what was removed since the last time."""
        removed, self._removed = self._removed, {}
        for why, count in removed.items():
            self._activity.record(
                RECYCLED, account=None, subject="public mail", detail=f"{count} messages: {why}"
            )
