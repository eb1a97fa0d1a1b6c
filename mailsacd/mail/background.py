"""Work beside the usual flow that somebody has to wait for before the daemon ends."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger

_log = Logger()


class BackgroundTasks:
    """Runs coroutines; each bounds itself, and is expected not to raise."""

    def __init__(self) -> None:
        self._running: set[Deferred[None]] = set()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin with ``work``."""
        running = ensureDeferred(work)
        running.addErrback(lambda f: _log.failure("work in the background failed", f))
        if not running.called:
            self._running.add(running)
            running.addBoth(lambda _: self._running.discard(running))

    async def finish(self) -> None:
        """Wait until nothing is under way."""
        while self._running:
            await next(iter(self._running))
