"""Measures contestants in alternating rounds, and sets the medians side by side.

The machines this runs on are noisy and shared: what is compared is measured in one run, in turns,
and the ratio of medians counts. The spread (lowest and highest round) tells how much to trust it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

OURS: Final = "mailsacd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. ``goals`` maps a peer's name to the ratio to reach, ours over theirs."""

    title: str
    unit: str
    goals: Mapping[str, float]


@dataclass(slots=True)
class Figures:
    """What one contestant reached, a figure for each round, or why it has none."""

    name: str
    values: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.values)

    def __str__(self) -> str:
        if self.problem:
            return f"  {self.name:<14} {self.problem}"
        spread = f"({min(self.values):,.0f} to {max(self.values):,.0f})"
        return f"  {self.name:<14} {self.median:>9,.0f} {spread}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A goal and what came out: ``figure`` is a ratio or a measure, ``wanted`` says the goal."""

    what: str
    figure: str
    wanted: str
    met: bool

    def __str__(self) -> str:
        return f"{'met ' if self.met else 'MISS'}  {self.what:<62} {self.figure:>10}  {self.wanted}"


def alternate(
    contestants: Mapping[str, Callable[[], float]],
    rounds: int,
    failures: tuple[type[Exception], ...],
) -> dict[str, Figures]:
    """Each contestant once a round, in turns. One that fails is out, and its figures say why."""
    figures = {name: Figures(name) for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            if figures[name].problem:
                continue
            try:
                figures[name].values.append(measure())
            except failures as e:
                figures[name].problem = f"failed: {e}"
    return figures


def compare(row: Row, figures: Mapping[str, Figures]) -> list[Verdict]:
    """Print the row and every ratio; the goals' verdicts come back."""
    print(f"\n{row.title}, in {row.unit}: median of the rounds (lowest to highest)")
    for each in figures.values():
        print(each)
    ours = figures.get(OURS)
    if ours is None or ours.problem:
        return []
    verdicts = []
    for name, theirs in figures.items():
        if name == OURS or theirs.problem:
            continue
        ratio = ours.median / theirs.median
        print(f"  {OURS} / {name}: {ratio:.2f}")
        if name in row.goals:
            goal = row.goals[name]
            verdicts.append(_verdict(f"{row.title}: / {name}", ratio, goal))
    return verdicts


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """The goals as one table."""
    if verdicts:
        print("\nGoals")
    for verdict in verdicts:
        print(verdict)


def _verdict(what: str, ratio: float, goal: float) -> Verdict:
    return Verdict(what=what, figure=f"{ratio:.2f}", wanted=f"at least {goal}", met=ratio >= goal)
