"""What a signal of the operating system has done."""

import signal
from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

_log = Logger()


def on_signal(
    number: signal.Signals,
    react: Callable[[], object],
    reactor: Any,
    *,
    note: Callable[[int], object] = int,
) -> Callable[[], None]:
    """Call ``react`` on the reactor whenever the process gets the signal ``number``.

    A defect in ``react`` is logged. ``note`` is called with the number before that, wherever
    Python happens to be, and may do next to nothing. Returns what puts back what the signal did
    before.
    """

    def call() -> None:
        try:
            react()
        except Exception:  # noqa: BLE001  a defect is not to reach the reactor's own code
            _log.failure("{signal}: failed", signal=number.name)

    def handle(got: int, _: object) -> None:
        note(got)
        reactor.callFromThread(call)

    previous = signal.signal(number, handle)
    return lambda: _put_back(number, previous)


def _put_back(number: signal.Signals, previous: Any) -> None:
    signal.signal(number, previous)
