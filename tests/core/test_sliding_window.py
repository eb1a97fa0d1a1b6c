"""So many times in a while, and never more, whatever the clock does."""

from array import array

from mailsacd.core.rate import SLOTS
from mailsacd.core.sliding_window import SlidingWindow

MOST = 3


def window() -> SlidingWindow:
    return SlidingWindow(array("d", bytes(8 * MOST * SLOTS)), b"secret", most=MOST, window_s=60)


def test_what_is_allowed_comes_back_one_by_one() -> None:
    times = window()
    for now_s in (0.0, 10.0, 20.0):
        assert times.wait_s("a", now_s) == 0
        times.add("a", now_s)
    assert times.wait_s("a", 20.0) == 40.0
    assert times.wait_s("b", 20.0) == 0
    assert times.wait_s("a", 60.0) == 0
    times.add("a", 60.0)
    assert times.wait_s("a", 60.0) == 10.0


def test_the_last_one_can_be_taken_back() -> None:
    times = window()
    for now_s in (0.0, 1.0, 2.0):
        times.add("a", now_s)
    times.take_back("a", 3.0)
    assert times.wait_s("a", 3.0) == 0
    times.add("a", 3.0)
    assert times.wait_s("a", 3.0) == 57.0


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    times = window()
    for _ in range(MOST):
        times.add("a", 1_000_000.0)
    assert times.wait_s("a", 1_000.0) == 0
