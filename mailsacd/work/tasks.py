"""Work that is begun once and goes on beside the usual flow, with an owner that awaits its end."""

from collections.abc import Coroutine
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.errors import MailsacdError, OverloadedError, UnavailableError
from mailsacd.work.ending import end, ended_within

PATIENCE_S: Final = 5.0
"""So long may tasks take when their owner finishes."""

_log = Logger()


class Tasks:
    """Runs coroutines, ``most`` at a time; ``what`` names them in the log.

    One that raises ends alone: a temporary MailsacdError is logged in a line, anything else is a
    defect of ours and has its traceback.
    """

    def __init__(self, what: str, *, most: int, clock: IReactorTime) -> None:
        self._what = what
        self._most = most
        self._clock = clock
        self._running: dict[Deferred[None], None] = {}
        self._closed = False

    def __len__(self) -> int:
        """How many are under way."""
        return len(self._running)

    def run(self, work: Coroutine[Any, Any, None]) -> Deferred[None]:
        """Begin ``work``, at once.

        Returns what fires when it has ended, however that was, and cancels it when it is cancelled.
        Raises OverloadedError when ``most`` are under way, and UnavailableError after `finish`.
        """
        if self._closed or len(self._running) >= self._most:
            work.close()
            if self._closed:
                raise UnavailableError("The daemon is stopping, try again later")
            raise OverloadedError("Too much is under way, try again later")
        running = Deferred.fromCoroutine(work)
        self._running[running] = None
        running.addErrback(self._failed)
        return running.addBoth(lambda _: self._running.pop(running, None))

    async def idle(self, limit_s: float) -> bool:
        """Wait until nothing is under way, for ``limit_s`` seconds at most; whether it came to
        that. What tasks begin meanwhile is waited for too."""
        until_s = self._clock.seconds() + limit_s
        while self._running:
            left_s = until_s - self._clock.seconds()
            if left_s <= 0 or not await ended_within(left_s, self._running, self._clock):
                return False
        return True

    async def finish(self, patience_s: float = PATIENCE_S) -> None:
        """Return when nothing is under way, and nothing is begun any more.

        What has not ended after ``patience_s`` seconds (0: at once) is cancelled.
        """
        if patience_s:
            await self.idle(patience_s)
        self._closed = True
        await end(self._what, self._running, patience_s=0, clock=self._clock)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, CancelledError):
            return
        if isinstance(error, MailsacdError) and error.temporary:
            _log.warn("{what}: broken off: {why}", what=self._what, why=error.public)
        else:
            _log.failure("{what}: failed", failure, what=self._what)
