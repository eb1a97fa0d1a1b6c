"""How long the daemon takes to be ready, and what it costs when nothing happens.

    python -m bench.start --idle-seconds 20

A start counts from the call to when `ready.json` is there. The first one makes the database, the
later ones find it.
"""

import argparse
import os
import subprocess
import time
from pathlib import Path
from typing import Final

from bench.command import run_alone
from bench.daemon import daemon_command, daemon_running
from bench.rounds import Verdict
from bench.servers import NotStartedError, temporary_dir

_FIRST_START_S: Final = 3.0
_LATER_START_S: Final = 1.5
_RESIDENT_MIB: Final = 90.0
_IDLE_PERCENT: Final = 0.5
_SETTLING_S: Final = 2.0


def resident_mib(pid: int) -> float:
    """The resident memory of a process, from /proc."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_s(pid: int) -> float:
    """The processor time that a process has had, user and system, from /proc."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    listing = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    parents = [tuple(map(int, line.split())) for line in listing.splitlines()]
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents if its_parent == parent]
    return found[1:]


def timed_start(data_dir: Path) -> float:
    """One start and stop; the seconds until ready. Raises NotStartedError."""
    started = time.perf_counter()
    with daemon_running(daemon_command(data_dir), data_dir):
        return time.perf_counter() - started


def idle(data_dir: Path, seconds: float) -> tuple[float, float]:
    """The daemon's resident MiB and percent of a core at rest; its children's are printed."""
    with daemon_running(daemon_command(data_dir), data_dir) as ready:
        time.sleep(_SETTLING_S)
        children = descendants(ready.pid)
        before, children_before = cpu_s(ready.pid), sum(map(cpu_s, children))
        time.sleep(seconds)
        percent = (cpu_s(ready.pid) - before) / seconds * 100
        children_percent = (sum(map(cpu_s, children)) - children_before) / seconds * 100
        mib, children_mib = resident_mib(ready.pid), sum(map(resident_mib, children))
    print(f"  daemon: {mib:.0f} MiB resident, {percent:.2f} % of a core over {seconds:.0f} s")
    print(
        f"  its {len(children)} children (PostgreSQL): {children_mib:.0f} MiB resident, shared "
        f"memory counted in each; {children_percent:.2f} %"
    )
    return mib, percent


def run(options: argparse.Namespace) -> list[Verdict]:
    """A first start, some later ones, and a rest."""
    print("\nStart and rest")
    with temporary_dir("start") as home:
        try:
            first_s = timed_start(home / "data")
            later_s = sorted(timed_start(home / "data") for _ in range(options.rounds))
            mib, percent = idle(home / "data", options.idle_seconds)
        except NotStartedError as e:
            print(f"start: {e}")
            return []
    shown = ", ".join(f"{each:.2f}" for each in later_s)
    print(f"  first start {first_s:.2f} s; later {shown} s")
    return [
        _at_most("first start", first_s, _FIRST_START_S, "s"),
        _at_most("later start", later_s[len(later_s) // 2], _LATER_START_S, "s"),
        _at_most("idle: daemon's resident memory", mib, _RESIDENT_MIB, "MiB"),
        _at_most("idle: daemon's CPU", percent, _IDLE_PERCENT, "%"),
    ]


def _at_most(what: str, figure: float, goal: float, unit: str) -> Verdict:
    return Verdict(
        what=what,
        figure=f"{figure:.2f} {unit}",
        wanted=f"at most {goal:g} {unit}",
        met=figure <= goal,
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `run` reads."""
    parser.add_argument("--rounds", type=int, default=3, help="later starts")
    parser.add_argument("--idle-seconds", type=float, default=10.0)


if __name__ == "__main__":
    run_alone("start", __doc__, add_options, run)
