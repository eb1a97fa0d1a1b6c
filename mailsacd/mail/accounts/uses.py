"""When keys and sessions were last used: gathered in bounded memory, written down in batches."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mailsacd.work.loop import Loop

KEPT: Final = 10_000
WRITE_EVERY_S: Final = 10.0

_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class Uses:
    """``note`` never waits. What cannot be written is written later, as long as there is room."""

    def __init__(
        self,
        what: str,
        write: Callable[[Mapping[str, datetime]], Awaitable[None]],
        *,
        reactor: Any,
    ) -> None:
        """``what`` names the work in the log; ``write`` is given the last use of each id."""
        self._write_down = write
        self._reactor = reactor
        self._uses: dict[str, datetime] = {}
        self._writing = Loop(what, self._write, every_s=WRITE_EVERY_S, clock=reactor)
        self.start = self._writing.start
        self.finish = self._writing.finish

    def now(self) -> datetime:
        """Return the time by the reactor's clock."""
        return _EPOCH + timedelta(seconds=self._reactor.seconds())

    def note(self, used_id: str) -> None:
        """Note that the key or session of that id is used now."""
        if used_id in self._uses or len(self._uses) < KEPT:
            self._uses[used_id] = self.now()

    async def _write(self) -> None:
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            await self._write_down(uses)
        except BaseException:
            for used_id, when in uses.items():
                if used_id not in self._uses and len(self._uses) < KEPT:
                    self._uses[used_id] = when
            raise
