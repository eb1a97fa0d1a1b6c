"""Percentiles in bounded memory: each within the error that is told."""

from math import ceil

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.log_histogram import ERROR, LARGEST, LogHistogram

NUMBERS = st.lists(st.integers(0, LARGEST), min_size=1, max_size=200)


def counted(numbers: list[int]) -> LogHistogram:
    histogram = LogHistogram()
    for number in numbers:
        histogram.add(number)
    return histogram


@given(NUMBERS, st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_percentile_is_near_the_true_one(numbers: list[int], part: float) -> None:
    found = counted(numbers).percentile(part)
    true = sorted(numbers)[max(ceil(part * len(numbers) - 1e-9), 1) - 1]
    assert found is not None
    assert abs(found - true) <= ERROR * true * 1.001


@given(NUMBERS, NUMBERS)
def test_two_together_are_as_one(some: list[int], others: list[int]) -> None:
    merged = counted(some)
    merged.merge(counted(others))
    assert merged == counted(some + others)


def test_what_was_written_is_read_again() -> None:
    histogram = counted([0, 1, 5, 10**9])
    assert msgspec.json.decode(msgspec.json.encode(histogram), type=LogHistogram) == histogram


def test_without_any_there_is_none() -> None:
    assert LogHistogram().percentile(0.5) is None


def test_memory_is_bounded() -> None:
    histogram = counted([int(1.004**n) for n in range(10_000)])
    assert len(histogram.buckets) <= 1_384
