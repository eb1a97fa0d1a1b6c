"""Log events as entries of systemd's journal, each value of an event as a field of its own.

`twistd --logger=mailsacd.journal.journal` has them go there, so that `journalctl -u mailsacd
MAILSACD_PEER=192.0.2.1` finds what has to do with one peer. The format is the journal's native one:
https://systemd.io/JOURNAL_NATIVE_PROTOCOL/.
"""

import socket
import sys
from collections.abc import Iterator
from typing import Final

from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    eventAsText,
    textFileLogObserver,
)
from zope.interface import implementer

from mailsacd.event_values import event_values

SOCKET: Final = "/run/systemd/journal/socket"

MAX_VALUE_CHARACTERS: Final = 32_768
"""So much of a field is written; a datagram has about 200 KB at most."""

_PRIORITIES: Final = {
    LogLevel.debug: 7,
    LogLevel.info: 6,
    LogLevel.warn: 4,
    LogLevel.error: 3,
    LogLevel.critical: 2,
}  # syslog(3)
_PREFIX: Final = "MAILSACD_"


def journal() -> ILogObserver:
    """Return the observer for twistd: to the journal, or where there is none, to standard error."""
    sending = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sending.connect(SOCKET)
    except OSError:
        sending.close()
        return textFileLogObserver(sys.stderr)
    return Journal(sending)


@implementer(ILogObserver)
class Journal:
    """Writes each event to ``sending``, a datagram socket that leads to the journal.

    It never waits: what the journal has no room for is lost, as it loses what comes too fast.
    """

    def __init__(self, sending: socket.socket) -> None:
        self._sending = sending

    def __call__(self, event: LogEvent) -> None:
        try:
            self._sending.send(entry(event))
        except OSError:  # a failure to log cannot be logged
            return


def entry(event: LogEvent) -> bytes:
    """Return an event in the journal's native format."""
    return b"".join(_field(name, value) for name, value in _fields(event))


def _fields(event: LogEvent) -> Iterator[tuple[str, str]]:
    yield "MESSAGE", eventAsText(event, includeTimestamp=False, includeSystem=False)
    yield "PRIORITY", str(_PRIORITIES.get(event.get("log_level", LogLevel.info), 6))
    yield "SYSLOG_IDENTIFIER", "mailsacd"
    system = event.get("log_system") or event.get("log_namespace")
    yield "MAILSACD_LOGGER", str(system or "-")
    for name, value in event_values(event):
        yield _PREFIX + name.upper(), str(value)


def _field(name: str, value: str) -> bytes:
    data = value[:MAX_VALUE_CHARACTERS].encode("utf-8", "replace")
    if b"\n" not in data:
        return b"%s=%s\n" % (name.encode(), data)
    return b"%s\n%s%s\n" % (name.encode(), len(data).to_bytes(8, "little"), data)
