"""A loop goes on whatever becomes of its steps, and nothing runs once it is stopped."""

from collections.abc import Callable
from contextlib import suppress
from math import inf

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from mailsacd.core.errors import StatementError, UnavailableError
from mailsacd.work.ending import AFTER_CANCEL_S
from mailsacd.work.loop import PATIENCE_S, Loop

EVERY_S = 10.0


class Steps:
    """Counts what it is asked to do, and does what it is told with each."""

    def __init__(self) -> None:
        self.begun = 0
        self.wait_s: float | None = None
        self.error: Exception | None = None
        self.under_way: Deferred[None] | None = None
        self.slow = False
        self.cancelled = 0

    async def __call__(self) -> float | None:
        self.begun += 1
        if self.slow:
            self.under_way = Deferred(self._count_cancel)
            await self.under_way
        if self.error is not None:
            raise self.error
        return self.wait_s

    def end(self) -> None:
        assert self.under_way is not None
        self.under_way.callback(None)

    def _count_cancel(self, _: object) -> None:
        self.cancelled += 1


def make(cancels: bool = False) -> tuple[Loop, Steps, Clock]:
    clock, steps = Clock(), Steps()
    return Loop("count", steps, every_s=EVERY_S, clock=clock, cancels=cancels), steps, clock


def run(work: Callable[[], object]) -> Deferred[None]:
    async def whole() -> None:
        await work()  # type: ignore[misc]  # each is a coroutine function

    return Deferred.fromCoroutine(whole())


def test_steps_come_at_the_usual_time() -> None:
    loop, steps, clock = make()
    loop.start()
    assert steps.begun == 0
    clock.advance(EVERY_S)
    assert steps.begun == 1
    clock.advance(EVERY_S - 1)
    assert steps.begun == 1
    clock.advance(1)
    assert steps.begun == 2


def test_a_step_says_when_the_next_one_comes() -> None:
    loop, steps, clock = make()
    steps.wait_s = 1.0
    loop.start(0)
    clock.advance(0)
    steps.wait_s = inf
    clock.advance(1)
    assert steps.begun == 2
    clock.advance(1_000)
    assert steps.begun == 2
    loop.wake()
    assert steps.begun == 3
    assert not clock.getDelayedCalls()


def test_a_step_need_be_no_coroutine() -> None:
    clock = Clock()
    done: list[int] = []
    loop = Loop("count", lambda: done.append(1), every_s=1, clock=clock)
    loop.start()
    clock.pump([1, 1, 1])
    assert len(done) == 3


@pytest.mark.parametrize(
    "error", [RuntimeError("a defect"), StatementError("refused"), KeyError("x")]
)
def test_any_defect_is_logged_and_the_loop_goes_on(
    error: Exception, logged_errors: list[LogEvent]
) -> None:
    loop, steps, clock = make()
    steps.error = error
    loop.start()
    for _ in range(9):
        clock.advance(EVERY_S)
    assert steps.begun == 9
    assert [event["n"] for event in logged_errors] == [1, 2, 4, 8]
    assert all(event["log_failure"].value is error for event in logged_errors)
    logged_errors.clear()
    steps.error = None
    clock.advance(EVERY_S)
    steps.error = error
    clock.advance(EVERY_S)
    assert [event["n"] for event in logged_errors] == [1]
    logged_errors.clear()


def test_what_is_away_is_no_defect() -> None:
    loop, steps, clock = make()
    steps.error = UnavailableError("The database is away")
    loop.start()
    for _ in range(3):
        clock.advance(EVERY_S)
    steps.error = None
    clock.advance(EVERY_S)
    assert steps.begun == 4


def test_a_step_that_somebody_else_cancelled_is_a_defect(logged_errors: list[LogEvent]) -> None:
    loop, steps, clock = make()
    steps.slow = True
    loop.start()
    clock.advance(EVERY_S)
    assert steps.under_way is not None
    steps.under_way.cancel()
    steps.slow = False
    clock.advance(EVERY_S)
    assert steps.begun == 2
    assert len(logged_errors) == 1
    logged_errors.clear()


def test_woken_during_a_step_it_does_another_one_soon() -> None:
    loop, steps, clock = make()
    steps.slow = True
    loop.start()
    loop.wake()
    loop.wake()
    loop.wake()
    assert steps.begun == 1
    steps.end()
    assert steps.begun == 2
    steps.end()
    assert steps.begun == 2
    clock.advance(EVERY_S)
    assert steps.begun == 3


def test_a_step_that_wakes_its_loop_leaves_others_their_turn() -> None:
    clock = Clock()
    begun: list[int] = []

    def step() -> None:
        begun.append(1)
        if len(begun) < 3:
            loop.wake()

    loop = Loop("count", step, every_s=1, clock=clock)
    loop.wake()
    assert len(begun) == 1
    clock.advance(0)
    assert len(begun) == 3
    assert not clock.getDelayedCalls()


def test_whoever_waits_for_a_step_waits_for_one_that_began_later() -> None:
    loop, steps, _ = make()
    steps.slow = True
    loop.start()
    first = run(loop.run_now)
    second = run(loop.run_now)
    assert steps.begun == 1
    steps.end()
    assert first.called
    assert not second.called
    assert steps.begun == 2
    steps.end()
    assert second.called


def test_whoever_waits_goes_on_when_the_step_fails(logged_errors: list[LogEvent]) -> None:
    loop, steps, _ = make()
    steps.error = RuntimeError("a defect")
    assert run(loop.run_now).called
    logged_errors.clear()


def test_a_stop_lets_the_step_under_way_end() -> None:
    loop, steps, clock = make()
    steps.slow = True
    loop.start()
    clock.advance(EVERY_S)
    waiting = run(loop.run_now)
    stopped = run(loop.stop)
    assert not stopped.called
    assert waiting.called  # there is no step any more that it could wait for
    steps.end()
    assert stopped.called
    assert not steps.cancelled
    assert not clock.getDelayedCalls()
    loop.wake()
    assert run(loop.run_now).called
    clock.advance(10 * EVERY_S)
    assert steps.begun == 1


def test_a_step_that_does_not_end_is_cancelled_by_the_stop() -> None:
    loop, steps, clock = make()
    steps.slow = True
    loop.wake()
    stopped = run(loop.stop)
    clock.advance(PATIENCE_S)
    assert stopped.called
    assert steps.cancelled == 1
    assert not clock.getDelayedCalls()


def test_a_loop_that_cancels_does_so_at_once() -> None:
    loop, steps, clock = make(cancels=True)
    steps.slow = True
    loop.wake()
    assert run(loop.stop).called
    assert steps.cancelled == 1
    assert not clock.getDelayedCalls()


def test_a_step_that_cannot_be_cancelled_does_not_hold_the_stop_up() -> None:
    clock = Clock()
    until: Deferred[None] = Deferred()

    async def step() -> None:
        with suppress(CancelledError):  # the defect that this is about
            await Deferred()
        await until

    loop = Loop("stay", step, every_s=1, clock=clock, cancels=True)
    loop.wake()
    stopped = run(loop.stop)
    assert not stopped.called
    clock.advance(AFTER_CANCEL_S)
    assert stopped.called
    until.callback(None)


def test_finishing_does_the_step_once_more_and_then_never_again() -> None:
    loop, steps, clock = make()
    steps.slow = True
    loop.wake()
    finished = run(loop.finish)
    assert steps.begun == 1
    steps.end()
    assert steps.begun == 2
    assert not finished.called
    steps.end()
    assert finished.called
    loop.wake()
    clock.advance(10 * EVERY_S)
    assert steps.begun == 2


def test_stopped_while_it_was_woken_it_leaves_nobody_waiting() -> None:
    clock = Clock()
    waiting: list[Deferred[None]] = []

    def step() -> None:
        if not waiting:
            waiting.append(run(loop.run_now))

    loop = Loop("count", step, every_s=1, clock=clock)
    loop.wake()
    assert not waiting[0].called  # for the next step, which has its turn soon
    assert run(loop.stop).called
    assert waiting[0].called
    assert not clock.getDelayedCalls()
