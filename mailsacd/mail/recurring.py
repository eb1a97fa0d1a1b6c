"""Work that is done every few seconds or minutes, beside everything else.

What is counted or recorded beside the mail must never slow it: it is gathered in bounded memory,
and written down by such work in one statement at a time. A crash takes a few seconds of it along.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import DeferredLock, ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from mailsacd.core.errors import MailsacdError

_log = Logger()


class Recurring:
    """Does ``work``, one run at a time. While the database is away a run does nothing.

    ``what`` names the work in the log.
    """

    def __init__(
        self, what: str, work: Callable[[], Awaitable[None]], *, every_s: float, reactor: Any
    ) -> None:
        self._what = what
        self._work = work
        self._every_s = every_s
        self._turn = DeferredLock()
        self._looping = LoopingCall(self.run)
        self._looping.clock = reactor
        self._failed = False

    def start(self) -> None:
        """Begin, ``every_s`` seconds from now."""
        self._looping.start(self._every_s, now=False).addErrback(
            lambda f: _log.failure("no more: {what}", f, what=self._what)
        )

    async def run(self) -> None:
        """Do it now; or after the run that is under way, for that may have begun too early."""
        await self._turn.run(lambda: ensureDeferred(self._try()))

    async def stop(self) -> None:
        """Do it no more; returns when no run is under way."""
        if self._looping.running:
            self._looping.stop()
        await self._turn.run(lambda: None)

    async def finish(self) -> None:
        """Do it once more, and then never again."""
        await self.stop()
        await self.run()

    async def _try(self) -> None:
        try:
            await self._work()
        except MailsacdError as e:
            if not self._failed:
                _log.warn("{what}: not now: {why}", what=self._what, why=e.public)
            self._failed = True
        else:
            self._failed = False
