"""Searches in what messages say, for those who wait for a body that matches.

Patterns are strangers'. A search is linear in the text, of which only the beginning is looked at,
runs in a thread, and one of them at a time.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.internet.task import deferLater

from mailsacd.core.pattern import Pattern
from mailsacd.mime.extract import text_of
from mailsacd.mime.trace import parse_stored
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.messages import find_raw
from mailsacd.store.pool import Database
from mailsacd.work.threads import Lane

MAX_CHARS: Final = 131_072
"""So much of a text, and of HTML, is searched."""

_AT_A_TIME: Final = 20  # patterns: others have the thread in between

_Texts = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Searched:
    """Whether a pattern was found, and the time of the processor that the search took."""

    is_found: bool
    took_s: float


class Bodies:
    """Reads messages on behalf of who may see them. Raises UnavailableError, OverloadedError."""

    def __init__(self, database: Database, lane: Lane, *, reactor: Any) -> None:
        self._database = database
        self._lane = lane
        self._reactor = reactor
        self._turn = DeferredSemaphore(1)

    async def search(
        self, inbox: str, viewer: str | None, message_id: str, patterns: Sequence[Pattern]
    ) -> list[Searched]:
        """Whether each of ``patterns`` is in the text or the HTML of a message.

        In one that is not there for ``viewer``, who may look into ``inbox``, none is.
        """
        searched: list[Searched] = await self._turn.run(
            lambda: ensureDeferred(self._search(inbox, viewer, message_id, patterns))
        )
        return searched

    async def _search(
        self, inbox: str, viewer: str | None, message_id: str, patterns: Sequence[Pattern]
    ) -> list[Searched]:
        if self._turn.waiting:  # who come next are begun from here: not each within the last
            await deferLater(self._reactor, 0)
        stored = await find_raw(self._database, inbox, message_id, viewer)
        if stored is None:
            return [Searched(is_found=False, took_s=0.0)] * len(patterns)
        texts = await self._in_thread(partial(_texts, stored), expanded_bytes(stored))
        found: list[Searched] = []
        for start in range(0, len(patterns), _AT_A_TIME):
            some = patterns[start : start + _AT_A_TIME]
            found += await self._in_thread(partial(_search_all, texts, some), sum(map(len, texts)))
        return found

    async def _in_thread(self, work: Any, size: int) -> Any:
        return await self._lane.run_in_thread(work, size)


# These run in a thread: they touch nothing but their arguments.


def _texts(stored: bytes) -> _Texts:
    parsed = parse_stored(expand(stored))
    found = (text_of(parsed), parsed.html or "")
    return tuple(text[:MAX_CHARS].encode("utf-8", "replace") for text in found)


def _search_all(texts: _Texts, patterns: Sequence[Pattern]) -> list[Searched]:
    return [_searched(texts, pattern) for pattern in patterns]


def _searched(texts: _Texts, pattern: Pattern) -> Searched:
    start_s = time.thread_time()
    is_found = any(pattern.is_found_in(text) for text in texts)
    return Searched(is_found, time.thread_time() - start_s)
