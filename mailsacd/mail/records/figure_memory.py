"""The memory in which figures are counted, which the workers of a node share.

Each worker has a slot of its own and writes to no other; who is asked reads all of them. The
file is the parent's, has no name and is in memory: so a worker that is started anew goes on from
where the one before it ended, however that ended, and no counter is ever set back.
"""

import mmap
import time
from collections.abc import Collection, MutableSequence, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, cast

from mailsacd.core.figures import Figure, Figures, Labels
from mailsacd.core.shared_memory import make_unnamed_file

MAX_WORKERS: Final = 64
SLOTS: Final = 1 + 2 * MAX_WORKERS
"""One of a daemon without workers, and for each worker a second one for who takes over from it."""
CELLS: Final = 32_768
"""Of a slot; what is not used takes no memory."""
STALE_AFTER_S: Final = 10.0
"""What a worker has not sampled for so long are no figures of now."""

_HEADER: Final = 2  # cells: the fingerprint of what is declared, and when it was sampled
_NUMBER_BYTES: Final = 8
_SLOT_BYTES: Final = (_HEADER + CELLS) * _NUMBER_BYTES
_SIZE: Final = SLOTS * _SLOT_BYTES  # 34 MB, of what is touched

Samples = Sequence[tuple[Labels, Sequence[float]]]
"""What each set of labels has in its cells."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a figure is at, over all workers."""

    figure: Figure
    samples: Samples


class FigureMemory:
    """One ``slot``, with the ``figures`` that are declared in it."""

    def __init__(self, descriptor: int = -1, slot: int = 0) -> None:
        """Map the file that `shared_file` made; without one the memory is the process's own."""
        whole = memoryview(mmap.mmap(descriptor, _SIZE if descriptor >= 0 else _SLOT_BYTES))
        numbers = whole.cast("d")
        count = len(numbers) // (_HEADER + CELLS)
        self._slots: list[MutableSequence[float]] = [
            cast(MutableSequence[float], numbers[at * (_HEADER + CELLS) :][: _HEADER + CELLS])
            for at in range(count)
        ]
        self._own = self._slots[slot]
        cells = cast(memoryview, self._own)[_HEADER:]
        self.figures: Final = Figures(cast(MutableSequence[float], cells))

    def begin(self) -> None:
        """Go on from where the worker before this one ended: all figures are declared.

        It starts at nothing if that one was of another version, which declared others.
        """
        print_ = float(self.figures.fingerprint)
        if self._own[0] != print_:
            for at in range(_HEADER, _HEADER + self.figures.cells):
                self._own[at] = 0.0
            self._own[0] = print_
        self.sample()

    def sample(self) -> None:
        """Read what is there to be read of this worker now."""
        self.figures.sample()
        self._own[1] = time.monotonic()  # one clock for all processes of the machine

    def end(self) -> None:
        """Tell no more how this worker stands. What it counted is told on."""
        self._own[1] = -inf

    def readings(self) -> list[Reading]:
        """Return what all figures are at, over all workers; those of this one as they are now."""
        self.sample()
        slots = [
            (number, slot[_HEADER : _HEADER + self.figures.cells], time.monotonic() - slot[1])
            for number, slot in enumerate(self._slots)
            if slot[0] == self._own[0]
        ]
        fresh = [(number, cells) for number, cells, age_s in slots if age_s <= STALE_AFTER_S]
        ever = [(number, cells) for number, cells, _ in slots]
        return [
            Reading(
                figure,
                _apart(figure, fresh) if figure.of_worker else _added_up(figure, ever, fresh),
            )
            for figure in self.figures
        ]


_Slots = Sequence[tuple[int, MutableSequence[float]]]


def _apart(figure: Figure, fresh: _Slots) -> Samples:
    return [
        ((*labels, ("worker", str(number))), cells[at : at + figure.width])
        for number, cells in fresh
        for labels, at in figure.children.items()
    ]


def _added_up(figure: Figure, ever: _Slots, fresh: _Slots) -> Samples:
    slots = fresh if figure.kind == "gauge" else ever
    return [
        (labels, [sum(cells[at + n] for _, cells in slots) for n in range(figure.width)])
        for labels, at in figure.children.items()
    ]


def free_slot(worker: int, taken: Collection[int]) -> int:
    """Return the slot for a worker (from 1) that begins: one of its two that is not ``taken``."""
    return worker + MAX_WORKERS if worker in taken else worker


def shared_file() -> int:
    """Make a file for the FigureMemory of all workers. The caller closes its descriptor."""
    return make_unnamed_file("mailsacd-figures", _SIZE)
