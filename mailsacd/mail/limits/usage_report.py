"""What an account has used, month by month, and what mail came in for it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from mailsacd.core.token import utc_from_ms
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.limits.warnings import mark_of
from mailsacd.store.inbound import Inbound, list_inbound
from mailsacd.store.usage import OPS, KeyUse, history

MAX_MONTHS: Final = 13
DEFAULT_MONTHS: Final = 12
MAX_DAYS: Final = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``uses`` are by month, kind and key, newest month first; ``warning`` is a percentage."""

    month: date
    limit: int
    used: int
    warning: int | None
    uses: list[KeyUse]


class UsageReports:
    """All calls may raise NotFoundError, for an account that is gone, and UnavailableError.

    What nodes have counted in the last few seconds is not in them.
    """

    def __init__(self, accounts: Accounts, *, reactor: Any) -> None:
        self._accounts = accounts
        self._reactor = reactor

    async def of(self, account: str, *, months: int) -> Report:
        """Return what ``account`` used in this month and the ones before, ``months`` in all."""
        limits = await self._accounts.limits(account)
        month = months_ago(self._now(), 0)
        uses = await history(self._accounts.database, account, months_ago(self._now(), months - 1))
        used = sum(use.count for use in uses if use.month == month and use.kind in OPS)
        limit = limits.ops_per_month
        return Report(month=month, limit=limit, used=used, warning=mark_of(used, limit), uses=uses)

    async def inbound_by_day(self, account: str, *, days: int, domain: str | None) -> list[Inbound]:
        """Return what came in for ``account`` today and on the days before, ``days`` in all."""
        since = self._now().date() - timedelta(days=days - 1)
        return await list_inbound(
            self._accounts.database, account, since, monthly=False, domain=domain
        )

    async def inbound_by_month(
        self, account: str, *, months: int, domain: str | None
    ) -> list[Inbound]:
        """Return what came in for ``account`` this month and before, ``months`` in all."""
        since = months_ago(self._now(), months - 1)
        return await list_inbound(
            self._accounts.database, account, since, monthly=True, domain=domain
        )

    def _now(self) -> datetime:
        return utc_from_ms(int(self._reactor.seconds() * 1000))


def months_ago(now: datetime, months: int) -> date:
    """The first day of the month that was so many ``months`` before that of ``now``."""
    count = now.year * 12 + now.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
