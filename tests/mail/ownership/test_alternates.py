"""Alternates are kept while somebody needs them, and what strangers can have kept is bounded."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import Clock

from mailsacd.core.address import Address, parse_address
from mailsacd.core.errors import ThrottledError
from mailsacd.mail.ownership import alternates
from mailsacd.mail.ownership.alternates import NEW_AGAIN_S, NEW_AT_ONCE, Alternates
from mailsacd.mail.receiving.accept import RecipientPolicy
from mailsacd.store.alternates import KEPT_DAYS, find_alternate
from mailsacd.store.pool import Database
from tests.mail.property import ANN, Node

reactor: Any = the_reactor
STRANGER = "192.0.2.1"


async def _ask(alternates: Alternates, email: str, peer: str = STRANGER) -> str:
    return await alternates.hand_out(parse_address(email), account=None, peer=peer)


async def _age(database: Database, days: int) -> None:
    await database.run(f"update alternate set last_asked = last_asked - {days}")


async def _there(database: Database) -> set[str]:
    return {address for (address,) in await database.fetch("select address from alternate")}


@pytest_twisted.ensureDeferred
async def test_one_that_nobody_needs_is_forgotten_and_others_are_renewed(node: Node) -> None:
    database = node.database
    alternates = Alternates(database, reactor=reactor)
    await node.addresses.reserve(ANN, "reserved@x.example")
    mailed = await _ask(alternates, "mailed@x.example")
    for email in ("asked@x.example", "forgotten@x.example"):
        await _ask(alternates, email)
    await _age(database, KEPT_DAYS + 1)
    later = Alternates(database, reactor=reactor)  # which remembers nothing
    await _ask(later, "asked@x.example")
    accept = RecipientPolicy(database, node.directory, ["*"])
    answer: Any = accept.recipient(f"{mailed}@any.example")
    assert (await answer).inbox == "mailed@x.example"
    await later.forget_old()
    needed = {"reserved@x.example", "mailed@x.example", "asked@x.example"}
    assert await _there(database) == needed
    await _age(database, KEPT_DAYS)
    await later.forget_old()
    assert await _there(database) == needed


@pytest_twisted.ensureDeferred
async def test_of_too_many_those_go_first_that_nobody_needed_for_longest(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alternates, "MAX_ALTERNATES", 3)
    handing_out = Alternates(node.database, reactor=reactor)
    await node.addresses.reserve(ANN, "reserved@x.example")
    await _ask(handing_out, "old@x.example")
    await _age(node.database, 1)
    for n in range(2):
        await _ask(handing_out, f"new{n}@x.example")
    await handing_out.forget_old()
    assert await _there(node.database) == {"reserved@x.example", "new0@x.example", "new1@x.example"}
    await _ask(handing_out, "old@x.example")  # is in the store anew
    assert "old@x.example" in await _there(node.database)


@pytest_twisted.ensureDeferred
async def test_reserved_ones_stay_however_many_there_are(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alternates, "MAX_ALTERNATES", 0)
    view = await node.addresses.reserve(ANN, "reserved@x.example")
    await Alternates(node.database, reactor=reactor).forget_old()
    assert await find_alternate(node.database, view.alternate.partition("@")[0]) == view.email


@pytest_twisted.ensureDeferred
async def test_a_stranger_has_so_many_made_at_once_and_those_that_are_known_for_nothing(
    database: Database,
) -> None:
    clock = Clock()
    clock.advance(1_000_000)
    handing_out = Alternates(database, reactor=clock)
    for n in range(NEW_AT_ONCE):
        handing_out._allowance.spend(STRANGER, str(n))
    await _ask(handing_out, "known@x.example", peer="127.0.0.1")
    await _ask(handing_out, "known@x.example")
    with pytest.raises(ThrottledError) as refused:
        await _ask(handing_out, "new@x.example")
    assert refused.value.retry_after_s == NEW_AGAIN_S
    await handing_out.hand_out(Address("new", "x.example"), account="ann", peer=STRANGER)
    await _ask(handing_out, "new2@x.example", peer="192.0.2.2")
    clock.advance(NEW_AGAIN_S)
    await _ask(handing_out, "new3@x.example")


@pytest_twisted.ensureDeferred
async def test_what_is_asked_for_again_is_renewed_once_a_day(database: Database) -> None:
    clock = Clock()
    clock.advance(1_000_000)
    handing_out = Alternates(database, reactor=clock)
    await _ask(handing_out, "a@x.example")
    await _age(database, 5)
    old = "select count(*) from alternate where last_asked < current_date"
    await _ask(handing_out, "a@x.example")
    assert await database.fetch(old) == [(1,)]
    clock.advance(86_400)
    await _ask(handing_out, "a@x.example")
    assert await database.fetch(old) == [(0,)]
