"""Nobody takes all turns, with or without an account, and those who take many go round."""

from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.work.turns import CallerTurns, EvenTurns


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


def test_who_wants_many_turns_has_others_between_them() -> None:
    clock, done = Clock(), list[str]()
    turns = EvenTurns(clock)

    async def work(name: str) -> str:
        done.append(name)
        if name == "a1":
            raise ValueError(name)
        return name

    names = ["a0", "a1", "a2", "b0", "b1", "c0", *(f"d{n}" for n in range(2_000))]
    begun = {n: Deferred.fromCoroutine(turns.run(n[0], partial(work, n))) for n in names}
    gone = begun.pop("b1")
    gone.addErrback(lambda _: None).cancel()
    failed: list[Failure] = []
    begun["a1"].addErrback(failed.append)
    clock.pump([0] * (len(names) + 1))
    assert done[:9] == ["a0", "b0", "c0", "d0", "a1", "d1", "a2", "d2", "d3"]
    assert len(done) == len(names) - 1
    assert [str(each.value) for each in failed] == ["a1"]
    assert begun["d1999"].result == "d1999"
