"""Looks for mail that was stored, on whatever node: which events are new since the last look.

One look at a time. A notice wakes it, and a timer while notices may be missed; nothing is asked
while nobody needs it. So a lost notice or connection costs time, and never a message.

What a look has found is held for a moment before anybody is told: the sender has its 250 by then,
and has gone on. So a program that begins to wait for a message when its mailer says "sent" gets it.
"""

from collections import deque
from collections.abc import Awaitable
from math import inf
from typing import Any, Final, Protocol

from twisted.internet.task import deferLater

from mailsacd.core.errors import UnavailableError
from mailsacd.core.event import Snapshot
from mailsacd.mail.push.replay import EVENTS_LAST_MS
from mailsacd.store.events import Events, current_snapshot, events_after, snapshot_before
from mailsacd.store.notices import MAIL, Notices
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop
from mailsacd.work.sharing import Sharing

TICK_S: Final = 0.5  # between looks while notices may be missed, and while the database is away
LOOK_AT_LEAST_EVERY_S: Final = 1.0  # a node may have died before it gave its notice
MIN_GAP_S: Final = 0.004  # between the beginnings of two looks
MAX_HELD: Final = 12  # looks whose events are held; those of one are bounded, too (store.events)


class Follower(Protocol):
    """Whom the poller tells of new events."""

    @property
    def is_listening(self) -> bool:
        """Whether anybody needs to be told."""

    def found(self, events: Events) -> None:
        """These are new, and held. May not raise."""

    def tell(self, seen: Snapshot, events: Events) -> Awaitable[None]:
        """These are new since ``seen``. No UnavailableError."""

    def missed(self) -> None:
        """Events may have been missed: they are no longer there, or the database is another."""

    def failed(self) -> None:
        """There was a defect; it begins anew with the next who needs it."""


class Poller:
    """``seen`` is what the last look saw, and None while nobody needs it.

    Events are told ``hold_s`` after they were found.
    """

    def __init__(
        self,
        database: Database,
        notices: Notices,
        follower: Follower,
        *,
        hold_s: float,
        reactor: Any,
    ) -> None:
        self.seen: Snapshot | None = None
        self._hold_s = hold_s
        self._gap_s = max(MIN_GAP_S, hold_s / (MAX_HELD - 2))
        self._held: deque[tuple[float, Snapshot, Events]] = deque()
        self._database = database
        self._notices = notices
        self._follower = follower
        self._reactor = reactor
        self._beginning: Sharing[str, None] = Sharing()
        self._due = False
        self._looked_s = self._began_s = 0.0
        self._may_have_missed = True
        self._looking = Loop("look for new mail", self._look_if_due, every_s=TICK_S, clock=reactor)
        self._telling = Loop("push mail", self._tell, every_s=inf, clock=reactor)
        self.start = self._looking.start
        notices.subscribe(MAIL, lambda _: self.wake(), self._lost_notices)

    async def stop(self) -> None:
        """Look no more; returns when nobody is being told of anything."""
        await self._looking.stop()
        await self._telling.stop()

    async def begin(self) -> None:
        """Know from where to look, unless that is known. Raises UnavailableError."""
        await self._beginning.get("begin", self._begin)

    def rest(self) -> None:
        """Forget that, if nobody needs it any more."""
        if not self._follower.is_listening and not self._looking.is_running:
            self._forget()

    def wake(self) -> None:
        """Look for new mail, now or as soon as the look that is under way has ended."""
        self._due = True
        if self.seen is not None:
            self._looking.wake()

    async def pause(self) -> None:
        """Wait a little for the database to come back."""
        await deferLater(self._reactor, TICK_S)

    async def _begin(self) -> None:
        if self.seen is None:
            self.seen = await self.before_the_held()
            self._looked_s = self._reactor.seconds()
            self.wake()

    async def before_the_held(self) -> Snapshot:
        """Return a snapshot of what is stored, but for what nobody was told of yet.

        Raises UnavailableError. Twice the time, since an event is as old as its transaction.
        """
        if not self._hold_s:
            return await current_snapshot(self._database)
        return await snapshot_before(self._database, int(2_000 * self._hold_s))

    def _forget(self) -> None:
        self.seen = None
        self._held.clear()

    def _lost_notices(self) -> None:
        self._may_have_missed = True
        self.wake()

    async def _look_if_due(self) -> float | None:
        if not self._follower.is_listening or len(self._held) >= MAX_HELD or not self._is_due():
            return None
        gap_s = self._began_s + self._gap_s - self._reactor.seconds()
        if gap_s > 0:
            await deferLater(self._reactor, gap_s)
        self._began_s = self._reactor.seconds()
        self._due = False
        try:
            await self._look()
        except UnavailableError:
            self._due = True
            raise
        except Exception:
            self._fail()
            raise
        finally:
            if not self._follower.is_listening:
                self._forget()
        return 0 if self._due else None

    def _is_due(self) -> bool:
        """Whether there is something to look for, or may be something that nobody told of."""
        missed, self._may_have_missed = self._may_have_missed, not self._notices.listening
        since_s = self._reactor.seconds() - self._looked_s
        return self._due or missed or since_s > LOOK_AT_LEAST_EVERY_S

    async def _look(self) -> None:
        seen = self.seen
        if seen is None:
            return
        events = await events_after(self._database, seen)
        self._looked_s = self._reactor.seconds()
        if _is_next(seen, events.now):
            self._held.append((self._looked_s + self._hold_s, seen, events))
            self._telling.wake()
            self.seen = events.reached
            self._due = self._due or events.more
            self._follower.found(events)
        else:
            self._held.clear()
            self._follower.missed()
            self.seen = events.now

    async def _tell(self) -> None:
        while self._held:
            wait_s = self._held[0][0] - self._reactor.seconds()
            if wait_s > 0:
                await deferLater(self._reactor, wait_s)
                continue  # they may have been forgotten meanwhile
            _, seen, events = self._held.popleft()
            try:
                await self._follower.tell(seen, events)
            except Exception:
                self._fail()
                raise
            if self._due:
                self._looking.wake()

    def _fail(self) -> None:
        self._held.clear()
        self._follower.failed()


def _is_next(seen: Snapshot, now: Snapshot) -> bool:
    """Whether all that came after ``seen`` is still there, and the database the same."""
    return now.next_xid >= seen.next_xid and now.taken_ms - seen.taken_ms <= EVENTS_LAST_MS
