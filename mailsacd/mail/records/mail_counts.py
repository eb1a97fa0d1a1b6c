"""Adds up what changed of everybody's counts of mail, so that whoever asks reads few rows."""

from typing import Any, Final

from mailsacd.store import counts
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

BUSY_EVERY_S: Final = 1.0
QUIET_EVERY_S: Final = 5.0


class MailCounts:
    """Any number of nodes may do this: one of them is at it at a time (see store.counts)."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._adding = Loop(
            "add up counts of mail", self._step, every_s=QUIET_EVERY_S, clock=reactor, cancels=True
        )
        self.start = self._adding.start
        self.stop = self._adding.stop

    async def forget_nothing(self) -> None:
        """Delete the counts of those who have nothing any more."""
        await counts.forget_nothing(self._database)

    async def _step(self) -> float:
        changes = await counts.add_up(self._database)
        if changes == counts.ADDED_UP_AT_ONCE:
            return 0.0
        return BUSY_EVERY_S if changes else QUIET_EVERY_S
