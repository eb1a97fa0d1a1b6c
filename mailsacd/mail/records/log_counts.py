"""Counts the events of the log by their level: errors are defects, and somebody is to look."""

from twisted.logger import ILogObserver, LogEvent, LogLevel
from zope.interface import implementer

from mailsacd.core.figures import Figures


@implementer(ILogObserver)
class LogCounts:
    """An observer of the log, of all its events."""

    def __init__(self, figures: Figures) -> None:
        self._counts = {
            level: figures.counter(
                "mailsacd_log_events_total", "Events of the log", level=level.name
            )
            for level in LogLevel.iterconstants()
        }

    def __call__(self, event: LogEvent) -> None:
        self._counts[event.get("log_level", LogLevel.info)].add()
