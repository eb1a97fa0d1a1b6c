"""Ids that a node makes by itself."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mailsacd.core.token import (
    ENVELOPE_ID_LENGTH,
    EnvelopeIds,
    iso_time,
    message_id,
    milliseconds,
    time_prefix,
    utc_from_ms,
)

MS = st.integers(min_value=0, max_value=2**49)


@given(st.lists(MS, min_size=2, max_size=50))
def test_ids_of_one_process_rise_whatever_the_clock_does(clock: list[int]) -> None:
    ids = EnvelopeIds()
    made = [ids.next(ms)[0] for ms in clock]
    assert made == sorted(set(made))


def test_a_millisecond_that_is_used_up_borrows_from_the_next() -> None:
    ids = EnvelopeIds()
    made = [ids.next(1000) for _ in range(40_000)]
    assert [text for text, _ in made] == sorted({text for text, _ in made})
    assert made[-1][1] == 1001


@given(MS, MS)
def test_time_order_is_text_order(one: int, other: int) -> None:
    assert (time_prefix(one) < time_prefix(other)) == (one < other)
    assert EnvelopeIds().next(one)[0].startswith(time_prefix(one))


def test_a_time_out_of_range_has_a_prefix_all_the_same() -> None:
    assert time_prefix(-1) == time_prefix(0)
    assert len(time_prefix(2**80)) == len(time_prefix(0))


def test_an_id_is_url_safe_and_ends_in_the_place() -> None:
    envelope_id, _ = EnvelopeIds().next(1_700_000_000_000)
    assert len(envelope_id) == ENVELOPE_ID_LENGTH
    assert envelope_id.isalnum()
    assert message_id(envelope_id, 7) == envelope_id + "-7"


@given(MS.filter(lambda ms: ms < 253_402_300_800_000))
def test_milliseconds_survive_the_way_through_a_datetime(ms: int) -> None:
    assert milliseconds(utc_from_ms(ms)) == ms


def test_a_time_is_written_with_milliseconds_and_z() -> None:
    when = datetime(2018, 3, 29, 18, 28, 7, 732_999, tzinfo=UTC)
    assert iso_time(when) == "2018-03-29T18:28:07.732Z"
