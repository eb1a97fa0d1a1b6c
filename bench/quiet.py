"""Waits until a server is quiet: what it still does after its last reply is its work too.

One that puts work off is not to slow the next server's turn, nor to be spared what it put off.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.processes import tree_cpu_s

QUIET_FOR_S: Final = 0.5
QUIET_SHARE: Final = 0.05
"""Of all processors, by the processes that are watched."""

LIMIT_S: Final = 20.0
_SAMPLE_S: Final = 0.1
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_PROCESSORS: Final = os.cpu_count() or 1


def settle(pid: int | None) -> float | None:
    """Return when it has been quiet for QUIET_FOR_S: how many seconds it was not before.

    ``pid`` and its descendants are watched; the whole machine where that is None. The answer is
    None when it did not become quiet within LIMIT_S.
    """
    used_s = _machine_cpu_s if pid is None else lambda: tree_cpu_s(pid)
    started = now = busy_until = time.monotonic()
    meter = _Meter(used_s, started)
    while now - started < LIMIT_S:
        time.sleep(_SAMPLE_S)
        now = time.monotonic()
        if meter.share(now) > QUIET_SHARE:
            busy_until = now
        elif now - busy_until >= QUIET_FOR_S:
            return busy_until - started
    return None


class _Meter:
    """Tells what share of all processors' time was used since it was last asked."""

    def __init__(self, used_s: Callable[[], float], now: float) -> None:
        self._used_s = used_s
        self._last = (used_s(), now)

    def share(self, now: float) -> float:
        last, self._last = self._last, (self._used_s(), now)
        used_s, passed_s = (late - early for late, early in zip(self._last, last, strict=True))
        return used_s / (passed_s * _PROCESSORS) if passed_s else 0.0


def _machine_cpu_s() -> float:
    """Of everything that runs; waiting for disks is no use."""
    first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, first.split()[1:])
    return (user + nice + system + irq + softirq) * _TICK_S
