"""Figures: what is counted, and what may not be declared."""

import pytest

from mailsacd.core.figures import Figures


def cells(figures: Figures, name: str) -> list[list[float]]:
    """What each child of a figure has, in a memory that is a list."""
    figure = next(each for each in figures if each.name == name)
    memory = figures._cells
    return [list(memory[at : at + figure.width]) for at in figure.children.values()]


def test_a_counter_adds_up_and_the_same_labels_are_the_same_counter() -> None:
    figures = Figures()
    figures.counter("a_total", "A", port="smtp").add()
    figures.counter("a_total", "A", port="smtp").add(2)
    figures.counter("a_total", "A", port="pop3").add(5)
    assert cells(figures, "a_total") == [[3.0], [5.0]]


def test_a_histogram_counts_what_is_at_most_a_bound_in_its_bucket() -> None:
    figures = Figures()
    histogram = figures.histogram("a_seconds", "A", (1.0, 2.0))
    for number in (0.5, 1.0, 1.5, 2.0, 7.0):
        histogram.observe(number)
    assert cells(figures, "a_seconds") == [[2.0, 2.0, 1.0, 12.0]]


def test_a_gauge_is_read_when_it_is_sampled() -> None:
    figures, waiting = Figures(), [1, 2]
    figures.gauge("a", "A", lambda: len(waiting))
    figures.sample()
    waiting.append(3)
    assert cells(figures, "a") == [[2.0]]
    figures.sample()
    assert cells(figures, "a") == [[3.0]]


def test_one_name_is_one_kind_of_figure() -> None:
    figures = Figures()
    figures.counter("a_total", "A")
    with pytest.raises(ValueError, match="a_total is declared twice, and not alike"):
        figures.histogram("a_total", "A")


def test_no_more_is_declared_than_there_is_memory_for() -> None:
    figures = Figures([0.0] * 3)
    figures.histogram("a_seconds", "A", (1.0,))
    with pytest.raises(ValueError, match="more figures are declared than 3 cells hold"):
        figures.counter("b_total", "B")


def test_the_fingerprint_is_that_of_what_is_declared() -> None:
    one, same, other = Figures(), Figures(), Figures()
    for each, label in ((one, "x"), (same, "x"), (other, "y")):
        each.counter("a_total", "A", which=label)
    assert one.fingerprint == same.fingerprint != other.fingerprint
