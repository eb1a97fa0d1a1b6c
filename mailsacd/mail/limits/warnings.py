"""Warns accounts when they have used most, or all, of what their plan allows in a month.

Once a month and mark, whatever nodes there are: the store knows which were given. Whoever is to
hear of a warning is one of ``listeners``: the record of events is, and what writes to the account.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from mailsacd.core.activity import USAGE_WARNING
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.mail.records.activity import Activity
from mailsacd.store.pool import Database
from mailsacd.store.usage import note_warning, ops_of

MARKS: Final = (80, 100)
"""Percent of the month's operations."""

REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWarning:
    """An account has used ``percent`` of the ``limit`` operations of the month, or more."""

    account: str
    percent: int
    limit: int


def mark_of(used: int, limit: int) -> int | None:
    """The highest of MARKS that has been reached; None: not even the first."""
    reached = [mark for mark in MARKS if used and used * 100 >= limit * mark]
    return reached[-1] if reached else None


class UsageWarnings:
    """``limit_of`` tells how many operations an account has a month; None when it is gone."""

    def __init__(
        self,
        database: Database,
        limit_of: Callable[[str], Awaitable[int | None]],
        listeners: Sequence[Callable[[UsageWarning], None]],
    ) -> None:
        self._database = database
        self._limit_of = limit_of
        self._listeners = list(listeners)
        self._limits: Recent[str, int] = Recent(REMEMBERED)
        self._given: Recent[tuple[str, date, int], None] = Recent(REMEMBERED)
        self._changes = 0

    def listen(self, listener: Callable[[UsageWarning], None]) -> None:
        """Have ``listener`` hear of each warning from now on."""
        self._listeners.append(listener)

    async def look(self, accounts: Collection[str], month: date) -> None:
        """Warn those of ``accounts`` that are to be warned. Raises UnavailableError."""
        for account, used in (await ops_of(self._database, list(accounts), month)).items():
            limit = await self._limit(account)
            if limit is None:
                continue
            for mark in MARKS:
                if used * 100 >= limit * mark:
                    warning = UsageWarning(account=account, percent=mark, limit=limit)
                    await self._warn(warning, month)

    def forget(self, account: str) -> None:
        """Forget what is known of ``account``: it has changed, or is gone."""
        self._changes += 1
        self._limits.forget(account)
        for key in [key for key in self._given if key[0] == account]:
            self._given.forget(key)

    def forget_all(self) -> None:
        """Forget everything: anybody may have changed."""
        self._changes += 1
        self._limits.clear()
        self._given.clear()

    async def _limit(self, account: str) -> int | None:
        known = self._limits.get(account)
        if known is not UNKNOWN:
            return known
        changes = self._changes
        limit = await self._limit_of(account)
        if limit is not None and changes == self._changes:
            self._limits.remember(account, limit)
        return limit

    async def _warn(self, warning: UsageWarning, month: date) -> None:
        key = (warning.account, month, warning.percent)
        if self._given.get(key) is not UNKNOWN:
            return
        changes = self._changes
        is_new = await note_warning(self._database, warning.account, month, warning.percent)
        if changes == self._changes:
            self._given.remember(key, None)
        if is_new:
            for listener in self._listeners:
                listener(warning)


def recording(activity: Activity) -> Callable[[UsageWarning], None]:
    """Puts warnings into the record of events."""

    def record(warning: UsageWarning) -> None:
        activity.record(
            USAGE_WARNING,
            account=warning.account,
            subject=warning.account,
            detail=f"{warning.percent} % of the {warning.limit} operations of this month are used",
        )

    return record
