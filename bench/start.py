"""How long the daemon takes to be ready, and what it costs when nothing happens.

    python -m bench.start --idle-seconds 20

A start counts from the call to when `ready.json` is there. The first one makes the database, the
later ones find it.
"""

import argparse
import time
from pathlib import Path
from typing import Final

from bench.command import run_alone
from bench.daemon import daemon_command, daemon_running
from bench.processes import descendants, proportional_mib, tree_cpu_s
from bench.rounds import Verdict
from bench.servers import NotStartedError, temporary_dir

_FIRST_START_S: Final = 1.2
_LATER_START_S: Final = 0.5
_REST_MIB: Final = 90.0
_REST_PERCENT: Final = 0.3
_SETTLING_S: Final = 2.0


def timed_start(data_dir: Path) -> float:
    """One start and stop; the seconds until ready. Raises NotStartedError."""
    started = time.perf_counter()
    with daemon_running(daemon_command(data_dir), data_dir):
        return time.perf_counter() - started


def idle(data_dir: Path, seconds: float) -> tuple[float, float]:
    """MiB, shared memory counted once, and percent of a core of all our processes at rest."""
    with daemon_running(daemon_command(data_dir), data_dir) as ready:
        time.sleep(_SETTLING_S)
        before_s = tree_cpu_s(ready.pid)
        time.sleep(seconds)
        percent = (tree_cpu_s(ready.pid) - before_s) / seconds * 100
        children = descendants(ready.pid)
        daemon_mib, children_mib = proportional_mib([ready.pid]), proportional_mib(children)
    print(f"  at rest: the daemon {daemon_mib:.0f} MiB, its {len(children)} children (PostgreSQL)")
    print(f"  {children_mib:.0f} MiB; all of them {percent:.2f} % of a core over {seconds:.0f} s")
    return daemon_mib + children_mib, percent


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
        _at_most("at rest: memory of all processes (PSS)", mib, _REST_MIB, "MiB"),
        _at_most("at rest: CPU of all processes", percent, _REST_PERCENT, "%"),
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
    parser.add_argument("--idle-seconds", type=float, default=30.0)


if __name__ == "__main__":
    run_alone("start", __doc__, add_options, run)
