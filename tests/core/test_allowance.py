"""What each of many may do at once, and how soon again."""

import pytest
from twisted.internet.task import Clock

from mailsacd.core.allowance import Allowance
from mailsacd.core.errors import ThrottledError


def _allowance(clock: Clock, remembered: int = 10) -> Allowance:
    return Allowance(clock, at_once=3, again_s=10.0, remembered=remembered)


def test_one_too_many_is_refused_until_there_is_room_for_one_more() -> None:
    clock = Clock()
    allowance = _allowance(clock)
    for _ in range(3):
        allowance.spend("ann", "no")
    with pytest.raises(ThrottledError, match="no") as refused:
        allowance.spend("ann", "no")
    assert refused.value.retry_after_s == 10
    allowance.spend("bob", "no")
    clock.advance(10)
    allowance.spend("ann", "no")
    with pytest.raises(ThrottledError):
        allowance.spend("ann", "no")
    clock.advance(1_000)
    for _ in range(3):
        allowance.spend("ann", "no")
    with pytest.raises(ThrottledError):
        allowance.spend("ann", "no")


def test_a_clock_that_is_set_back_shuts_nobody_out_for_long() -> None:
    clock = Clock()
    clock.advance(1_000_000)
    allowance = _allowance(clock)
    allowance.spend("ann", "no")
    clock.rightNow -= 900_000
    for _ in range(3):
        allowance.spend("ann", "no")


def test_memory_is_bounded() -> None:
    allowance = _allowance(Clock(), remembered=2)
    for who in ("ann", "bob", "cy"):
        for _ in range(3):
            allowance.spend(who, "no")
    allowance.spend("ann", "no")
