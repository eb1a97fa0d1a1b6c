"""Tasks have an owner: bounded in number, logged when they fail, and awaited."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from mailsacd.core.errors import OverloadedError, UnavailableError
from mailsacd.work.tasks import PATIENCE_S, Tasks

MOST = 3


def make() -> tuple[Tasks, Clock]:
    clock = Clock()
    return Tasks("work", most=MOST, clock=clock), clock


async def wait(until: Deferred[Any]) -> None:
    await until


async def fail(error: Exception) -> None:
    raise error


def finish(tasks: Tasks) -> Deferred[None]:
    return Deferred.fromCoroutine(tasks.finish())


def test_what_ends_at_once_is_not_kept() -> None:
    tasks, _ = make()
    until: Deferred[None] = Deferred()
    until.callback(None)
    tasks.run(wait(until))
    assert len(tasks) == 0


def test_a_defect_is_logged_and_ends_that_task_alone(logged_errors: list[LogEvent]) -> None:
    tasks, _ = make()
    until: Deferred[None] = Deferred()
    tasks.run(wait(until))
    tasks.run(fail(RuntimeError("a defect")))
    assert len(tasks) == 1
    assert [event["log_failure"].value.args for event in logged_errors] == [("a defect",)]
    logged_errors.clear()
    until.callback(None)
    assert len(tasks) == 0


def test_what_is_away_is_no_defect() -> None:
    tasks, _ = make()
    tasks.run(fail(UnavailableError("The database is away")))
    assert len(tasks) == 0


def test_there_are_so_many_at_most() -> None:
    tasks, _ = make()
    untils: list[Deferred[None]] = [Deferred() for _ in range(MOST + 1)]
    for until in untils[:MOST]:
        tasks.run(wait(until))
    with pytest.raises(OverloadedError):
        tasks.run(wait(untils[MOST]))
    untils[0].callback(None)
    tasks.run(wait(untils[MOST]))


def test_finishing_awaits_what_is_under_way_and_what_that_begins() -> None:
    tasks, clock = make()
    first: Deferred[None] = Deferred()
    second: Deferred[None] = Deferred()

    async def begin_another() -> None:
        await first
        tasks.run(wait(second))

    tasks.run(begin_another())
    finished = finish(tasks)
    first.callback(None)
    assert not finished.called
    second.callback(None)
    assert finished.called
    assert not clock.getDelayedCalls()


def test_nothing_is_begun_any_more_then() -> None:
    tasks, _ = make()
    assert finish(tasks).called
    with pytest.raises(UnavailableError):
        tasks.run(wait(Deferred()))


def test_what_takes_too_long_is_cancelled() -> None:
    tasks, clock = make()
    cancelled: list[object] = []
    tasks.run(wait(Deferred(cancelled.append)))
    finished = finish(tasks)
    clock.advance(PATIENCE_S - 1)
    assert not cancelled
    clock.advance(1)
    assert cancelled
    assert finished.called
    assert not clock.getDelayedCalls()


def test_without_patience_all_is_cancelled_at_once() -> None:
    tasks, _ = make()
    cancelled: list[object] = []
    tasks.run(wait(Deferred(cancelled.append)))
    assert Deferred.fromCoroutine(tasks.finish(patience_s=0)).called
    assert cancelled
