"""Whose turn it is: those who make much effort to no effect come after all others."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent

from mailsacd.sockets.fair_queue import PLACES_A_TURN, FairQueue
from mailsacd.sockets.read_control import FREE_EFFORTS, LITTLE_BYTES, ReadControl


class _Turns:
    """A reactor's turns, one at a time."""

    def __init__(self) -> None:
        self.next: list[Callable[[], None]] = []

    def callLater(self, delay: float, call: Callable[[], None]) -> None:  # noqa: N802  Twisted's
        assert delay == 0
        self.next.append(call)

    def pass_one(self) -> None:
        calls, self.next = self.next, []
        for call in calls:
            call()


def turns() -> Any:
    """In the place of a reactor."""
    return _Turns()


class _Connection:
    def __init__(self, fair_queue: FairQueue) -> None:
        self.transport = StringTransport()
        self.read_control = ReadControl(fair_queue)
        self.read_control.begin(self.transport)  # type: ignore[arg-type]

    @property
    def is_read(self) -> bool:
        return self.transport.producerState == "producing"

    def tire(self) -> None:
        for _ in range(FREE_EFFORTS + 1):
            self.read_control.came(1)
        self.read_control.worked(0, keeps_up=True)


def test_so_many_go_on_in_a_turn_and_in_their_order() -> None:
    clock, went = turns(), list[int]()
    fair_queue = FairQueue(clock)
    for place in range(2 * PLACES_A_TURN + 1):
        fair_queue.wait(lambda place=place: went.append(place))  # type: ignore[misc]
    for passed in (1, 2, 3):
        clock.pass_one()
        assert went == list(range(min(passed * PLACES_A_TURN, 2 * PLACES_A_TURN + 1)))
    assert clock.next == []


def test_who_waits_again_waits_for_the_next_turn() -> None:
    clock, went = turns(), list[str]()
    fair_queue = FairQueue(clock)

    def again() -> None:
        went.append("again")
        fair_queue.wait(again)

    fair_queue.wait(again)
    fair_queue.wait(lambda: went.append("other"))
    clock.pass_one()
    assert went == ["again", "other"]
    clock.pass_one()
    assert went == ["again", "other", "again"]


def test_one_connections_defect_holds_up_no_other(logged_errors: list[LogEvent]) -> None:
    clock, went = turns(), list[str]()
    fair_queue = FairQueue(clock)
    fair_queue.wait(lambda: went.remove("not there"))
    fair_queue.wait(lambda: went.append("other"))
    clock.pass_one()
    assert went == ["other"]
    assert [event["log_failure"].type for event in logged_errors] == [ValueError]
    logged_errors.clear()


@pytest.mark.parametrize("drips", [True, False])
def test_who_makes_an_effort_to_no_effect_is_read_in_turns(drips: bool) -> None:
    clock = turns()
    connection = _Connection(FairQueue(clock))
    read_control = connection.read_control
    read_control.expect(message=drips)
    for _ in range(FREE_EFFORTS):
        assert connection.is_read
        if drips:
            read_control.came(1)
        read_control.worked(0 if drips else 1, keeps_up=True)
    read_control.came(1)
    read_control.worked(0, keeps_up=True)
    assert not connection.is_read
    clock.pass_one()
    assert connection.is_read
    read_control.worked(1, keeps_up=True)
    assert not connection.is_read


def test_what_has_an_effect_is_no_effort() -> None:
    connection = _Connection(FairQueue(turns()))
    for _ in range(3):
        for _ in range(FREE_EFFORTS // 2):
            connection.read_control.came(1)
            connection.read_control.worked(1, keeps_up=True)
        connection.read_control.expect(message=True)
        for _ in range(FREE_EFFORTS):
            connection.read_control.came(LITTLE_BYTES)
            connection.read_control.worked(0, keeps_up=True)
        connection.read_control.expect(message=False)
        assert connection.is_read
        connection.read_control.effect()


def test_who_has_rested_is_read_only_if_more_is_wanted_and_can_come() -> None:
    clock = turns()
    full, ended = _Connection(fair_queue := FairQueue(clock)), _Connection(fair_queue)
    full.tire()
    full.read_control.worked(0, keeps_up=False)
    ended.tire()
    ended.read_control.end()
    clock.pass_one()
    assert not full.is_read
    assert not ended.is_read
    full.read_control.worked(0, keeps_up=True)
    clock.pass_one()
    assert full.is_read
