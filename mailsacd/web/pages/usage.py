"""`/usage`: what an account used of its plan, and what mail came in for it, as plots and tables."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from mailsacd.core.actor import account_of
from mailsacd.http.server.answer import Response
from mailsacd.mail.limits.usage_report import Report, UsageReports, months_ago
from mailsacd.store.inbound import Inbound
from mailsacd.store.usage import API, CAPTURE, INBOUND, OPS, PUSH, KeyUse
from mailsacd.web.page import Page
from mailsacd.web.plot import Plot, Series, percent_of, stacked
from mailsacd.web.visit import Visit

MONTHS: Final = 12
DAYS: Final = 30
NAMED_DOMAINS: Final = 5
"""So many domains have a colour of their own; the rest is put together."""

KIND_NAMES: Final = {
    API: "Calls with an API key",
    INBOUND: "Mail that came in",
    PUSH: "Pushes",
    CAPTURE: "Captured mail",
}


class UsagePage:
    """The page, and its declaration."""

    def __init__(self, reports: UsageReports) -> None:
        self._reports = reports

    def pages(self) -> tuple[Page, ...]:
        """Declare what is served here."""
        return (Page(path="/usage", id="usage", for_accounts=True, handler=self.show),)

    async def show(self, visit: Visit) -> Response:
        """Operations by month, kind and key; mail that came in by day, month and domain."""
        account = account_of(visit.actor)
        report = await self._reports.of(account, months=MONTHS)
        days = await self._reports.inbound_by_day(account, days=DAYS, domain=None)
        months = await self._reports.inbound_by_month(account, months=MONTHS, domain=None)
        now = datetime.now(UTC)
        return visit.shown(
            "figures/usage.html",
            report=report,
            percent=percent_of(report.used, report.limit),
            operations=_operations(report, now),
            keys=_keys(report),
            received=_received(days, now.date()),
            months=_by_month(months),
            domains=_by_domain(months),
        )


def _operations(report: Report, now: datetime) -> Plot:
    """The plot of operations by month, the kinds on top of each other."""
    months = [months_ago(now, back) for back in reversed(range(MONTHS))]
    return stacked(
        [f"{month:%b %y}" for month in months],
        [
            Series(name=KIND_NAMES[kind], values=[_count(report.uses, m, kind) for m in months])
            for kind in OPS
        ],
    )


def _count(uses: Iterable[KeyUse], month: date, kind: str) -> int:
    return sum(use.count for use in uses if use.month == month and use.kind == kind)


def _keys(report: Report) -> list[tuple[str, int, int]]:
    """This month's calls by the name of their key, with the percentage of all; most first."""
    calls = [use for use in report.uses if use.month == report.month and use.kind == API]
    whole = sum(use.count for use in calls)
    return [(use.key, use.count, percent_of(use.count, whole)) for use in calls]


def _received(found: Sequence[Inbound], today: date) -> Plot:
    """The plot of mail that came in by day, the busiest domains on top of each other."""
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    ranked = [domain for domain, _, _ in _by_domain(found)]
    named = ranked if len(ranked) <= NAMED_DOMAINS else ranked[: NAMED_DOMAINS - 1]
    counts: dict[tuple[str, date], int] = {}
    for each in found:
        which = (each.domain if each.domain in named else "", each.since)
        counts[which] = counts.get(which, 0) + each.messages
    names = [*named, ""] if len(ranked) > len(named) else named
    return stacked(
        [f"{day.day} {day:%b}" for day in days],
        [
            Series(name=name or "Other domains", values=[counts.get((name, d), 0) for d in days])
            for name in names
        ],
    )


def _by_domain(found: Iterable[Inbound]) -> list[tuple[str, int, int]]:
    """Domains with messages and bytes, most messages first."""
    sums: dict[str, tuple[int, int]] = {}
    for each in found:
        messages, size = sums.get(each.domain, (0, 0))
        sums[each.domain] = (messages + each.messages, size + each.bytes)
    return sorted(((d, *sums[d]) for d in sums), key=lambda row: (-row[1], row[0]))


def _by_month(found: Iterable[Inbound]) -> list[tuple[date, int, int]]:
    """Months with messages and bytes, newest first."""
    sums: dict[date, tuple[int, int]] = {}
    for each in found:
        messages, size = sums.get(each.since, (0, 0))
        sums[each.since] = (messages + each.messages, size + each.bytes)
    return [(month, *sums[month]) for month in sorted(sums, reverse=True)]
