"""How many connections there may be, and whose."""

from mailsacd.sockets.connections import CloseReason, Connections


class _Member:
    def check_time(self, now_s: float) -> None:
        raise NotImplementedError

    def stop(self, *, at_once: bool) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        raise NotImplementedError


def _entered(connections: Connections[_Member]) -> _Member:
    member = _Member()
    connections.enter(member)
    return member


def test_the_addresses_of_one_host_are_one_peer() -> None:
    connections: Connections[_Member] = Connections(max_connections=100, max_per_peer=2)
    answers = [
        connections.admit(_entered(connections), f"2001:db8:1:2::{host:x}") for host in range(4)
    ]
    assert answers == [None, None, CloseReason.TOO_MANY_FROM_PEER, CloseReason.TOO_MANY_FROM_PEER]
    assert connections.admit(_entered(connections), "2001:db8:1:3::1") is None


def test_who_leaves_makes_room_for_his_own_and_for_others() -> None:
    connections: Connections[_Member] = Connections(max_connections=2, max_per_peer=1)
    first, refused = _entered(connections), _entered(connections)
    assert connections.admit(first, "192.0.2.1") is None
    assert connections.admit(refused, "192.0.2.1") is CloseReason.TOO_MANY_FROM_PEER
    one_too_many = _entered(connections)
    assert connections.admit(one_too_many, "192.0.2.2") is CloseReason.TOO_MANY
    for gone in (refused, one_too_many, first):
        connections.leave(gone)
    assert connections.admit(_entered(connections), "192.0.2.1") is None


def test_nothing_is_left_of_who_is_gone() -> None:
    connections: Connections[_Member] = Connections(max_connections=9, max_per_peer=9)
    members = [_entered(connections) for _ in range(3)]
    for host, member in enumerate(members):
        connections.admit(member, f"192.0.2.{host}")
    for member in members:
        connections.close(member)
        connections.leave(member)
    assert not connections.members
    assert not connections.open
    assert [connections._counts.of(f"192.0.2.{host}") for host in range(3)] == [0, 0, 0]
