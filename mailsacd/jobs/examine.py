"""Examines, when it is calm, what was stored unexamined while mail came too fast (mail.backlog)."""

from typing import Any, Final, Protocol

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsacd.core.errors import UnavailableError
from mailsacd.mail.backlog import Backlog

LOOK_EVERY_S: Final = 5.0
"""So often it looks for what other nodes, or a crash, left."""

PRESSED_EVERY_S: Final = 1.0
"""So often a group is examined while mail comes faster than it can be stored, lest nothing be."""

_CHECK_EVERY_S: Final = 0.25
_PAUSE_S: Final = 0.02  # while there is something to do, and mail comes
_AWAY_S: Final = 1.0

_log = Logger()


class Intake(Protocol):
    """What takes mail in (mail.ingest)."""

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
        self._running: Deferred[None] | None = None
        self._look_at_s = 0.0
        self._pressed_until_s = 0.0

    def start(self) -> None:
        """Begin, with what an earlier run left."""
        self._running = ensureDeferred(self._run())
        self._running.addErrback(_ended)

    async def stop(self) -> None:
        """End; a group that is under way is not examined, and its rows stay."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    async def _run(self) -> None:
        while True:
            try:
                wait_s = await self._step()
            except UnavailableError as e:
                _log.debug("mail is not examined now: {why}", why=e.public)
                wait_s = _AWAY_S
            except CancelledError:
                raise
            except Exception:  # noqa: BLE001  a defect in one group ends no later one
                _log.failure("mail was not examined")
                wait_s = _AWAY_S
            await deferLater(self._reactor, wait_s)

    async def _step(self) -> float:
        """Examine a group, if there is one and it is time; how long to wait until the next step."""
        now = self._reactor.seconds()
        if not self._intake.unexamined and now < self._look_at_s:
            return _CHECK_EVERY_S
        if self._intake.is_pressed and now < self._pressed_until_s:
            return _PAUSE_S
        before = self._intake.unexamined
        more = await self._backlog.examine_some()
        self._pressed_until_s = self._reactor.seconds() + PRESSED_EVERY_S
        if not more:
            self._intake.examined(before)
            self._look_at_s = now + LOOK_EVERY_S
            return _CHECK_EVERY_S
        return 0.0 if self._intake.is_calm else _PAUSE_S


def _ended(failure: Any) -> None:
    if not failure.check(CancelledError):
        _log.failure("mail is no longer examined", failure)
