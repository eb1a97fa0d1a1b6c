"""Token buckets in a fixed amount of memory: nobody gets more than his rate, whoever else comes."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsacd.core.rate import SLOTS, SLOTS_IN_ROW, Charge, full_in_s, places, spend

SECRET = b"s" * 32
BURST_S = 60.0


def table() -> "array[float]":
    return array("d", bytes(8 * SLOTS))


def charge(slots: "array[float]", key: str, per_minute: float) -> Charge:
    return Charge(slots, *places(key, SECRET), 60.0 / per_minute)


def test_a_minutes_worth_may_come_at_once_then_it_waits_then_it_is_too_much() -> None:
    slots = table()
    one = charge(slots, "a", 10)
    waits = [spend([one], 1000.0, burst_s=BURST_S, patience_s=12.0)[0] for _ in range(14)]
    assert waits[:10] == [0.0] * 10
    assert waits[10:12] == pytest.approx([6.0, 12.0])
    assert waits[12:] == pytest.approx([18.0, 18.0])  # nothing was spent: it does not get worse
    assert spend([one], 1006.0, burst_s=BURST_S, patience_s=12.0)[0] == pytest.approx(12.0)
    assert spend([one], 2000.0, burst_s=BURST_S, patience_s=12.0)[0] == 0.0


def test_of_several_all_are_spent_or_none() -> None:
    slots, others = table(), table()
    narrow, wide = charge(slots, "a", 1), charge(others, "b", 100)
    assert spend([narrow, wide], 5.0, burst_s=BURST_S, patience_s=0.0) == (0.0, 0)
    spent = full_in_s(wide, 5.0)
    wait_s, worst = spend([wide, narrow], 5.0, burst_s=BURST_S, patience_s=0.0)
    assert (wait_s, worst) == (60.0, 1)
    assert full_in_s(wide, 5.0) == spent


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 30.0),  # how long after the last one
            st.integers(0, 30),  # whose
            st.floats(0.0, 40.0),  # how patient
        ),
        min_size=1,
        max_size=300,
    ),
    st.integers(1, 120),
)
def test_never_more_than_rate_times_time_and_burst(
    comings: list[tuple[float, int, float]], per_minute: int
) -> None:
    slots = table()
    now_s = 1000.0
    taken: dict[int, list[float]] = {}
    for later_s, who, patience_s in comings:
        now_s += later_s
        # only three places in each row: everybody shares them with others
        shared = Charge(slots, who % 3, SLOTS_IN_ROW + who // 11, 60.0 / per_minute)
        wait_s, _ = spend([shared], now_s, burst_s=BURST_S, patience_s=patience_s)
        if wait_s <= patience_s:
            taken.setdefault(who, []).append(now_s + wait_s)
    for times in taken.values():
        for first, begin_s in enumerate(times):
            for place, end_s in enumerate(times[first:], start=1):
                allowed = per_minute * (1 + (end_s - begin_s) / 60.0)
                assert place <= allowed + 1e-6


def test_who_comes_under_many_names_has_his_own_bucket_not_forgotten() -> None:
    slots = table()
    mine = charge(slots, "attacker", 10)
    while spend([mine], 1000.0, burst_s=BURST_S, patience_s=0.0)[0] == 0.0:
        pass
    for number in range(100_000):
        spend([charge(slots, f"name {number}", 10)], 1000.0, burst_s=BURST_S, patience_s=0.0)
    assert spend([mine], 1000.0, burst_s=BURST_S, patience_s=0.0)[0] > 0.0


def test_memory_stays_as_it_is_and_a_stranger_goes_free_beside_very_many() -> None:
    slots = table()
    size = slots.buffer_info()[1]
    for number in range(200_000):
        spend([charge(slots, f"a{number}", 300)], 1000.0, burst_s=BURST_S, patience_s=0.0)
    assert slots.buffer_info()[1] == size == SLOTS
    free = [
        spend([charge(slots, f"b{number}", 300)], 1000.0, burst_s=BURST_S, patience_s=0.0)[0]
        for number in range(1_000)
    ]
    assert free == [0.0] * 1_000


def test_beside_a_thousand_who_have_spent_everything_few_are_hit() -> None:
    slots = table()
    for number in range(1_000):
        one = charge(slots, f"a{number}", 10)
        while spend([one], 1000.0, burst_s=BURST_S, patience_s=0.0)[0] == 0.0:
            pass
    hit = sum(
        spend([charge(slots, f"b{number}", 10)], 1000.0, burst_s=BURST_S, patience_s=0.0)[0] > 0.0
        for number in range(4_000)
    )
    assert hit <= 8


def test_places_depend_on_the_secret_and_stay_in_their_rows() -> None:
    found = [places(f"key {number}", SECRET) for number in range(1_000)]
    assert all(0 <= one < SLOTS_IN_ROW <= other < SLOTS for one, other in found)
    assert places("a", SECRET) != places("a", b"t" * 32)
    assert places("\udc80", SECRET)  # whatever comes in a command
