"""Work that nobody waits for: it is done at a pace, in bounded memory, and its results are written
down many at once.

What comes faster than it can be done is left out, and whoever hands it in is told so.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from math import inf
from typing import Any, Final, Generic, TypeVar

from twisted.internet.interfaces import IReactorTime

from mailsacd.core.errors import UnavailableError
from mailsacd.work.loop import Loop
from mailsacd.work.tasks import Tasks

R = TypeVar("R")

EVERY_S: Final = 0.2
PER_STEP: Final = 20
"""So much is begun every EVERY_S seconds: 100 a second, in a flood a few per cent of the
processor."""

MAX_WAITING: Final = 1_000
MAX_BYTES: Final = 16_777_216
"""So many bytes are kept, of what waits and what is under way; or one piece that is larger."""

Piece = Callable[[], Coroutine[Any, Any, Sequence[R]]]
"""A piece of work: a coroutine function that returns its results."""


class Later(Generic[R]):
    """Does pieces of work, ``at_once`` at a time; ``what`` names them in the log.

    ``keep`` writes results down. While it raises UnavailableError they are kept for the next time.
    """

    def __init__(
        self,
        what: str,
        keep: Callable[[Sequence[R]], Awaitable[None]],
        *,
        at_once: int,
        clock: IReactorTime,
    ) -> None:
        self._keep = keep
        self._at_once = at_once
        self._waiting: deque[tuple[int, Piece[R]]] = deque()
        self._bytes = 0
        self._results: list[R] = []
        self._is_idle = True
        self._tasks = Tasks(what, most=at_once, clock=clock)
        self._loop = Loop(what, self._step, every_s=EVERY_S, clock=clock)

    def put(self, size: int, piece: Piece[R]) -> bool:
        """Have ``piece``, which holds ``size`` bytes, done. Returns False when it is left out."""
        is_full = self._bytes > 0 and self._bytes + size > MAX_BYTES
        if is_full or len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting.append((size, piece))
        self._bytes += size
        if self._is_idle:
            self._is_idle = False
            self._loop.wake()
        return True

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, is under way, or is still to be written down."""
        return self._is_idle

    def start(self) -> None:
        """Begin with what is handed in from now on."""
        self._loop.start(inf)

    async def finish(self) -> None:
        """End. What is not done by now is not done."""
        self._waiting.clear()
        await self._loop.stop()
        await self._tasks.finish(0)

    async def _step(self) -> float:
        await self._write()  # else what is done would count as under way for a step more
        begun = 0
        while self._waiting and begun < PER_STEP:
            if len(self._tasks) + len(self._results) >= self._at_once:
                break
            self._tasks.run(self._do(*self._waiting.popleft()))
            begun += 1
        await self._write()
        if begun or self._waiting or self._tasks or self._results:
            return EVERY_S  # what comes next is not begun before its time
        self._is_idle = True
        return inf

    async def _do(self, size: int, piece: Piece[R]) -> None:
        try:
            self._results += await piece()
        finally:
            self._bytes -= size

    async def _write(self) -> None:
        count = len(self._results)
        if not count:
            return
        try:
            await self._keep(self._results[:count])
        except UnavailableError:  # next time
            raise
        except Exception:
            del self._results[:count]
            raise
        del self._results[:count]
