"""Nobody takes all turns, with or without an account."""

from twisted.internet.defer import Deferred

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.work.turns import CallerTurns


def _take(turns: CallerTurns, actor: Actor, count: int = 50) -> list["Deferred[None]"]:
    """Those of ``count`` who wait for theirs, or have them."""

    async def for_ever() -> None:
        await Deferred()

    begun = [Deferred.fromCoroutine(turns.run(actor, for_ever)) for _ in range(count)]
    for each in begun:
        each.addErrback(lambda _: None)
    return [each for each in begun if not each.called]


def test_one_caller_has_a_few_and_those_without_an_account_a_part() -> None:
    turns = CallerTurns(1, 50)
    ann = Actor(account="ann")
    taken = _take(turns, ann)
    assert len(taken) == 5
    assert len(_take(turns, ANYONE.at("192.0.2.1"))) == 5
    others = [len(_take(turns, ANYONE.at(f"198.51.100.{n}"))) for n in range(20)]
    assert sum(others) == 20
    assert len(_take(turns, Actor(account="bob"))) == 5
    for each in reversed(taken):
        each.cancel()
    assert len(_take(turns, ann)) == 5
