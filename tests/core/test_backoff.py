"""Delays double, have a bound, and are not in step."""

import pytest

from mailsacd.core.backoff import FIRST_DELAY_S, JITTER, MAX_DELAY_S, WEBHOOKS, Schedule

delay_s = WEBHOOKS.delay_s


@pytest.mark.parametrize(
    ("attempts", "factor"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60), (10**9, 60)],
)
def test_it_doubles_up_to_a_bound(attempts: int, factor: int) -> None:
    assert delay_s(attempts, chance=0.5) == pytest.approx(FIRST_DELAY_S * factor)


def test_it_varies_about_that() -> None:
    assert delay_s(1, chance=0) == pytest.approx(FIRST_DELAY_S * (1 - JITTER))
    assert delay_s(99, chance=1) == pytest.approx(MAX_DELAY_S * (1 + JITTER))
    drawn = {delay_s(3) for _ in range(50)}
    assert len(drawn) > 40
    assert all(20 * (1 - JITTER) <= delay <= 20 * (1 + JITTER) for delay in drawn)


def test_an_hour_of_failures_is_made_up_for_within_ten_minutes() -> None:
    assert MAX_DELAY_S * (1 + JITTER) < 600


@pytest.mark.parametrize(("chance", "seconds"), [(0, 600), (1, 720)])
def test_it_is_at_least_so_long(chance: float, seconds: float) -> None:
    assert delay_s(1, at_least_s=600, chance=chance) == pytest.approx(seconds)
    assert delay_s(9, at_least_s=1, chance=0.5) == pytest.approx(MAX_DELAY_S)


def test_mail_is_tried_again_after_5_10_20_40_minutes_up_to_4_hours() -> None:
    mail = Schedule(first_s=300, most_s=14_400, jitter=0.1)
    minutes = [mail.delay_s(n, chance=0.5) / 60 for n in range(1, 9)]
    assert minutes == pytest.approx([5, 10, 20, 40, 80, 160, 240, 240])
    assert mail.delay_s(1, chance=1) == pytest.approx(330)
