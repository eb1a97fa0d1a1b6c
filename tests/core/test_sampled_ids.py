"""How many came more than once: exactly while there are few, then about, and never of none some."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.sampled_ids import SampledIds, packed, unpacked


def counted(names: list[int], max_ids: int = 50_000) -> SampledIds:
    ids = SampledIds(max_ids)
    for name in names:
        ids.add(b"%d" % name)
    return ids


@given(st.lists(st.integers(0, 40), max_size=200))
def test_few_are_counted_exactly(names: list[int]) -> None:
    ids = counted(names)
    assert ids.halvings == 0
    assert ids.different == len(set(names))
    assert ids.duplicates == sum(n - 1 for n in Counter(names).values())


@given(st.lists(st.integers(0, 400)), st.lists(st.integers(0, 400)), st.integers(8, 60))
def test_what_processes_counted_adds_up(some: list[int], others: list[int], room: int) -> None:
    one, other, both = counted(some, room), counted(others, room), counted(some + others, room)
    total = SampledIds()
    for each in (one, other):
        total.merge(each.counts, each.halvings)
    total.halve(both.halvings)
    if total.halvings == both.halvings:
        assert total.counts == both.counts


def test_many_are_estimated_in_bounded_memory() -> None:
    ids = SampledIds(1_000)
    for number in range(100_000):
        ids.add(b"%d" % number)
        assert len(ids.counts) <= 1_000
    assert ids.halvings > 0
    assert ids.duplicates == 0  # of none that came twice it tells none
    assert ids.different == pytest.approx(100_000, rel=0.15)
    for number in range(50_000):
        ids.add(b"%d" % number)
    assert ids.duplicates == pytest.approx(50_000, rel=0.2)


def test_pieces_add_up_to_what_was_counted() -> None:
    ids = SampledIds()
    pieces = []
    for turn in range(3):
        for number in range(turn, 100 * turn + 100):
            ids.add(b"%d" % number)
        fresh, ids.fresh = ids.fresh, {}
        pieces.append(packed(fresh))
    assert unpacked(pieces) == ids.counts
    assert unpacked([packed({})]) == {}
