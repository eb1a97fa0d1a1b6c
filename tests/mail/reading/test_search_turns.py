"""Nobody takes all places of searches, and a search has its time whatever others do."""

from contextlib import ExitStack, suppress
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.errors import OverloadedError
from mailsacd.mail.reading.search_turns import (
    MAX_OF_CALLER,
    MAX_UNDER_WAY,
    MAX_WITHOUT_ACCOUNT,
    TIME_S,
    WHOLE_TIME_S,
    SearchTurns,
)


def _begun(turns: SearchTurns, held: ExitStack, actor: Actor, count: int = 100) -> int:
    """So many of ``count`` searches have a place."""
    places = 0
    with suppress(OverloadedError):
        for _ in range(count):
            held.enter_context(turns.begun(actor))
            places += 1
    return places


@pytest.mark.parametrize(
    "callers",
    [
        [ANYONE.at("192.0.2.1")],
        [ANYONE.at(f"2001:db8::{n}") for n in range(20)],
        [Actor(account="ann", peer=f"192.0.2.{n}") for n in range(20)],
    ],
)
def test_one_caller_has_a_few_places(callers: list[Actor]) -> None:
    turns = SearchTurns(Clock())
    with ExitStack() as held:
        assert sum(_begun(turns, held, caller) for caller in callers) == MAX_OF_CALLER
    with ExitStack() as held:
        assert _begun(turns, held, callers[0]) == MAX_OF_CALLER


def test_callers_without_an_account_have_a_part_of_the_places() -> None:
    turns = SearchTurns(Clock())
    with ExitStack() as held:
        peers = [ANYONE.at(f"192.0.2.{n}") for n in range(100)]
        assert sum(_begun(turns, held, peer) for peer in peers) == MAX_WITHOUT_ACCOUNT
        accounts = [Actor(account=f"name{n}") for n in range(100)]
        others = sum(_begun(turns, held, account) for account in accounts)
        assert others == MAX_UNDER_WAY - MAX_WITHOUT_ACCOUNT


def test_waiting_for_a_turn_takes_nothing_of_the_time() -> None:
    clock = Clock()
    turns = SearchTurns(clock)
    reads: Deferred[None] = Deferred()

    async def read() -> None:
        await reads

    async def nothing() -> None:
        pass

    def start(coroutine: Any) -> None:
        Deferred.fromCoroutine(coroutine)

    with turns.begun(ANYONE) as first, turns.begun(ANYONE) as second:
        start(first.in_turn(read))
        start(second.in_turn(nothing))
        clock.advance(TIME_S + 1)
        reads.callback(None)
        assert first.is_over
        assert not second.is_over
        clock.advance(TIME_S - 0.5)
        assert not second.is_over
        clock.advance(1)
        assert second.is_over


def test_there_is_an_end_to_waiting() -> None:
    clock = Clock()
    turns = SearchTurns(clock)
    reads: Deferred[None] = Deferred()

    async def read() -> None:
        await reads

    with turns.begun(ANYONE) as first, turns.begun(ANYONE) as second:
        Deferred.fromCoroutine(first.in_turn(read))
        Deferred.fromCoroutine(second.in_turn(read))
        clock.advance(WHOLE_TIME_S + 0.1)
        reads.callback(None)
        assert second.is_over
