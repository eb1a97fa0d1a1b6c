"""Figures of what the daemon does, for its operator: counters, histograms, gauges.

They are declared while the daemon is built, each with all its labels: so there is a bound on them,
and counting is to add to a number in memory. Nobody reads them until somebody asks
(mail.records.metrics). Names, units and labels follow Prometheus
(https://prometheus.io/docs/practices/naming/).
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, MutableSequence
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]
"""Names and values of labels, in the order in which they were declared."""

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the buckets of durations, in seconds."""

_Cells = MutableSequence[float]


class Count:
    """A number that only grows."""

    __slots__ = ("_at", "_cells")

    def __init__(self, cells: _Cells, at: int) -> None:
        self._cells = cells
        self._at = at

    def add(self, count: float = 1) -> None:
        """Count ``count`` more of it, 0 at least."""
        self._cells[self._at] += count


class Histogram:
    """How often numbers of each size came, and their sum."""

    __slots__ = ("_at", "_bounds", "_cells", "_sum_at")

    def __init__(self, cells: _Cells, at: int, bounds: tuple[float, ...]) -> None:
        self._cells = cells
        self._at = at
        self._bounds = bounds
        self._sum_at = at + len(bounds) + 1

    def observe(self, number: float) -> None:
        """Count ``number``, in the unit that the figure's name ends in."""
        cells = self._cells
        cells[self._at + bisect_left(self._bounds, number)] += 1
        cells[self._sum_at] += number


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure as it was declared: its ``children`` are the first cell of each set of labels.

    A histogram has a cell for each of its ``bounds``, one for what is above, and one for the sum.
    A figure ``of_worker`` is told for each worker apart, and is not added up.
    """

    name: str
    kind: Kind
    about: str
    bounds: tuple[float, ...] = ()
    of_worker: bool = False
    children: dict[Labels, int] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """How many cells each child has."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


class Figures:
    """The figures of a process, and the ``cells`` that they are counted in.

    Without cells they have some of their own, which grow: nobody else sees them. Declaring the
    same figure with other labels adds to it; with the same labels, it is the same one.
    """

    def __init__(self, cells: _Cells | None = None) -> None:
        self._figures: dict[str, Figure] = {}
        self._grows = cells is None
        self._cells: _Cells = [] if cells is None else cells
        self._used = 0
        self._reading: dict[int, Callable[[], float]] = {}

    def __iter__(self) -> Iterator[Figure]:
        return iter(self._figures.values())

    def counter(self, name: str, about: str, **labels: str) -> Count:
        """Declare a counter; its ``name`` ends in ``_total``."""
        return Count(self._cells, self._child(name, "counter", about, labels))

    def histogram(
        self, name: str, about: str, bounds: tuple[float, ...] = SECONDS, **labels: str
    ) -> Histogram:
        """Declare a histogram with these upper bounds of its buckets, which rise."""
        at = self._child(name, "histogram", about, labels, bounds)
        return Histogram(self._cells, at, bounds)

    def gauge(self, name: str, about: str, read: Callable[[], float], **labels: str) -> None:
        """Declare what ``read`` tells, at each `sample`: it goes up and down.

        Over several workers it is added up.
        """
        self._reading[self._child(name, "gauge", about, labels)] = read

    def of_worker(self, name: str, kind: Kind, about: str, read: Callable[[], float]) -> None:
        """Declare what ``read`` tells of this process, which is not to be added up."""
        self._reading[self._child(name, kind, about, {}, of_worker=True)] = read

    def sample(self) -> None:
        """Read what is there to be read now."""
        for at, read in self._reading.items():
            self._cells[at] = read()

    @property
    def cells(self) -> int:
        """How many cells are used."""
        return self._used

    @property
    def fingerprint(self) -> int:
        """Return a number that is the same for the same declarations alone."""
        declared = [(each.name, each.bounds, list(each.children.items())) for each in self]
        return zlib.crc32(repr(declared).encode())

    def _child(
        self,
        name: str,
        kind: Kind,
        about: str,
        labels: dict[str, str],
        bounds: tuple[float, ...] = (),
        *,
        of_worker: bool = False,
    ) -> int:
        figure = self._figures.get(name)
        if figure is None:
            figure = Figure(name=name, kind=kind, about=about, bounds=bounds, of_worker=of_worker)
            self._figures[name] = figure
        elif (figure.kind, figure.bounds, figure.of_worker) != (kind, bounds, of_worker):
            raise ValueError(f"{name} is declared twice, and not alike")
        key = tuple(labels.items())
        if key not in figure.children:
            figure.children[key] = self._take(figure.width)
        return figure.children[key]

    def _take(self, width: int) -> int:
        at = self._used
        self._used += width
        if self._grows:
            self._cells.extend([0.0] * width)
        elif self._used > len(self._cells):
            raise ValueError(f"more figures are declared than {len(self._cells)} cells hold")
        return at
