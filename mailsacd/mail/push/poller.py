"""Looks for mail that was stored, on whatever node: which events are new since the last look.

One look at a time. A notice wakes it, and a timer while notices may be missed; nothing is asked
while nobody needs it. So a lost notice or connection costs time, and never a message.
"""

from collections.abc import Awaitable
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, DeferredLock, ensureDeferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from mailsacd.core.errors import UnavailableError
from mailsacd.core.event import Snapshot
from mailsacd.mail.push.replay import EVENTS_LAST_MS
from mailsacd.store.events import Events, current_snapshot, events_after
from mailsacd.store.notices import MAIL, Notices
from mailsacd.store.pool import Database

TICK_S: Final = 0.5  # between looks while notices may be missed, and while the database is away
LOOK_AT_LEAST_EVERY_S: Final = 1.0  # a node may have died before it gave its notice
MIN_GAP_S: Final = 0.004  # between the beginnings of two looks

_log = Logger()


class Follower(Protocol):
    """Whom the watch is for."""

    @property
    def is_listening(self) -> bool:
        """Whether anybody needs it."""

    def tell(self, seen: Snapshot, events: Events) -> Awaitable[None]:
        """These are new since ``seen``. No UnavailableError."""

    def missed(self) -> None:
        """Events may have been missed: they are no longer there, or the database is another."""

    def failed(self) -> None:
        """There was a defect; it begins anew with the next who needs it."""


class Watch:
    """``seen`` is what the last look saw, and None while nobody needs it."""

    def __init__(
        self, database: Database, notices: Notices, follower: Follower, *, reactor: Any
    ) -> None:
        self.seen: Snapshot | None = None
        self._database = database
        self._notices = notices
        self._follower = follower
        self._reactor = reactor
        self._beginning = DeferredLock()
        self._looking: Deferred[None] | None = None
        self._look_again = False
        self._looked_s = 0.0
        self._may_have_missed = True
        self._stopped = False
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = reactor
        notices.subscribe(MAIL, lambda _: self.wake(), self._lost_notices)

    def start(self) -> None:
        """Begin to watch the clock."""
        self._ticking.start(TICK_S, now=False).addErrback(
            lambda f: _log.failure("mail is no longer looked for in time", f)
        )

    async def stop(self) -> None:
        """Look no more; returns when no look is under way."""
        self._stopped = True
        if self._ticking.running:
            self._ticking.stop()
        if self._looking is not None:
            await self._looking

    async def begin(self) -> None:
        """Know from where to look, unless that is known. Raises UnavailableError."""
        await self._beginning.run(lambda: ensureDeferred(self._begin()))

    def rest(self) -> None:
        """Forget that, if nobody needs it any more."""
        if not self._follower.is_listening and self._looking is None:
            self.seen = None

    def wake(self) -> None:
        """Look for new mail, now or as soon as the look that is under way has ended."""
        self._look_again = True
        if self._looking is None and self.seen is not None and not self._stopped:
            self._looking = ensureDeferred(self._look_on())
            self._looking.addErrback(self._failed)
            if self._looking.called:
                self._looking = None

    async def pause(self) -> None:
        """Wait a little for the database to come back."""
        await deferLater(self._reactor, TICK_S)

    async def _begin(self) -> None:
        if self.seen is None:
            self.seen = await current_snapshot(self._database)
            self._looked_s = self._reactor.seconds()

    def _lost_notices(self) -> None:
        self._may_have_missed = True
        self.wake()

    def _tick(self) -> None:
        missed, self._may_have_missed = self._may_have_missed, not self._notices.listening
        since_s = self._reactor.seconds() - self._looked_s
        if self._follower.is_listening and (missed or since_s > LOOK_AT_LEAST_EVERY_S):
            self.wake()

    async def _look_on(self) -> None:
        while self._look_again and self._follower.is_listening and not self._stopped:
            self._look_again = False
            began_s = self._reactor.seconds()
            await self._look()
            gap_s = MIN_GAP_S - (self._reactor.seconds() - began_s)
            if self._look_again and gap_s > 0:
                await deferLater(self._reactor, gap_s)
        self._looking = None
        self.rest()

    def _failed(self, failure: Any) -> None:
        _log.failure("looking for new mail failed", failure)
        self._looking = None
        self._follower.failed()
        self.rest()

    async def _look(self) -> None:
        seen = self.seen
        if seen is None:
            return
        try:
            events = await events_after(self._database, seen)
        except UnavailableError:
            self._look_again = True
            await self.pause()
            return
        self._looked_s = self._reactor.seconds()
        if _is_next(seen, events.now):
            await self._follower.tell(seen, events)
            self.seen = events.reached
            self._look_again = self._look_again or events.more
        else:
            self._follower.missed()
            self.seen = events.now


def _is_next(seen: Snapshot, now: Snapshot) -> bool:
    """Whether all that came after ``seen`` is still there, and the database the same."""
    return now.next_xid >= seen.next_xid and now.taken_ms - seen.taken_ms <= EVENTS_LAST_MS
