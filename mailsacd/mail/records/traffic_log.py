"""Which sessions, messages and requests have a line in the log: see the settings ``[log]``.

What was refused and what was slow has one, up to what nobody reads any more: a flood of it fills no
disk. Of all else a bounded number a second has, so that a quiet server tells of everything, and a
busy one spends nothing on its log. The values of a
line are values of its event: the journal has a field for each, and so has the log in JSON.
"""

import re
from collections.abc import Callable
from math import inf
from typing import Any, Final

from twisted.logger import Logger

from mailsacd.settings import LogSettings

MAX_REFUSED_PER_S: Final = 200
"""So many of those that were refused or slow have a line; of more the figures tell."""

MAX_VALUE_CHARACTERS: Final = 500
"""So much of a text that others chose is written."""

_UNPRINTABLE: Final = re.compile(
    r"[^\x20-\x7e\xa0-\U0010ffff]|[\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls, and what changes the direction of a text."""

_log = Logger()


class TrafficLog:
    """``seconds`` is a clock. Without ``settings`` nothing is written."""

    def __init__(
        self, settings: LogSettings | None = None, seconds: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._is_on = settings is not None
        chosen = settings or LogSettings()
        self._slow_s = chosen.slow_s
        self._most = chosen.lines_per_s
        self._seconds = seconds
        self._left: dict[bool, int] = {}  # of those refused or slow, and of all else
        self._until_s = -inf
        self._unlogged = 0

    def wants(self, *, refused: bool, took_s: float = 0.0, quiet: bool = False) -> bool:
        """Tell whether what took so long is to be told by `line`; if not, it is counted.

        What is ``quiet`` is told and counted only when it was refused or slow.
        """
        if not self._is_on:
            return False
        is_special = refused or took_s >= self._slow_s
        if quiet and not is_special:
            return False
        now_s = self._seconds()
        if now_s >= self._until_s or now_s < self._until_s - 1.0:  # it may be set back
            self._until_s = now_s + 1.0
            self._left = {True: MAX_REFUSED_PER_S, False: self._most}
        if self._left[is_special]:
            self._left[is_special] -= 1
            return True
        self._unlogged += 1
        return False

    def line(self, text: str, **values: Any) -> None:
        """Write a line: ``text`` names ``values`` in braces.

        With it goes ``unlogged``: how many had no line since the last one.
        """
        unlogged, self._unlogged = self._unlogged, 0
        _log.info(text, unlogged=unlogged, **values)


def printable(text: str) -> str:
    """Return ``text`` without what would change how a log is shown, and not endless."""
    return _UNPRINTABLE.sub("?", text[:MAX_VALUE_CHARACTERS])


def milliseconds(seconds: float) -> float:
    """Return ``seconds`` as a log has them: in milliseconds, with tenths."""
    return round(seconds * 1000, 1)
