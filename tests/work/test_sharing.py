"""Many who ask for the same at once get one answer, and who gives up spoils it for nobody."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from mailsacd.work.sharing import Sharing


class Work:
    """Counts how often it is begun and cancelled."""

    def __init__(self) -> None:
        self.begun: list[Deferred[str]] = []
        self.cancelled = 0

    async def __call__(self) -> str:
        self.begun.append(Deferred(self._cancel))
        return await self.begun[-1]

    def _cancel(self, _: object) -> None:
        self.cancelled += 1


def result_of(waiting: Deferred[str]) -> str | Failure | None:
    found: list[str | Failure] = []
    waiting.addBoth(found.append)
    return found[0] if found else None


def test_what_is_under_way_is_waited_for() -> None:
    sharing: Sharing[str, str] = Sharing()
    work = Work()
    waiting = [sharing.get("a", work) for _ in range(3)]
    assert len(work.begun) == 1
    work.begun[0].callback("answer")
    assert [result_of(each) for each in waiting] == ["answer"] * 3


def test_what_has_ended_is_begun_anew() -> None:
    sharing: Sharing[str, str] = Sharing()
    work = Work()
    sharing.get("a", work)
    work.begun[0].callback("answer")
    sharing.get("a", work)
    assert len(work.begun) == 2


def test_other_keys_are_other_work() -> None:
    sharing: Sharing[str, str] = Sharing()
    work = Work()
    sharing.get("a", work)
    sharing.get("b", work)
    assert len(work.begun) == 2


def test_a_failure_is_everybodys() -> None:
    sharing: Sharing[str, str] = Sharing()
    work = Work()
    waiting = [sharing.get("a", work) for _ in range(2)]
    work.begun[0].errback(ValueError("no"))
    for each in waiting:
        failure = result_of(each)
        assert isinstance(failure, Failure)
        assert failure.check(ValueError)


def test_who_gives_up_takes_it_from_nobody_else() -> None:
    sharing: Sharing[str, str] = Sharing()
    work = Work()
    first, second = sharing.get("a", work), sharing.get("a", work)
    first.addErrback(lambda f: f.trap(CancelledError))
    first.cancel()
    assert not work.cancelled
    work.begun[0].callback("answer")
    assert result_of(second) == "answer"


def test_the_last_one_who_gives_up_cancels_the_work() -> None:
    sharing: Sharing[str, str] = Sharing()
    work = Work()
    for each in (sharing.get("a", work), sharing.get("a", work)):
        each.addErrback(lambda f: f.trap(CancelledError))
        each.cancel()
    assert work.cancelled == 1
    sharing.get("a", work)
    assert len(work.begun) == 2


def test_who_comes_after_it_was_forgotten_begins_anew() -> None:
    sharing: Sharing[str, str] = Sharing()
    work = Work()
    first = sharing.get("a", work)
    sharing.forget()
    second = sharing.get("a", work)
    work.begun[0].callback("old")
    third = sharing.get("a", work)
    work.begun[1].callback("new")
    assert [result_of(each) for each in (first, second, third)] == ["old", "new", "new"]


def test_what_is_answered_at_once_is_not_kept() -> None:
    sharing: Sharing[str, str] = Sharing()

    async def answer() -> str:
        return "answer"

    async def fail() -> str:
        raise ValueError("no")

    assert result_of(sharing.get("a", answer)) == "answer"
    assert isinstance(result_of(sharing.get("a", fail)), Failure)
    work = Work()
    sharing.get("a", work)
    assert len(work.begun) == 1
