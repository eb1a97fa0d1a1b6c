"""Whether transcripts of any mail are wanted. While they are not, no session keeps a line."""

from typing import Any, Final

from mailsacd.core.transcript import Scope
from mailsacd.store.notices import TRANSCRIPTS, Notices
from mailsacd.store.pool import Database
from mailsacd.store.transcripts import any_wanted
from mailsacd.work.loop import Loop

READ_EVERY_S: Final = 60.0
"""How long until it is known that the last address was released whose owner wanted some."""


class TranscriptWishes:
    """``wanted`` is asked by each session as it begins. With "chosen" it is what addresses say."""

    def __init__(self, database: Database, notices: Notices, scope: Scope, *, reactor: Any) -> None:
        self.wanted = scope == "all"
        self._is_chosen = scope == "chosen"
        self._additions = 0
        self._database = database
        self._loop = Loop(
            "read who wants transcripts", self._read, every_s=READ_EVERY_S, clock=reactor
        )
        notices.subscribe(TRANSCRIPTS, lambda _: self._wake(), self._wake)

    def start(self) -> None:
        """Begin to know it, and to hear what changes."""
        if self._is_chosen:
            self._loop.start(0)

    async def finish(self) -> None:
        """Stop asking what addresses say."""
        await self._loop.stop()

    def add(self) -> None:
        """The owner of an address wants transcripts since a moment ago."""
        if self._is_chosen:
            self._additions += 1
            self.wanted = True

    def _wake(self) -> None:
        if self._is_chosen:
            self._loop.wake()

    async def _read(self) -> None:
        additions = self._additions
        found = await any_wanted(self._database)
        if found or additions == self._additions:  # else it may have looked too early
            self.wanted = found
