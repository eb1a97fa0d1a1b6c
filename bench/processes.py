"""What all processes of a server take together, from /proc: processor time and memory."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


class _Stat(NamedTuple):
    """Of one process: its parent, and processor seconds of its own and of its ended children."""

    parent: int
    cpu_s: float


def tree_cpu_s(pid: int) -> float:
    """Return the processor seconds, user and system, of a process and all its descendants so far.

    Descendants that have ended count too: their parents keep the sum of those they waited for. The
    figure of each process is rounded to the kernel's clock tick, 10 ms as a rule.
    """
    stats = _all_stats()
    return sum(stats[each].cpu_s for each in _tree(pid, stats))


def descendants(pid: int) -> list[int]:
    """Return the ids of the children of a process, and of theirs, that run now."""
    return _tree(pid, _all_stats())[1:]


def proportional_mib(pids: Iterable[int]) -> float:
    """Return the memory of some processes in MiB; what several share is divided among these (PSS).

    Reading it of another user's processes takes root; those that cannot be read count nothing.
    """
    return sum(map(_proportional_kib, pids)) / 1024


def _all_stats() -> dict[int, _Stat]:
    stats = {}
    for name in os.listdir(_PROC):
        if name.isdigit():
            try:
                text = (_PROC / name / "stat").read_text(encoding="ascii", errors="replace")
            except OSError:  # it has ended meanwhile
                continue
            _, parent, *rest = text.rpartition(")")[2].split()
            ticks = sum(map(int, rest[9:13]))  # utime, stime, cutime and cstime of proc(5)
            stats[int(name)] = _Stat(int(parent), ticks * _TICK_S)
    return stats


def _tree(pid: int, stats: dict[int, _Stat]) -> list[int]:
    found = [pid] if pid in stats else []
    for parent in found:
        found += [child for child, stat in stats.items() if stat.parent == parent]
    return found


def _proportional_kib(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
