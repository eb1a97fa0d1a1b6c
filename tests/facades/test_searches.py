"""How long searches that read messages may go on, and how many at a time."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mailsacd.core.errors import OverloadedError
from mailsacd.facades.searches import MAX_UNDER_WAY, Searches
from mailsacd.mail.reading.search_turns import TIME_S

MAILS: Any = list(range(500))  # what is looked at is for `look` alone to know


def failures_of(search: Deferred[Any]) -> list[str]:
    """What those who ask are told; empty while the search goes on."""
    told: list[str] = []

    def failed(failure: Failure) -> None:
        failure.trap(OverloadedError)
        told.append(failure.value.public)  # type: ignore[union-attr]  # an OverloadedError's

    search.addErrback(failed)
    return told


def begun(searches: Searches, look: Any) -> Deferred[Any]:
    return Deferred.fromCoroutine(searches.among(MAILS, look))


def test_a_search_that_takes_too_long_fails_and_finds_no_half() -> None:
    clock = Clock()
    searches = Searches(clock)
    looked = []

    async def look(mail: Any) -> Any:
        looked.append(mail)
        clock.advance(TIME_S / 10)
        return mail if mail % 2 else None

    (told,) = failures_of(begun(searches, look))
    assert "too long" in told
    assert len(looked) == 11


def test_what_is_found_has_no_none_among_it() -> None:
    async def look(mail: Any) -> Any:
        return mail if mail % 100 == 0 else None

    assert begun(Searches(Clock()), look).result == [0, 100, 200, 300, 400]


def test_one_reads_at_a_time_and_no_more_wait_than_is_bearable() -> None:
    searches = Searches(Clock())
    reading: list[Deferred[None]] = []

    async def look(_: Any) -> None:
        reading.append(Deferred())
        await reading[-1]

    many = [begun(searches, look) for _ in range(MAX_UNDER_WAY)]
    assert len(reading) == 1
    assert failures_of(begun(searches, look))
    for each in many:
        each.addErrback(lambda _: None)
        each.cancel()
