"""Waits until the machine is quiet: what a server still does after its last reply is its work too.

One that puts work off is not to slow the next server's turn, nor to be spared what it put off.
"""

import os
import time
from pathlib import Path
from typing import Final

QUIET_FOR_S: Final = 0.5
QUIET_SHARE: Final = 0.05
"""Of all processors, by everything that runs on them."""

LIMIT_S: Final = 20.0
_SAMPLE_S: Final = 0.1
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


def settle() -> float | None:
    """Return when it has been quiet for QUIET_FOR_S: how many seconds it was not before.

    None when that did not come to pass within LIMIT_S.
    """
    started = now = busy_until = time.monotonic()
    meter = _Meter()
    while now - started < LIMIT_S:
        time.sleep(_SAMPLE_S)
        now = time.monotonic()
        if meter.share() > QUIET_SHARE:
            busy_until = now
        elif now - busy_until >= QUIET_FOR_S:
            return busy_until - started
    return None


class _Meter:
    """Tells what share of all processors' time was used since it was last asked."""

    def __init__(self) -> None:
        self._last = _processor_s()

    def share(self) -> float:
        last, self._last = self._last, _processor_s()
        used_s, all_s = (now - then for now, then in zip(self._last, last, strict=True))
        return used_s / all_s if all_s else 0.0


def _processor_s() -> tuple[float, float]:
    """Of all processors: seconds used, and seconds; waiting for disks is no use."""
    first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    user, nice, system, idle, iowait, irq, softirq, *_ = map(int, first.split()[1:])
    used = user + nice + system + irq + softirq
    return used * _TICK_S, (used + idle + iowait) * _TICK_S
