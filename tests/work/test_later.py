"""Work that nobody waits for is done at a pace, in bounded memory, and written down together."""

from collections.abc import Sequence

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from mailsacd.core.errors import UnavailableError
from mailsacd.work import later
from mailsacd.work.later import EVERY_S, MAX_BYTES, MAX_WAITING, PER_STEP, Later

AT_ONCE = 60


class Kept:
    """Keeps results; ``error`` is what it raises instead."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.results: list[int] = []
        self.error: Exception | None = None
        self.later: Later[int] = Later("work", self.keep, at_once=AT_ONCE, clock=self.clock)
        self.waiting: list[Deferred[None]] = []

    async def keep(self, results: Sequence[int]) -> None:
        """Take results, or fail."""
        if self.error is not None:
            raise self.error
        self.results += results

    async def at_once(self) -> Sequence[int]:
        """Work that waits for nothing."""
        return [1, 2]

    async def slow(self) -> Sequence[int]:
        """Work that ends when it is told to."""
        self.waiting.append(Deferred())
        await self.waiting[-1]
        return [3]


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_all_that_waits_is_done_a_few_at_a_time(kept: Kept) -> None:
    kept.later.start()
    for _ in range(PER_STEP + 5):
        assert kept.later.put(1, kept.at_once)
    assert kept.results == [1, 2]  # of the first, which woke it
    kept.clock.advance(EVERY_S)
    assert len(kept.results) == 2 * (PER_STEP + 1)
    for _ in range(5):
        kept.clock.advance(EVERY_S)
    assert kept.results == [1, 2] * (PER_STEP + 5)
    assert not kept.clock.getDelayedCalls()  # idle, until the next piece
    assert kept.later.put(1, kept.at_once)
    assert len(kept.results) == 2 * (PER_STEP + 6)


def test_what_waited_while_results_could_not_be_kept_is_done_once_they_are(kept: Kept) -> None:
    kept.error = UnavailableError("away")
    kept.later.start()
    for _ in range(AT_ONCE):
        kept.later.put(1, kept.at_once)
    kept.clock.pump([EVERY_S] * 10)
    kept.error = None
    kept.clock.pump([EVERY_S] * 20)
    assert kept.results == [1, 2] * AT_ONCE


def test_what_is_done_holds_up_nothing_at_the_next_step(kept: Kept) -> None:
    later = Later("work", kept.keep, at_once=2, clock=kept.clock)
    later.start()
    for _ in range(6):
        later.put(1, kept.slow)
    for begun in (2, 4, 6):
        kept.clock.advance(EVERY_S)
        assert len(kept.waiting) == begun
        for each in kept.waiting[begun - 2 :]:
            each.callback(None)


def test_few_are_under_way_and_the_end_does_not_wait_for_them(kept: Kept) -> None:
    kept.later.start()
    for _ in range(2 * AT_ONCE):
        kept.later.put(1, kept.slow)
    kept.clock.pump([EVERY_S] * 5)
    assert len(kept.waiting) == AT_ONCE
    ended = Deferred.fromCoroutine(kept.later.finish())
    assert ended.called
    assert kept.results == []


@pytest.mark.parametrize(
    ("size", "taken"), [(10, MAX_WAITING), (MAX_BYTES // 4, 4), (2 * MAX_BYTES, 1)]
)
def test_what_waits_has_a_bound_in_number_and_bytes(kept: Kept, size: int, taken: int) -> None:
    kept.later.put(0, kept.slow)  # it is begun at once, and weighs nothing
    assert sum(kept.later.put(size, kept.at_once) for _ in range(MAX_WAITING + 5)) == taken


def test_what_is_under_way_counts_until_it_is_done(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later, "MAX_BYTES", 20)
    kept.later.start()
    assert [kept.later.put(10, kept.slow) for _ in range(3)] == [True, True, False]
    kept.clock.advance(EVERY_S)
    assert len(kept.waiting) == 2
    assert not kept.later.put(10, kept.slow)
    kept.waiting[0].callback(None)
    assert kept.later.put(10, kept.slow)


def test_results_are_kept_while_the_database_is_away(kept: Kept) -> None:
    kept.error = UnavailableError("away")
    kept.later.start()
    kept.later.put(1, kept.at_once)
    kept.clock.advance(EVERY_S)
    kept.error = None
    kept.clock.advance(EVERY_S)
    assert kept.results == [1, 2]


def test_results_that_are_refused_are_given_up(kept: Kept, logged_errors: list[LogEvent]) -> None:
    kept.error = ValueError("no")
    kept.later.start()
    kept.later.put(1, kept.at_once)
    kept.error = None
    kept.clock.pump([EVERY_S] * 3)
    assert kept.results == []
    assert len(logged_errors) == 1
    logged_errors.clear()
