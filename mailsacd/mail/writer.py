"""Writes down what is gathered in memory: every few seconds, at the stop, and when asked to.

What is counted or recorded beside the mail must never slow it: it is gathered in bounded memory
and goes to the database in one statement at a time. What a crash takes along is a few seconds.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import DeferredLock, ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from mailsacd.core.errors import MailsacdError

_log = Logger()


class Writer:
    """``write`` takes what there is and stores it; it puts it back before it raises."""

    def __init__(
        self, what: str, write: Callable[[], Awaitable[None]], *, every_s: float, reactor: Any
    ) -> None:
        self._what = what
        self._write = write
        self._every_s = every_s
        self._turn = DeferredLock()
        self._looping = LoopingCall(self.flush)
        self._looping.clock = reactor
        self._failed = False

    def start(self) -> None:
        """Write from time to time."""
        self._looping.start(self._every_s, now=False).addErrback(
            lambda f: _log.failure("{what} are no longer written down", f, what=self._what)
        )

    async def flush(self) -> None:
        """Write what was gathered before this call; what the database does not take stays."""
        await self._turn.run(lambda: ensureDeferred(self._try()))

    async def finish(self) -> None:
        """Write the last of it."""
        if self._looping.running:
            self._looping.stop()
        await self.flush()

    async def _try(self) -> None:
        try:
            await self._write()
        except MailsacdError as e:
            if not self._failed:
                _log.warn("{what} wait to be written down: {why}", what=self._what, why=e.public)
            self._failed = True
        else:
            self._failed = False
