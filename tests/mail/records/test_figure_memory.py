"""What workers count in the memory that they share, and what becomes of it when they die."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from mailsacd.mail.records import figure_memory
from mailsacd.mail.records.figure_memory import SLOTS, FigureMemory, free_slot, shared_file


@pytest.fixture
def file() -> Iterator[int]:
    descriptor = shared_file()
    yield descriptor
    os.close(descriptor)


class Worker:
    """One that counts in its slot of a file."""

    def __init__(self, file: int, number: int, *, more: bool = False) -> None:
        self.memory = FigureMemory(file, number)
        self.depth = 0
        figures = self.memory.figures
        if more:
            figures.counter("new_total", "Of another version")
        self.mail = figures.counter("mail_total", "Mail")
        self.seconds = figures.histogram("took_seconds", "Took", (1.0,))
        figures.gauge("depth", "Depth", lambda: self.depth)
        figures.of_worker("process_number", "gauge", "Number", lambda: number)
        self.memory.begin()

    def told(self) -> dict[str, Any]:
        """What it answers for all workers: cells by name and labels."""
        return {
            each.figure.name: {labels: list(cells) for labels, cells in each.samples}
            for each in self.memory.readings()
        }


def test_each_worker_answers_for_all(file: int) -> None:
    first, second = Worker(file, 1), Worker(file, 2)
    first.mail.add(2)
    second.mail.add(3)
    second.seconds.observe(4.0)
    first.depth, second.depth = 5, 7
    first.memory.sample()
    second.memory.sample()
    for each in (first, second):
        assert each.told() == {
            "mail_total": {(): [5.0]},
            "took_seconds": {(): [0.0, 1.0, 4.0]},
            "depth": {(): [12.0]},
            "process_number": {(("worker", "1"),): [1.0], (("worker", "2"),): [2.0]},
        }


def test_who_comes_after_a_worker_that_died_goes_on_counting_where_it_was(file: int) -> None:
    first, second = Worker(file, 1), Worker(file, 2)
    first.mail.add(2)
    second.mail.add(3)
    second.depth = 9
    second.memory.sample()
    del second
    assert first.told()["mail_total"] == {(): [5.0]}
    again = Worker(file, 2)
    again.mail.add()
    assert first.told()["mail_total"] == {(): [6.0]}
    assert first.told()["depth"] == {(): [0.0]}


def test_how_a_worker_stood_that_is_gone_is_soon_told_no_more(
    file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Worker(file, 1), Worker(file, 2)
    second.mail.add(3)
    second.depth = 9
    second.memory.sample()
    monkeypatch.setattr(figure_memory, "STALE_AFTER_S", -1.0)
    assert first.told()["mail_total"] == {(): [3.0]}
    assert first.told()["depth"] == {(): [0]}
    assert first.told()["process_number"] == {}


def test_how_a_worker_stood_that_has_ended_is_told_no_more(file: int) -> None:
    first, second = Worker(file, 1), Worker(file, 2)
    second.mail.add(3)
    second.depth = 9
    second.memory.sample()
    second.memory.end()
    told = first.told()
    assert (told["mail_total"], told["depth"]) == ({(): [3.0]}, {(): [0]})
    assert told["process_number"] == {(("worker", "1"),): [1.0]}


def test_who_takes_over_has_a_slot_of_its_own() -> None:
    assert free_slot(2, {1}) == 2
    assert free_slot(2, {1, 2}) == 66
    assert free_slot(2, {1, 66}) == 2
    assert {free_slot(n, {n}) for n in range(1, 65)} <= set(range(65, SLOTS))


def test_a_worker_of_another_version_counts_for_itself(file: int) -> None:
    first, second = Worker(file, 1), Worker(file, 2)
    first.mail.add(2)
    second.mail.add(3)
    newer = Worker(file, 2, more=True)
    newer.mail.add(40)
    assert first.told()["mail_total"] == {(): [2.0]}
    assert newer.told()["mail_total"] == {(): [40.0]}


def test_a_process_alone_has_memory_of_its_own() -> None:
    memory = FigureMemory()
    memory.figures.counter("mail_total", "Mail").add(4)
    memory.begin()
    memory.figures.counter("mail_total", "Mail").add(1)
    assert [list(each.samples) for each in memory.readings()] == [[((), [1.0])]]
