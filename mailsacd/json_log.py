"""Log events as lines of JSON on standard output, each value of an event under its name.

`twistd --logger=mailsacd.json_log.json_log` has them go there, for those who have no journal:
containers, and whatever collects logs by the line.
"""

import json
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

from twisted.logger import ILogObserver, LogEvent, LogLevel, eventAsText
from zope.interface import implementer

from mailsacd.event_values import event_values

MAX_TEXT_CHARACTERS: Final = 65_536
_OWN: Final = frozenset({"time", "level", "logger", "text"})


def json_log() -> ILogObserver:
    """Return the observer for twistd."""
    return JsonLog(sys.stdout)


@implementer(ILogObserver)
class JsonLog:
    """Writes each event to ``stream``: ``time`` in UTC, ``level``, ``logger``, ``text``, values."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: LogEvent) -> None:
        try:
            self._stream.write(json.dumps(_told(event), allow_nan=False) + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # a failure to log cannot be logged
            return


def _told(event: LogEvent) -> dict[str, object]:
    when = datetime.fromtimestamp(event.get("log_time", 0.0), UTC)
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    return {
        "time": when.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z",
        "level": event.get("log_level", LogLevel.info).name,
        "logger": str(event.get("log_system") or event.get("log_namespace") or "-"),
        "text": text[:MAX_TEXT_CHARACTERS],
    } | {name: value for name, value in event_values(event) if name not in _OWN}
