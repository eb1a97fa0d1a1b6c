"""What is written to the log while a test looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer


@implementer(ILogObserver)
class Events:
    """Keeps all events in order."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)


@contextmanager
def events_of(namespace: str) -> Iterator[list[dict[str, Any]]]:
    """The events of one logger, from now on until the end of the block."""
    seen = Events()
    kept: list[dict[str, Any]] = []
    globalLogPublisher.addObserver(seen)
    try:
        yield kept
    finally:
        globalLogPublisher.removeObserver(seen)
        kept += [each for each in seen.events if each.get("log_namespace") == namespace]
