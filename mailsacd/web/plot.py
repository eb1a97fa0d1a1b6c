"""Plots of counts: where their columns and lines are. Templates draw them as SVG.

Places across are in percent, so that a plot is as wide as the page and its texts stay readable;
those from top to bottom are in pixels. Colours are classes of the style sheet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HEIGHT: Final = 200
_TOP: Final = 18  # the highest line's number is above it
_BASE: Final = 172  # the lowest line; labels are below it
_LEFT_PERCENT: Final = 1.0
_FILLED: Final = 0.66  # of the width of a column's place
_MAX_LABELS: Final = 5
_STEPS: Final = (2, 4, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is counted under one ``name``: a value for each label."""

    name: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a column, from ``y`` on ``height`` pixels down, of the series with that index."""

    series: int
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One label's values on top of each other. ``x``, ``middle`` and ``width`` are in percent.

    ``shown`` is the label where there is room for it, else ``""``.
    """

    label: str
    shown: str
    total: int
    x: float
    middle: float
    width: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line across at the height of ``value``."""

    value: int
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Columns of stacked ``series``, over the same ``labels``."""

    labels: tuple[str, ...]
    series: tuple[Series, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """The same as a table: each label with its values."""
        return [
            (label, [series.values[place] for series in self.series])
            for place, label in enumerate(self.labels)
        ]


def stacked(labels: Sequence[str], series: Sequence[Series]) -> Plot:
    """The plot of ``series``, whose values are 0 or more, with a column for each of ``labels``."""
    totals = [sum(each.values[place] for each in series) for place in range(len(labels))]
    top = round_number(max(totals, default=0))
    share = (100 - _LEFT_PERCENT) / max(len(labels), 1)
    every = -(-len(labels) // _MAX_LABELS) if labels else 1
    columns = []
    for place, label in enumerate(labels):
        x = _LEFT_PERCENT + share * (place + (1 - _FILLED) / 2)
        last = len(labels) - 1 - place
        columns.append(
            Column(
                label=label,
                shown="" if last % every else label,
                total=totals[place],
                x=round(x, 2),
                middle=round(x + share * _FILLED / 2, 2),
                width=round(share * _FILLED, 2),
                pieces=_pieces([each.values[place] for each in series], top),
            )
        )
    lines = tuple(Line(value=v, y=_height_of(v, top)) for v in dict.fromkeys((0, top // 2, top)))
    return Plot(labels=tuple(labels), series=tuple(series), columns=tuple(columns), lines=lines)


def percent_of(used: int, limit: int) -> int:
    """How many percent of ``limit`` are used, 100 at most; of nothing all is used."""
    return min(used * 100 // limit, 100) if limit else 100


def round_number(most: int) -> int:
    """The least of 2, 4, 10, 20, 40, 100, … that is not below ``most``: easy to halve and read."""
    size = 1
    while most > _STEPS[-1] * size:
        size *= 10
    return next(step * size for step in _STEPS if most <= step * size)


def _pieces(values: Sequence[int], top: int) -> tuple[Piece, ...]:
    pieces, below = [], 0
    for series, value in enumerate(values):
        if value:
            y = _height_of(below + value, top)
            pieces.append(Piece(series=series, y=y, height=round(_height_of(below, top) - y, 1)))
            below += value
    return tuple(pieces)


def _height_of(value: int, top: int) -> float:
    return round(_BASE - (_BASE - _TOP) * value / top, 1)
