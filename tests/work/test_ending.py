"""Waiting for work to end, and what is left when whoever waits goes away."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailsacd.work.ending import ended_within


def test_who_waits_may_go_away_before_the_work_has_ended() -> None:
    clock, work = Clock(), Deferred[Any]()
    waiting = ended_within(5.0, (work,), clock).__await__()
    next(waiting)
    waiting.close()  # as the collector of garbage does it
    work.callback(None)
    clock.advance(10)
    assert clock.getDelayedCalls() == []
