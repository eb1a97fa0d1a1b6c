"""Mail from outside is examined once it is stored: nobody waits for it.

What comes faster than it can be examined is left out: it is examined when somebody asks.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from mailsacd.core.authentication import authentication_text
from mailsacd.core.figures import Figures
from mailsacd.core.message import NewEnvelope, Owned
from mailsacd.mail.authentication.examination import Examiner
from mailsacd.store.authentication import FoundOut, keep_authentication
from mailsacd.store.pool import Database
from mailsacd.work.later import Later

AT_ONCE: Final = 50
"""So many are under way, waiting for the DNS mostly."""


class LaterChecks:
    """An observer of ingest. It examines, and writes down what was found, many at once."""

    def __init__(self, database: Database, examiner: Examiner, *, reactor: Any) -> None:
        self._examiner = examiner
        keep = partial(keep_authentication, database)
        self._later = Later("examine mail", keep, at_once=AT_ONCE, clock=reactor)
        self.start = self._later.start
        self.finish = self._later.finish
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
            if new.auth is None and not self._later.put(len(new.raw), partial(self._examine, new)):
                self._left.add()

    async def _examine(self, new: NewEnvelope) -> Sequence[FoundOut]:
        found = await self._examiner.examine_outside(new.raw, new.received_ms)
        if found is None:
            return ()
        self._done.add()
        text = authentication_text(found)
        return [FoundOut(message.inbox, message.id, text) for message in new.messages]
