"""The figures of a load test as people read them."""

from typing import Any, Final

from mailsacd.core.load_test import LATE_SECONDS, SLOT_MS
from mailsacd.core.log_histogram import ERROR, LogHistogram
from mailsacd.core.token import iso_time, iso_time_from_ms, milliseconds
from mailsacd.mail.load_testing.load_tests import Report

PERCENTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
RECENT_S: Final = 10
_MINUTE_MS: Final = 60_000


def summary(report: Report) -> dict[str, Any]:
    """All figures, as JSON values. Times are texts; latencies are in milliseconds."""
    test, figures = report.test, report.figures
    return {
        "domain": test.domain,
        "state": "running" if report.running else "ended",
        "started": iso_time(test.started),
        "ends": iso_time(test.ends),
        "asOf": iso_time(report.now),
        "latencyHeader": test.header,
        "messages": figures.messages,
        "recipients": figures.recipients,
        "bytes": figures.size.total,
        "firstMessage": figures.first_ms and iso_time_from_ms(figures.first_ms),
        "lastMessage": figures.last_ms and iso_time_from_ms(figures.last_ms),
        "messagesPerSecond": _rates(report),
        "latencyMs": {
            "measured": figures.latency.count,
            "byHeader": figures.by_header,
            "byDate": figures.by_date,
            "unmeasured": figures.messages - figures.latency.count,
            "sentInTheFuture": figures.ahead,
            **_spread(figures.latency),
        },
        "sizeBytes": _spread(figures.size),
        "duplicates": {
            "count": report.duplicates,
            "exact": figures.halvings == 0,
            "sampledOneIn": 1 << figures.halvings,
            "differentMessageIds": report.different_ids,
            "withoutMessageId": figures.messages - figures.identified,
        },
        "perMinute": _minutes(figures.slots),
    }


def _rates(report: Report) -> dict[str, float]:
    figures = report.figures
    now_s = milliseconds(report.now) // 1000
    recent = sum(n for s, n in figures.seconds.items() if now_s - RECENT_S <= s < now_s)
    lasted_ms = (figures.last_ms or 0) - (figures.first_ms or 0)
    average = figures.messages * 1000 / lasted_ms if lasted_ms > 0 else float(figures.messages)
    in_slot = max(figures.slots.values(), default=0) * 1000 / SLOT_MS
    late = [n for s, n in figures.seconds.items() if now_s - LATE_SECONDS <= s]
    return {
        "average": round(average, 1),
        "last10Seconds": round(recent / RECENT_S, 1),
        "busiest10Seconds": round(in_slot, 1),
        "busiestSecondOfTheLast30": float(max(late, default=0)),
    }


def _spread(histogram: LogHistogram) -> dict[str, Any]:
    mean = histogram.total / histogram.count if histogram.count else None
    return {
        "min": histogram.smallest,
        "mean": None if mean is None else round(mean, 1),
        **{name: _rounded(histogram.percentile(part)) for name, part in PERCENTILES.items()},
        "max": histogram.largest,
        "percentileError": ERROR,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)


def _minutes(slots: dict[int, int]) -> list[dict[str, Any]]:
    minutes: dict[int, int] = {}
    for slot, n in slots.items():
        minute_ms = slot * SLOT_MS // _MINUTE_MS * _MINUTE_MS
        minutes[minute_ms] = minutes.get(minute_ms, 0) + n
    return [{"minute": iso_time_from_ms(ms), "messages": minutes[ms]} for ms in sorted(minutes)]
