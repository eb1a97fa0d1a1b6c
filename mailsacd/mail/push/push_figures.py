"""What is told of pushes: to how many listeners, and how long after the message came."""

from collections.abc import Callable, Sized
from typing import Final

from mailsacd.core.token import time_of
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.traffic_log import milliseconds

_PUSH: Final = "push message {message} to {listeners} listeners after {duration_ms} ms"


class PushFigures:
    """``streams`` are those who listen; ``seconds`` is a clock."""

    def __init__(self, telemetry: Telemetry, streams: Sized, seconds: Callable[[], float]) -> None:
        figures = telemetry.figures
        self._log = telemetry.log
        self._seconds = seconds
        figures.gauge(
            "mailsacd_listeners",
            "Who waits for mail, by WebSocket or server-sent events",
            lambda: len(streams),
        )
        self._pushes = figures.counter(
            "mailsacd_pushes_total", "Messages given to listeners, once for each of them"
        )
        self._lag_s = figures.histogram(
            "mailsacd_push_lag_seconds",
            "From when a message was whole to when it is given to listeners; "
            "websocket.hold_ms is in it",
        )

    def pushed(self, message_id: str, listeners: int) -> None:
        """A message is given to so many listeners."""
        lag_s = max(self._seconds() - time_of(message_id).timestamp(), 0.0)
        self._pushes.add(listeners)
        self._lag_s.observe(lag_s)
        if self._log.wants(refused=False, took_s=lag_s):
            self._log.line(
                _PUSH,
                message=message_id.rpartition("-")[0],
                listeners=listeners,
                duration_ms=milliseconds(lag_s),
            )
