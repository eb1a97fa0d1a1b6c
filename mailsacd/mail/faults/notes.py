"""Takes note of faults that were provoked, and writes them down for many at a time.

Whoever provokes faults again and again costs a statement a second and domain, and no connection of
those that mail is taken in by.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from mailsacd.core.fault_plan import ProvokedFacts
from mailsacd.core.token import utc_from_ms
from mailsacd.store.faults import KEPT, add_provoked
from mailsacd.store.pool import Database
from mailsacd.work.loop import Loop

WRITE_EVERY_S: Final = 1.0
MAX_DOMAINS: Final = 200
"""Of so many domains notes wait to be written; of more nothing is noted meanwhile."""


@dataclass(slots=True)
class _Noted:
    """How many faults there were, and the last of them, with their times."""

    count: int = 0
    last: deque[tuple[datetime, ProvokedFacts]] = field(default_factory=lambda: deque(maxlen=KEPT))


class ProvokedNotes:
    """The notes of one process, written to ``database``."""

    def __init__(self, database: Database, *, reactor: Any) -> None:
        self._database = database
        self._seconds = reactor.seconds
        self._noted: dict[tuple[str, str], _Noted] = {}
        self._loop = Loop(
            "tell of provoked faults", self._write, every_s=WRITE_EVERY_S, clock=reactor
        )
        self.start = self._loop.start
        self.finish = self._loop.finish
        self.write_now = self._loop.run_now

    def add(self, domain: str, owner: str, facts: ProvokedFacts) -> None:
        """Take note of a fault in the domain of that account."""
        noted = self._noted.get((domain, owner))
        if noted is None:
            if len(self._noted) >= MAX_DOMAINS:
                return
            noted = self._noted[domain, owner] = _Noted()
        noted.count += 1
        noted.last.append((utc_from_ms(int(self._seconds() * 1000)), facts))

    async def _write(self) -> None:
        """What cannot be written down now is not told."""
        taken, self._noted = self._noted, {}
        for (domain, owner), noted in taken.items():
            await add_provoked(self._database, domain, owner, list(noted.last), noted.count)
