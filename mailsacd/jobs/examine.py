"""Examines, when it is calm, what was stored unexamined while mail came too fast (mail.backlog)."""

from typing import Any, Final, Protocol

from mailsacd.jobs.loop import Loop
from mailsacd.mail.backlog import Backlog

LOOK_EVERY_S: Final = 5.0
"""So often it looks for what other nodes, or a crash, left."""

PRESSED_EVERY_S: Final = 1.0
"""So often a group is examined while mail comes faster than it can be stored, lest nothing be."""

_CHECK_EVERY_S: Final = 0.25
_PAUSE_S: Final = 0.02  # while there is something to do, and mail comes
_AWAY_S: Final = 1.0


class Intake(Protocol):
    """What takes mail in (mail.receiving.ingest)."""

    unexamined: int

    @property
    def is_pressed(self) -> bool:
        """Whether mail comes faster than it can be stored."""

    @property
    def is_calm(self) -> bool:
        """Whether nothing waits for its commit."""

    def examined(self, count: int) -> None:
        """Nothing is left of the first ``count`` that were stored unexamined."""


class ExamineJob:
    """One group at a time; any number of nodes share the work."""

    def __init__(self, backlog: Backlog, intake: Intake, *, reactor: Any) -> None:
        self._backlog = backlog
        self._intake = intake
        self._reactor = reactor
        self._look_at_s = 0.0
        self._next_pressed_s = 0.0
        self._loop = Loop("examine mail", self._step, retry_s=_AWAY_S, reactor=reactor)

    def start(self) -> None:
        """Begin, with what an earlier run left."""
        self._loop.start()

    async def stop(self) -> None:
        """End; a group that is under way is not examined, and its rows stay."""
        await self._loop.stop()

    async def _step(self) -> float:
        """Examine a group, if there is one and it is time; how long to wait until the next step."""
        now = self._reactor.seconds()
        if not self._intake.unexamined and now < self._look_at_s:
            return _CHECK_EVERY_S
        if self._intake.is_pressed and now < self._next_pressed_s:
            return _PAUSE_S
        before = self._intake.unexamined
        more = await self._backlog.examine_some()
        self._next_pressed_s = self._reactor.seconds() + PRESSED_EVERY_S
        if not more:
            self._intake.examined(before)
            self._look_at_s = now + LOOK_EVERY_S
            return _CHECK_EVERY_S
        return 0.0 if self._intake.is_calm else _PAUSE_S
