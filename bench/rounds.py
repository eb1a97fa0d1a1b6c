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
    """One comparison. ``goals`` maps a peer's name to the ratio to reach, ours over theirs.

    The ratio is to be at least that much; where the unit is a cost, ``is_cost``, at most.
    """

    title: str
    unit: str
    goals: Mapping[str, float]
    is_cost: bool = False
    digits: int = 0


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

    def shown(self, digits: int = 0) -> str:
        """Return the median with the lowest and the highest round, or the problem."""
        if self.problem:
            return self.problem
        low, middle, high = (
            f"{value:,.{digits}f}" for value in (min(self.values), self.median, max(self.values))
        )
        return f"{middle:>9} ({low} to {high})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A goal and what came out: ``figure`` is a ratio or a measure, ``wanted`` says the goal."""

    what: str
    figure: str
    wanted: str
    met: bool

    def __str__(self) -> str:
        mark = "met   " if self.met else "MISSED"
        return f"{mark}  {self.what:<62} {self.figure:>10}  {self.wanted}"


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
        print(f"  {each.name:<14} {each.shown(row.digits)}")
    return judge(row, figures)


def judge(row: Row, figures: Mapping[str, Figures]) -> list[Verdict]:
    """Print every ratio; the goals' verdicts come back."""
    ours = figures.get(OURS)
    if ours is None or ours.problem:
        return []
    verdicts = []
    for name, theirs in figures.items():
        if name == OURS or theirs.problem or not theirs.median:
            continue
        ratio = ours.median / theirs.median
        print(f"  {OURS} / {name}: {ratio:.2f}")
        if name in row.goals:
            verdicts.append(_verdict(row, name, ratio))
    return verdicts


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """The goals as one table."""
    if verdicts:
        print("\nGoals")
    for verdict in verdicts:
        print(verdict)


def _verdict(row: Row, name: str, ratio: float) -> Verdict:
    goal = row.goals[name]
    return Verdict(
        what=f"{row.title}: {row.unit}, / {name}",
        figure=f"{ratio:.2f}",
        wanted=f"at {'most' if row.is_cost else 'least'} {goal:g}",
        met=ratio <= goal if row.is_cost else ratio >= goal,
    )
