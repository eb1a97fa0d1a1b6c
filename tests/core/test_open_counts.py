"""What a peer has open is counted over all workers of a node, and given back with a dead one."""

import os

from mailsacd.core.limit_memory import LimitMemory, shared_file
from mailsacd.core.open_counts import OpenCounts

PEER = "192.0.2.1"


def workers() -> tuple[LimitMemory, LimitMemory]:
    descriptor = shared_file(seats=2)
    both = LimitMemory(descriptor), LimitMemory(descriptor, seat=1)
    os.close(descriptor)
    return both


def test_no_more_than_the_limit_over_all_workers() -> None:
    first, second = (OpenCounts("smtp", memory) for memory in workers())
    entered = [counts.enter(PEER, 5) for counts in (first, second) * 5]
    assert sum(entered) == 5
    assert first.of(PEER) == second.of(PEER) == 5
    assert second.enter("192.0.2.2", 5)
    first.leave(PEER)
    assert second.enter(PEER, 5)
    assert not first.enter(PEER, 5)


def test_what_a_dead_worker_had_open_is_given_back_and_no_more() -> None:
    dead, living = workers()
    for _ in range(3):
        OpenCounts("smtp", dead).add(PEER)
    OpenCounts("smtp", living).add(PEER)
    living.clear_seat(0)
    assert OpenCounts("smtp", living).of(PEER) == 1


def test_one_port_s_are_not_another_s() -> None:
    memory, _ = workers()
    OpenCounts("smtp", memory).add(PEER)
    assert OpenCounts("pop3", memory).of(PEER) == 0


def test_many_peers_are_told_apart() -> None:
    counts = OpenCounts("smtp")
    names = [f"10.0.{n >> 8}.{n & 255}" for n in range(5_000)]
    for name in names:
        counts.add(name)
    assert sum(counts.of(name) > 1 for name in names) < 100  # a peer is let have thousands
    for name in names:
        counts.leave(name)
    assert {counts.of(name) for name in names} == {0}
