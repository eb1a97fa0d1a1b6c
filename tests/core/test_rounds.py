"""Everybody is visited once in a round, however many come at once."""

from mailsacd.core.rounds import Rounds


def test_each_member_is_visited_once_in_a_round_and_the_work_is_spread() -> None:
    rounds: Rounds[int] = Rounds(10)
    for member in range(95):
        rounds.add(member)
    steps = [rounds.step() for _ in range(10)]
    assert sorted(member for step in steps for member in step) == list(range(95))
    assert max(map(len, steps)) == 10


def test_who_has_gone_is_not_visited() -> None:
    rounds: Rounds[int] = Rounds(2)
    rounds.add(1)
    rounds.add(2)
    rounds.discard(1)
    rounds.discard(1)
    assert (len(rounds), 1 in rounds, 2 in rounds) == (1, False, True)
    assert rounds.step() + rounds.step() == rounds.members() == (2,)


def test_members_may_go_while_they_are_visited() -> None:
    rounds: Rounds[int] = Rounds(1)
    for member in range(5):
        rounds.add(member)
    for member in rounds.step():
        rounds.discard(member)
    assert len(rounds) == 0
