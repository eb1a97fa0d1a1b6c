"""What a signal of the operating system has done."""

import signal
from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

_log = Logger()


def on_signal(
    number: signal.Signals, react: Callable[[], object], reactor: Any
) -> Callable[[], None]:
    """Call ``react`` on the reactor whenever the process gets the signal ``number``.

    A defect in ``react`` is logged. Returns what puts back what the signal did before.
    """

    def call() -> None:
        try:
            react()
        except Exception:  # noqa: BLE001  a defect is not to reach the reactor's own code
            _log.failure("{signal}: failed", signal=number.name)

    previous = signal.signal(number, lambda *_: reactor.callFromThread(call))
    return lambda: _put_back(number, previous)


def _put_back(number: signal.Signals, previous: Any) -> None:
    signal.signal(number, previous)
