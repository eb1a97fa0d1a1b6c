"""Where the columns and lines of plots are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.web.plot import HEIGHT, Series, percent_of, round_number, stacked


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (10, 10), (11, 20), (47, 100), (101, 200),
     (999, 1000), (1001, 2000), (10**12, 10**12)],
)  # fmt: skip
def test_the_highest_line_is_a_round_number(most: int, top: int) -> None:
    assert round_number(most) == top


@given(
    st.lists(st.tuples(*[st.integers(0, 10**9)] * 3), min_size=1, max_size=62),
)
def test_all_is_within_the_plot_and_as_high_as_it_counts(rows: list[tuple[int, int, int]]) -> None:
    series = [Series(name=str(i), values=[row[i] for row in rows]) for i in range(3)]
    plot = stacked([str(place) for place in range(len(rows))], series)
    top, floor = plot.lines[-1], plot.lines[0]
    ends = 0.0
    for column, row in zip(plot.columns, rows, strict=True):
        assert ends <= column.x < column.middle < column.x + column.width <= 100
        ends = column.x + column.width
        assert column.total == sum(row)
        height = sum(piece.height for piece in column.pieces)
        assert height == pytest.approx((floor.y - top.y) * sum(row) / top.value, abs=0.5)
        for piece in column.pieces:
            assert 0 <= piece.y <= piece.y + piece.height <= floor.y + 0.1 < HEIGHT
    assert plot.rows[0] == ("0", list(rows[0]))
    assert plot.columns[-1].shown
    assert sum(bool(column.shown) for column in plot.columns) <= 5


def test_nothing_makes_an_empty_plot() -> None:
    plot = stacked(["Nov"], [Series(name="Calls", values=[0])])
    assert plot.columns[0].pieces == ()
    assert [line.value for line in plot.lines] == [0, 1, 2]
    assert stacked([], []).columns == ()


@pytest.mark.parametrize(
    ("used", "limit", "percent"),
    [(0, 10, 0), (1, 3, 33), (999, 1000, 99), (20, 10, 100), (0, 0, 100)],
)
def test_percent_of(used: int, limit: int, percent: int) -> None:
    assert percent_of(used, limit) == percent
