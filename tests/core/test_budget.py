"""The bound on mail in memory."""

from mailsacd.core.budget import ByteBudget


def test_a_new_message_waits_above_the_mark_and_goes_on_in_turn() -> None:
    budget, begun = ByteBudget(100), list[str]()

    def begin_first() -> None:
        begun.append("first")
        budget.take(60)

    budget.take(100)
    budget.when_open(begin_first)
    budget.when_open(lambda: begun.append("second"))
    assert begun == []
    budget.give(60)
    assert begun == ["first"]
    budget.give(60)
    assert begun == ["first", "second"]


def test_with_room_nobody_waits() -> None:
    begun: list[str] = []
    ByteBudget(100).when_open(lambda: begun.append("at once"))
    assert begun == ["at once"]


def test_a_connection_that_is_gone_is_forgotten() -> None:
    budget, begun = ByteBudget(100), list[str]()

    def go_on() -> None:
        begun.append("gone")

    budget.take(100)
    budget.when_open(go_on)
    budget.forget(go_on)
    budget.forget(go_on)
    budget.give(100)
    assert begun == []


def test_messages_under_way_may_grow_up_to_twice_the_mark() -> None:
    budget = ByteBudget(100)
    budget.take(199)
    assert not budget.open
    assert not budget.exhausted
    budget.take(1)
    assert budget.exhausted
