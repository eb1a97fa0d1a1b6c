"""The recycler: removes what is beyond the limits, from which moment on nobody sees it anyway.

It goes by what is stored, commit by commit: only an inbox or an account that got mail can have too
much, so the work is that of the new mail, however much is kept. What is too old is at the beginning
of an index. It works in short transactions, each of which writes down how far it has come: one
that is broken off is done again. Whoever has locked that row is the recycler of all nodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from mailsacd.core.event import Snapshot
from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.mail.recycling.report import Report
from mailsacd.settings import StorageSettings
from mailsacd.store import recycling as store
from mailsacd.store.counts import public_total, total
from mailsacd.store.events import (
    KEPT_FOR_RECYCLER_S,
    Events,
    current_snapshot,
    events_after,
)
from mailsacd.store.notices import ACCOUNTS, Notices
from mailsacd.store.pool import Database
from mailsacd.store.recycling import Progress
from mailsacd.store.transaction import Transaction
from mailsacd.work.loop import Loop

LOOK_EVERY_S: Final = 1.0
"""New mail is looked after so soon, and not sooner: who listens has been told of it by then."""
LOOK_AT_LEAST_EVERY_S: Final = 10.0

MAX_CHANGED: Final = 1_000
"""Accounts that are known to have changed; more are found as all are gone through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """Who got mail in the first events that ``after`` does not see, and how far these reach.

    ``inboxes`` got public mail; accounts that got some are ``holders``.
    """

    after: Snapshot
    inboxes: Sequence[str]
    holders: Sequence[str]
    reached: Snapshot
    more: bool


def _arrived(after: Snapshot, events: Events) -> _Arrived:
    arrivals = [arrival for _, arrival in events.arrivals]
    holders = {arrival.saved_by or arrival.owner for arrival in arrivals}
    public = {each.inbox for each in arrivals if each.owner is None and each.saved_by is None}
    return _Arrived(
        after=after,
        inboxes=sorted(public),
        holders=sorted(filter(None, holders)),
        reached=events.reached,
        more=events.more,
    )


class Recycler:
    """An observer of ingest: what was stored wakes it. ``notices`` tell of accounts that change."""

    def __init__(
        self,
        database: Database,
        settings: StorageSettings,
        report: Report,
        notices: Notices,
        *,
        reactor: Any,
    ) -> None:
        self._database = database
        self._settings = settings
        self._report = report
        self._reactor = reactor
        self._due = True  # there may be something to do
        self._more = False  # there is, at once
        self._looked_s = 0.0
        self._after = ""  # the account up to which all were gone through
        self._round_due_s = 0.0  # not with each of the many steps that a flood takes
        self._changed: set[str] = set()
        self._oldest_gone: datetime | None = None  # nothing public is from before
        # What is beyond goes in several steps; the events are read at the first of them
        self._arrived: _Arrived | None = None
        self._recycling = Loop("recycle mail", self._step, every_s=LOOK_EVERY_S, clock=reactor)
        self.start = self._recycling.start
        notices.subscribe(ACCOUNTS, self.account_changed, lambda: None)

    async def stop(self) -> None:
        """End, with what is under way."""
        await self._recycling.stop()
        self._report.record()

    async def run_now(self) -> None:
        """Look for what is to be removed, now. Returns when nothing is left."""
        self._due, self._round_due_s = True, 0.0
        await self._recycling.run_now()
        while self._more:
            await self._recycling.run_now()

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:  # noqa: ARG002  an Observer
        """Have what was stored looked after soon."""
        self._due = True

    def account_changed(self, account: str) -> None:
        """Look at an account soon: its limit may have changed."""
        if len(self._changed) < MAX_CHANGED:
            self._changed.add(account)
        self._due = True

    async def _step(self) -> float | None:
        now = self._reactor.seconds()
        is_due = self._due or self._more
        if not is_due and now - self._looked_s < LOOK_AT_LEAST_EVERY_S:
            return None
        self._looked_s, self._due, self._more = now, False, True
        try:
            self._more = await self._database.transaction(self._recycle)
        except BaseException:
            self._report.undone()
            raise
        self._report.done(now)
        return 0.0 if self._more else None

    async def _recycle(self, transaction: Transaction) -> bool:
        """Do some of what is to be done. Returns whether that was as much as is done at once."""
        before = await store.take_turn(transaction)
        if before is None:
            self._due = True  # that node may have looked before this one stored something
            return False
        progress = await store.sweep_begun(transaction, before)
        progress, more = await self._follow(transaction, progress)
        more = await self._age(transaction) or more
        more = await self._make_room(transaction) or more
        if self._reactor.seconds() >= self._round_due_s:
            more = await self._go_round(transaction) or more
        if progress.sweep is not None and not more:
            progress, more = await self._sweep(transaction, progress)
        if progress != before:
            await store.keep_progress(transaction, progress)
        return more

    async def _follow(self, transaction: Transaction, progress: Progress) -> tuple[Progress, bool]:
        """Look after the mail that was stored since the last time."""
        seen = progress.seen
        now = await current_snapshot(transaction)
        if seen is None or now.next_xid < seen.next_xid:
            return replace(progress, seen=now), False
        if now.taken_ms - seen.taken_ms > KEPT_FOR_RECYCLER_S * 1000:
            return await store.sweep_begun(transaction, replace(progress, seen=None)), True
        arrived = self._arrived
        if arrived is None or arrived.after != seen:
            arrived = self._arrived = _arrived(seen, await events_after(transaction, seen))
        more = await self._remove_beyond(transaction, arrived.inboxes)
        more = await self._remove_excess(transaction, arrived.holders) or more
        return (progress, True) if more else (replace(progress, seen=arrived.reached), arrived.more)

    async def _sweep(self, transaction: Transaction, progress: Progress) -> tuple[Progress, bool]:
        """Look after some of all public mail."""
        inboxes, swept = await store.inboxes_to_sweep(transaction, progress)
        if await self._remove_beyond(transaction, inboxes):
            return progress, True
        if swept is None:
            return replace(progress, sweep=None, swept=None), False
        return replace(progress, swept=swept), True

    async def _remove_beyond(self, transaction: Transaction, inboxes: Sequence[str]) -> bool:
        """Remove what these inboxes have too much."""
        removed = await store.remove_beyond(transaction, inboxes) if inboxes else 0
        self._report.beyond(removed)
        return removed >= store.BATCH

    async def _age(self, transaction: Transaction) -> bool:
        """Remove some of what is too old."""
        removed, latest = await store.remove_too_old(transaction, self._oldest_gone)
        # What was removed is in the index until it is vacuumed, and is not to be passed over each
        # time. As soon as there is nothing to do, it is looked for from the beginning again.
        self._oldest_gone = latest
        removed += await store.remove_too_new(transaction)
        self._report.too_old(removed)
        return removed >= store.BATCH

    async def _make_room(self, transaction: Transaction) -> bool:
        """Remove some of the oldest public mail, if there is too much in all."""
        settings = self._settings
        everything = await total(transaction)
        messages = everything.held - settings.max_messages
        size = everything.bytes - settings.max_bytes
        if messages <= 0 and size <= 0:
            self._report.has_room()
            return False
        public = await public_total(transaction)
        if size > 0:  # the oldest are as large as the others, as far as anybody knows
            messages = max(messages, -(-size * public.held // max(public.bytes, 1)))
        count = min(messages, store.BATCH)
        removed, self._oldest_gone = await store.remove_oldest(
            transaction, self._oldest_gone, count
        )
        self._report.for_room(removed)
        if not public.held:
            self._report.is_full(everything)
        return removed > 0

    async def _go_round(self, transaction: Transaction) -> bool:
        """Look at the accounts that changed, and at some of all: stars and limits change, too."""
        changed, self._changed = self._changed, set()
        accounts = await store.some_accounts(transaction, self._after)
        if await self._remove_excess(transaction, sorted(changed.union(accounts))):
            self._changed.update(changed)
            return True
        self._round_due_s = self._reactor.seconds() + LOOK_EVERY_S
        is_last = len(accounts) < store.ACCOUNTS_AT_ONCE
        self._after = "" if is_last else accounts[-1]
        return False

    async def _remove_excess(self, transaction: Transaction, accounts: Sequence[str]) -> bool:
        """Remove some of what accounts have beyond their limits."""
        excesses = await store.accounts_over_limit(transaction, accounts) if accounts else ()
        all_removed = 0
        for excess in excesses:
            removed = await store.remove_excess(transaction, excess)
            self._report.excess(excess, removed)
            all_removed += removed
            if all_removed >= store.BATCH:
                break
        return all_removed > 0
