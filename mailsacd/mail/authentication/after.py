"""Mail from outside is examined once it is stored: nobody waits for it.

What comes faster than it can be examined is left out: it is examined when somebody asks.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Final

from mailsacd.core.authentication import authentication_text
from mailsacd.core.errors import UnavailableError
from mailsacd.core.figures import Figures
from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.mail.authentication.examination import Examiner
from mailsacd.store.authentication import FoundOut, keep_authentication
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop
from mailsacd.work.tasks import Tasks

EVERY_S: Final = 0.2
PER_STEP: Final = 20
"""So many messages are begun every EVERY_S seconds: 100 a second, in a flood a few per cent of the
processor."""

AT_ONCE: Final = 50
"""So many are under way, waiting for the DNS mostly."""

MAX_WAITING: Final = 1_000
MAX_BYTES: Final = 16_777_216
"""So many bytes of compressed messages are kept, of those that wait and those under way; or one
message that is larger."""


class LaterChecks:
    """An observer of ingest. Its loop examines, and writes down what was found, many at once."""

    def __init__(self, database: Database, examiner: Examiner, *, reactor: Any) -> None:
        self._database = database
        self._examiner = examiner
        self._waiting: deque[NewEnvelope] = deque()
        self._bytes = 0
        self._found: list[FoundOut] = []
        self._is_idle = True
        self._tasks = Tasks("examine mail", most=AT_ONCE, clock=reactor)
        self._loop = Loop("examine mail", self._step, every_s=EVERY_S, clock=reactor)
        self.declare(Figures())

    def declare(self, figures: Figures) -> None:
        """Have ``figures`` tell how many messages are examined, and how many are left."""
        name, what = "mailsacd_examined_total", "Stored messages from anybody, and whether examined"
        self._done = figures.counter(name, what, outcome="done")
        self._left = figures.counter(name, what, outcome="left")

    def stored(self, batch: Sequence[NewEnvelope], owned: Mapping[str, Owned]) -> None:
        """See core.message.Observer."""
        del owned  # whosever it is
        for new in batch:
            if new.auth is not None:
                continue
            if not self._has_room(len(new.raw)):
                self._left.add()
                continue
            self._waiting.append(new)
            self._bytes += len(new.raw)
        if self._waiting and self._is_idle:
            self._is_idle = False
            self._loop.wake()

    def start(self) -> None:
        """Begin to examine what is stored from now on."""
        self._loop.start(inf)

    async def finish(self) -> None:
        """End. What was not examined by now is when somebody asks."""
        self._waiting.clear()
        await self._loop.stop()
        await self._tasks.finish(0)

    def _has_room(self, size: int) -> bool:
        full = self._bytes > 0 and self._bytes + size > MAX_BYTES
        return len(self._waiting) < MAX_WAITING and not full

    async def _step(self) -> float:
        for _ in range(PER_STEP):
            if not self._waiting or len(self._tasks) + len(self._found) >= AT_ONCE:
                break
            self._tasks.run(self._examine(self._waiting.popleft()))
        await self._write()
        if self._waiting or self._tasks or self._found:
            return EVERY_S
        self._is_idle = True
        return inf

    async def _examine(self, new: NewEnvelope) -> None:
        try:
            found = await self._examiner.examine_outside(new.raw, new.received_ms)
        finally:
            self._bytes -= len(new.raw)
        if found is None:
            return
        self._done.add()
        text = authentication_text(found)
        self._found += [FoundOut(message.inbox, message.id, text) for message in new.messages]

    async def _write(self) -> None:
        count = len(self._found)
        if not count:
            return
        try:
            await keep_authentication(self._database, self._found[:count])
        except UnavailableError:  # next time
            raise
        except Exception:
            del self._found[:count]
            raise
        del self._found[:count]
