"""How many rows a day may bring an account: beyond that there is one row an hour for each kind.

In bounded memory, and of one process: each has its own, and begins anew when it starts.
"""

from collections.abc import Callable
from typing import Final

from mailsacd.core.cache import UNKNOWN, Recent

REMEMBERED: Final = 10_000
"""Accounts whose rows are counted; the one that had none for the longest time is forgotten."""

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000

_Kind = tuple[str | None, str, int | None]


class DailyBound:
    """Allows each account ``most`` rows a day (of UTC)."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._day = self._hour = -1
        self._spent: Recent[str | None, int] = Recent(REMEMBERED)
        self._rows: Recent[_Kind, str] = Recent(REMEMBERED)

    def spend(self, account: str | None, now_ms: int) -> bool:
        """Count one row more of an account. Returns False when it has had all of its own."""
        if now_ms // _HOUR_MS != self._hour:
            self._hour = now_ms // _HOUR_MS
            self._rows.clear()
            if now_ms // _DAY_MS != self._day:
                self._day = now_ms // _DAY_MS
                self._spent.clear()
        spent = self._spent.get(account)
        if spent is UNKNOWN:
            spent = 0
        if spent >= self._most:
            return False
        self._spent.remember(account, spent + 1)
        return True

    def begin_rows(self) -> None:
        """Begin new rows for what is counted: the name of an account may be another's now."""
        self._rows.clear()

    def row(self, kind: _Kind, make: Callable[[], str]) -> str:
        """Return the id of the row of this hour that counts what happens of a kind."""
        known = self._rows.get(kind)
        if known is UNKNOWN:
            known = make()
            self._rows.remember(kind, known)
        return known
