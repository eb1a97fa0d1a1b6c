"""How mail reaches those who wait for it: built, started and ended together."""

from typing import Any, Final

from mailsacd.core.sequence import Sequences
from mailsacd.mail.announce import Announcer
from mailsacd.mail.hub import Hub
from mailsacd.mail.pushed import PushedForms
from mailsacd.mail.recurring import Recurring
from mailsacd.mail.usage import Usage
from mailsacd.store.events import PRUNED_AT_ONCE, event_epoch, prune_events
from mailsacd.store.notices import Notices
from mailsacd.store.pool import Database

PRUNE_EVERY_S: Final = 60.0


class Push:
    """A part of the assembly. ``hub`` is what edges listen to, ``forms`` what deliveries send."""

    def __init__(
        self,
        database: Database,
        notices: Notices,
        usage: Usage,
        sequences: Sequences,
        reactor: Any,
    ) -> None:
        self._database = database
        self.forms = PushedForms(database, reactor=reactor)
        self.hub = Hub(database, notices, self.forms, sequences, usage, reactor=reactor)
        self.announcer = Announcer(database, self.hub.wake, reactor=reactor)
        self._pruning = Recurring(
            "prune events", self._prune, every_s=PRUNE_EVERY_S, reactor=reactor
        )

    def start(self) -> None:
        """Begin."""
        self.hub.start()
        self._pruning.start()

    async def finish(self) -> None:
        """End all streams."""
        await self.announcer.finish()
        await self.hub.stop()
        await self._pruning.stop()

    async def _prune(self) -> None:
        while await prune_events(self._database) == PRUNED_AT_ONCE:
            pass


async def make_push(database: Database, notices: Notices, usage: Usage, reactor: Any) -> Push:
    """Before ``notices`` start. Raises UnavailableError."""
    sequences = Sequences(await event_epoch(database))
    return Push(database, notices, usage, sequences, reactor)
