"""Sends outgoing mail: at once what is queued, soon what another node left behind.

Whoever is slow or away costs the others nothing: see jobs.relay_places.
"""

from typing import Any, Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from mailsacd.core.errors import UnavailableError
from mailsacd.jobs.leases import Leases
from mailsacd.jobs.relay_line import Lines
from mailsacd.jobs.relay_places import RelayPlaces
from mailsacd.mail.sending.relay import Line, Relay
from mailsacd.settings import RelaySettings
from mailsacd.work.loop import Loop
from mailsacd.work.tasks import Tasks

LOOK_EVERY_S: Final = 1.0
PRUNE_EVERY_S: Final = 300.0
STOP_S: Final = 3.0
"""What is under way when the daemon stops has so long to end; else it is done again, by lease."""

_log = Logger()


class RelayJob:
    """Claims lines and has them sent. ``wake`` has it look now."""

    def __init__(
        self, relay: Relay, lines: Lines, leases: Leases, settings: RelaySettings, *, reactor: Any
    ) -> None:
        self._relay = relay
        self._lines = lines
        self._leases = leases
        self._places = RelayPlaces(settings.max_connections, settings.max_connections_per_domain)
        self._tasks = Tasks("send mail", most=settings.max_connections, clock=reactor)
        self._looking = Loop("look for mail", self._look, every_s=LOOK_EVERY_S, clock=reactor)
        self._pruning = Loop(
            "forget suppressed addresses",
            relay.forget_suppressed,
            every_s=PRUNE_EVERY_S,
            clock=reactor,
            cancels=True,
        )
        self.wake = self._looking.wake

    def start(self) -> None:
        """Begin to send, with what an earlier run left undone."""
        self._pruning.start()
        self._leases.start()
        self._looking.start()
        self._looking.wake()

    async def stop(self) -> None:
        """End; what was under way is broken off, and done again when its lease is over."""
        await self._pruning.stop()
        await self._looking.stop()
        try:
            await self._leases.give_back()
        except UnavailableError as e:
            _log.warn("claims of outgoing mail are over when their lease is: {why}", why=e.public)
        await self._tasks.finish(STOP_S)
        await self._leases.stop()

    @property
    def is_idle(self) -> bool:
        """Whether it neither looks for mail nor sends any."""
        return not self._tasks and not self._looking.is_running

    async def _look(self) -> None:
        if self._places.are_taken or not await self._relay.ready():
            return
        for line in await self._relay.claim(self._places.rooms()):
            self._leases.add(line.claims)
            self._places.enter(line)
            self._tasks.run(self._send(line)).addCallback(self._ended)
            self._looking.wake()  # there may be more of the same line

    def _ended(self, _: None) -> None:
        """A task has ended and is not counted any more: whoever is woken may begin one at once."""
        self.wake()

    async def _send(self, line: Line) -> None:
        answered = True
        try:
            answered = await self._lines.send(line)
        except UnavailableError as e:  # its leases end, and then it is due again
            _log.debug("outgoing mail waits: {why}", why=e.public)
        except CancelledError:  # the daemon stops
            raise
        except Exception:  # noqa: BLE001  one line's defect is not to end the others
            _log.failure("mail for {domain} was broken off", domain=line.domain)
        finally:
            self._places.leave(line, answered=answered)
