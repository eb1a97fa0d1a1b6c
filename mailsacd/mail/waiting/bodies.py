"""Searches in what messages say, for those who wait for a body that matches.

Patterns are strangers'. A search is linear in the text, of which only the beginning is looked at,
runs in a thread, and one of them at a time, whose they are in turn.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.core.pattern import Pattern
from mailsacd.mime.extract import text_of
from mailsacd.mime.trace import parse_stored
from mailsacd.store.compression import expand, expanded_bytes
from mailsacd.store.messages import find_raw
from mailsacd.store.pool import Database
from mailsacd.work.threads import Lane
from mailsacd.work.turns import EvenTurns

MAX_CHARS: Final = 131_072
"""So much of a text, and of HTML, is searched."""

_AT_A_TIME: Final = 20  # patterns: others have the thread in between

_KEPT: Final = 8  # messages' texts: a megabyte each at most, in letters of four bytes

_Texts = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Searched:
    """Whether a pattern was found, and the time of the processor that the search took.

    Its share of the time to read the message is part of it.
    """

    is_found: bool
    took_s: float


class Bodies:
    """Reads messages on behalf of who may see them. Raises UnavailableError, OverloadedError."""

    def __init__(self, database: Database, lane: Lane, *, reactor: Any) -> None:
        self._database = database
        self._lane = lane
        self._turns = EvenTurns(reactor)
        self._kept: Recent[tuple[str, str, str | None], _Texts] = Recent(_KEPT)

    async def search(
        self,
        inbox: str,
        viewer: str | None,
        message_id: str,
        patterns: Sequence[Pattern],
        *,
        whose: str,
    ) -> list[Searched]:
        """Whether each of ``patterns`` is in the text or the HTML of a message.

        In one that is not there for ``viewer``, who may look into ``inbox``, none is. ``whose`` is
        the account or the peer whose turn it takes.
        """
        key = (inbox, message_id, viewer)
        return await self._turns.run(whose, lambda: self._search(key, patterns))

    async def _search(
        self, key: tuple[str, str, str | None], patterns: Sequence[Pattern]
    ) -> list[Searched]:
        texts, read_s = await self._read(*key)
        found: list[Searched] = []
        for start in range(0, len(patterns), _AT_A_TIME):
            some = patterns[start : start + _AT_A_TIME]
            found += await self._in_thread(partial(_search_all, texts, some), sum(map(len, texts)))
        share_s = read_s / max(len(patterns), 1)
        return [Searched(each.is_found, each.took_s + share_s) for each in found]

    async def _read(self, inbox: str, message_id: str, viewer: str | None) -> tuple[_Texts, float]:
        """The texts of a message, none of one that is not there, and how long reading it took."""
        kept = self._kept.get((inbox, message_id, viewer))
        if kept is not UNKNOWN:
            return kept, 0.0
        stored = await find_raw(self._database, inbox, message_id, viewer)
        if stored is None:
            return (), 0.0
        texts, took_s = await self._in_thread(partial(_texts, stored), expanded_bytes(stored))
        self._kept.remember((inbox, message_id, viewer), texts)
        return texts, took_s

    async def _in_thread(self, work: Any, size: int) -> Any:
        return await self._lane.run_in_thread(work, size)


# These run in a thread: they touch nothing but their arguments.


def _texts(stored: bytes) -> tuple[_Texts, float]:
    start_s = time.thread_time()
    parsed = parse_stored(expand(stored))
    found = (text_of(parsed), parsed.html or "")
    texts = tuple(text[:MAX_CHARS].encode("utf-8", "replace") for text in found)
    return texts, time.thread_time() - start_s


def _search_all(texts: _Texts, patterns: Sequence[Pattern]) -> list[Searched]:
    return [_searched(texts, pattern) for pattern in patterns]


def _searched(texts: _Texts, pattern: Pattern) -> Searched:
    start_s = time.thread_time()
    is_found = any(pattern.is_found_in(text) for text in texts)
    return Searched(is_found, time.thread_time() - start_s)
