"""Lanes keep kinds of work apart, bound what waits, and drop what nobody waits for."""

import gc
import threading
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from mailsacd.core.errors import OverloadedError, UnavailableError
from mailsacd.work.threads import LARGE_BYTES, STOP_S, Lane, make_lanes

reactor: Any = the_reactor

LARGE = LARGE_BYTES + 1
MAX_WAITING = 4
MAX_WAITING_BYTES = 3 * LARGE


@pytest_twisted.async_yield_fixture
async def lane() -> AsyncIterator[Lane]:
    made = make_lane()
    yield made
    await made.stop()


def make_lane(threads: int = 1) -> Lane:
    return Lane(
        "test",
        threads=threads,
        max_waiting=MAX_WAITING,
        max_waiting_bytes=MAX_WAITING_BYTES,
        reactor=reactor,
    )


class Gate:
    """Work that lasts until it is opened."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._opened = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self._opened.wait(30)
        return threading.current_thread().name

    def open(self) -> None:
        self._opened.set()


def expect_cancel(waiting: Deferred[Any]) -> None:
    waiting.addErrback(lambda f: f.trap(CancelledError))
    waiting.cancel()


@pytest_twisted.ensureDeferred
async def test_small_work_is_done_at_once_on_the_reactor(lane: Lane) -> None:
    done = lane.run(LARGE_BYTES, threading.current_thread)
    assert done.called
    assert await done is threading.current_thread()


@pytest_twisted.ensureDeferred
async def test_large_work_is_done_in_a_thread_of_the_lane(lane: Lane) -> None:
    name = (await lane.run(LARGE, threading.current_thread)).name
    assert "test" in name
    assert (await lane.run_in_thread(threading.current_thread)).name == name


@pytest.mark.parametrize("size", [0, LARGE])
@pytest_twisted.ensureDeferred
async def test_whoever_asks_gets_the_error(lane: Lane, size: int) -> None:
    with pytest.raises(ZeroDivisionError):
        await lane.run(size, lambda: 1 // 0)


@pytest_twisted.ensureDeferred
async def test_work_begins_in_the_order_in_which_it_came(lane: Lane) -> None:
    order: list[int] = []

    def work(n: int) -> Deferred[None]:
        return lane.run_in_thread(lambda: order.append(n))

    await gatherResults([work(n) for n in range(MAX_WAITING)])
    assert order == list(range(MAX_WAITING))


@pytest_twisted.ensureDeferred
async def test_so_many_wait_at_most(lane: Lane) -> None:
    gate = Gate()
    waiting = [lane.run_in_thread(gate) for _ in range(1 + MAX_WAITING)]
    with pytest.raises(OverloadedError):
        await lane.run_in_thread(gate)
    gate.open()
    await gatherResults(waiting)
    await lane.run_in_thread(gate)


@pytest_twisted.ensureDeferred
async def test_so_many_bytes_wait_at_most(lane: Lane) -> None:
    gate = Gate()
    waiting = [lane.run(LARGE, gate) for _ in range(1 + 3)]
    with pytest.raises(OverloadedError):
        await lane.run(LARGE, gate)
    expect_cancel(waiting.pop())
    waiting.append(lane.run(LARGE, gate))
    gate.open()
    await gatherResults(waiting)


@pytest_twisted.ensureDeferred
async def test_one_may_wait_however_large_it_is(lane: Lane) -> None:
    gate = Gate()
    waiting = [lane.run(LARGE, gate), lane.run(10 * MAX_WAITING_BYTES, gate)]
    with pytest.raises(OverloadedError):
        await lane.run(LARGE, gate)
    gate.open()
    await gatherResults(waiting)


@pytest_twisted.ensureDeferred
async def test_what_nobody_waits_for_any_more_is_not_begun(lane: Lane) -> None:
    gate, never = Gate(), Gate()
    running = lane.run_in_thread(gate)
    expect_cancel(lane.run_in_thread(never))
    after = lane.run_in_thread(lambda: "after")
    gate.open()
    await running
    assert await after == "after"
    assert not never.begun.is_set()


@pytest_twisted.ensureDeferred
async def test_what_nobody_waits_for_any_more_holds_no_memory(lane: Lane) -> None:
    class Result:
        pass

    gate = Gate()
    made: list[weakref.ref[Result]] = []

    def work() -> Result:
        gate()
        result = Result()
        made.append(weakref.ref(result))
        return result

    given_up = lane.run_in_thread(work)
    assert await deferLater(reactor, 0, gate.begun.wait, 30)
    expect_cancel(given_up)
    gate.open()
    await lane.run_in_thread(lambda: None)
    await deferLater(reactor, 0.01)
    gc.collect()
    assert made[0]() is None


@pytest_twisted.ensureDeferred
async def test_what_is_given_up_while_it_runs_keeps_its_thread_until_it_ends(lane: Lane) -> None:
    gate, other = Gate(), Gate()
    expect_cancel(lane.run_in_thread(gate))
    waiting = lane.run_in_thread(other)
    await deferLater(reactor, 0.05)
    assert not other.begun.is_set()
    gate.open()
    other.open()
    await waiting


@pytest_twisted.ensureDeferred
async def test_no_lane_waits_for_another() -> None:
    lanes = make_lanes(reactor)
    gate = Gate()
    stuck = [lanes.readers.run_in_thread(gate) for _ in range(20)]
    for lane in (lanes.mail_in, lanes.passwords, lanes.keys, lanes.rest):
        assert await lane.run_in_thread(lambda: "done") == "done"
    gate.open()
    await gatherResults(stuck)
    await lanes.stop()


def test_a_lane_has_no_thread_before_it_is_used() -> None:
    before = threading.active_count()
    make_lanes(reactor)
    assert threading.active_count() == before


@pytest_twisted.ensureDeferred
async def test_stopping_refuses_what_waits_and_awaits_what_runs() -> None:
    lane = make_lane()
    gate = Gate()
    running, waiting = lane.run_in_thread(gate), lane.run_in_thread(gate)
    stopped = Deferred.fromCoroutine(lane.stop())
    with pytest.raises(UnavailableError):
        await waiting
    with pytest.raises(UnavailableError):
        await lane.run_in_thread(gate)
    assert not stopped.called
    gate.open()
    assert await stopped
    await running
    assert not any("test" in thread.name for thread in threading.enumerate())


@pytest_twisted.ensureDeferred
async def test_what_does_not_end_does_not_hold_the_stop_up() -> None:
    lane = make_lane()
    gate = Gate()
    running = lane.run_in_thread(gate)
    began_s = reactor.seconds()
    assert not await lane.stop()
    assert reactor.seconds() - began_s < STOP_S + 1
    assert all(t.daemon for t in threading.enumerate() if "test" in t.name)
    gate.open()
    await running
