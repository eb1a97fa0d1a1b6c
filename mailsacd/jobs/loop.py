"""A job's steps, one after the other for as long as the daemon runs, whatever becomes of each."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.errors import UnavailableError

_log = Logger()


class Loop:
    """Takes ``step``, which tells how many seconds to wait until the next one.

    ``what`` names the work in the log. After a step that failed the next one comes in ``retry_s``.
    """

    def __init__(
        self, what: str, step: Callable[[], Awaitable[float]], *, retry_s: float, reactor: Any
    ) -> None:
        self._what = what
        self._step = step
        self._retry_s = retry_s
        self._reactor = reactor
        self._running: Deferred[None] | None = None

    def start(self, wait_s: float = 0.0) -> None:
        """Begin, ``wait_s`` seconds from now."""
        self._running = ensureDeferred(self._run(wait_s))
        self._running.addErrback(self._ended)

    async def stop(self) -> None:
        """End; a step that is under way is broken off."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    async def _run(self, wait_s: float) -> None:
        while True:
            await deferLater(self._reactor, wait_s)
            try:
                wait_s = await self._step()
            except CancelledError:  # Twisted's is an Exception
                raise
            except UnavailableError as e:
                _log.debug("{what}: not now: {why}", what=self._what, why=e.public)
                wait_s = self._retry_s
            except Exception:  # noqa: BLE001  a defect in one step ends no later one
                _log.failure("{what}: a step failed", what=self._what)
                wait_s = self._retry_s

    def _ended(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            _log.failure("no more: {what}", failure, what=self._what)
