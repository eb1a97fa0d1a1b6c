"""How mail reaches those who wait for it."""

from typing import Final

from mailsacd.assembly.part import Ground
from mailsacd.core.sequence import Sequences
from mailsacd.mail.limits.pushes import Pushes
from mailsacd.mail.push.announce import Announcer
from mailsacd.mail.push.hub import Hub, PushTerms
from mailsacd.mail.push.payload import Payloads
from mailsacd.store.events import PRUNED_AT_ONCE, event_epoch, prune_events
from mailsacd.store.notices import Notices
from mailsacd.work.loop import Loop

PRUNE_EVERY_S: Final = 60.0


class Push:
    """A part. ``hub`` is what edges listen to, ``forms`` what deliveries send."""

    def __init__(
        self, ground: Ground, notices: Notices, pushes: Pushes, sequences: Sequences
    ) -> None:
        database, reactor = ground.database, ground.reactor
        self._database = database
        self.forms = Payloads(database, ground.lanes.rest, reactor=reactor)
        terms = PushTerms(hold_s=ground.settings.websocket.hold_ms / 1000, usage=pushes)
        self.hub = Hub(database, notices, self.forms, sequences, terms, reactor=reactor)
        self.hub.declare(ground.telemetry)
        self.announcer = Announcer(database, self.hub.wake, reactor=reactor)
        self._pruning = Loop(
            "prune events", self._prune, every_s=PRUNE_EVERY_S, clock=reactor, cancels=True
        )

    async def start(self) -> None:
        """Begin to look for new mail, and to prune old events."""
        self.hub.start()
        self._pruning.start()

    async def finish(self) -> None:
        """End all streams and stop looking."""
        await self.announcer.finish()
        await self.hub.stop()
        await self._pruning.stop()

    async def _prune(self) -> None:
        while await prune_events(self._database) == PRUNED_AT_ONCE:
            pass


async def make_push(ground: Ground, notices: Notices, pushes: Pushes) -> Push:
    """Before ``notices`` start. Raises UnavailableError."""
    sequences = Sequences(await event_epoch(ground.database))
    return Push(ground, notices, pushes, sequences)
