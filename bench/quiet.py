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

LIMIT_S: Final = 30.0
_SAMPLE_S: Final = 0.1
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


def settle(limit_s: float = LIMIT_S) -> float | None:
    """Return when the machine has been quiet for QUIET_FOR_S: how many seconds it was not before.

    None when that did not come to pass within ``limit_s``.
    """
    started = time.monotonic()
    busy_until = started
    before, busy_before_s = started, _busy_s()
    while before - started < limit_s:
        time.sleep(_SAMPLE_S)
        now, busy_s = time.monotonic(), _busy_s()
        if busy_s - busy_before_s > QUIET_SHARE * (now - before) * (os.cpu_count() or 1):
            busy_until = now
        elif now - busy_until >= QUIET_FOR_S:
            return busy_until - started
        before, busy_before_s = now, busy_s
    return None


def _busy_s() -> float:
    """Processor time of everything since the machine started; waiting for disks is none."""
    first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, first.split()[1:])
    return (user + nice + system + irq + softirq) * _TICK_S
