"""How links are opened: how many, for how long, for how many messages; and what is remembered."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred

from mailsacd.core.errors import OverloadedError
from mailsacd.mail.checks import links as opening
from mailsacd.mail.checks.check import Result
from mailsacd.mail.checks.found_links import Link
from mailsacd.mail.checks.links import MAX_MESSAGES, MAX_OF_ACCOUNT, MAX_OPENED, LinkChecks
from mailsacd.outbound.follow import Follower
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.tls import verifying_context
from tests.outbound.name_server import Network
from tests.outbound.receiver import OK, Receiver
from tests.patience import until

reactor: Any = the_reactor
Receive = Callable[..., Receiver]


class Pace:
    """Remembers what was counted, and refuses nothing."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, int]] = []

    def links(self, account: str, count: int) -> None:
        self.counted.append((account, count))


def make(network: Network, pace: Pace | None = None) -> LinkChecks:
    guard = Guard(network.resolver(), ["127.0.0.1"])
    context = verifying_context("", setting="checks.ca_file")
    follower = Follower(guard, context, reactor, agent="test/1")
    return LinkChecks(follower, pace or Pace(), reactor)


def check(
    checks: LinkChecks, links: Sequence[Link], message: str = "1", account: str = "ann"
) -> "Deferred[Result]":
    async def find() -> Sequence[Link]:
        return links

    checking = checks.check(account, ("bob@example.com", message), find, follows_all=False)
    return Deferred.fromCoroutine(checking)


def many(receiver: Receiver, count: int) -> list[Link]:
    return [Link(url=receiver.url(f"/{n}")) for n in range(count)]


@pytest_twisted.ensureDeferred
async def test_the_first_links_are_opened_and_counted(network: Network, receive: Receive) -> None:
    receiver, pace = receive(), Pace()
    left_out = [Link(url=receiver.url("/x"), left_out="one-time")]
    links = left_out + many(receiver, MAX_OPENED + 3)
    result = await check(make(network, pace), links)
    assert (len(receiver.got), pace.counted) == (MAX_OPENED, [("ann", MAX_OPENED)])
    assert receiver.most_at_a_time <= 5
    assert result.data["opened"] == MAX_OPENED
    assert [link["leftOut"] for link in result.data["links"][-4:]] == [None, *["limit"] * 3]
    assert [link["url"] for link in result.data["links"]] == [link.url for link in links]


@pytest_twisted.ensureDeferred
async def test_all_of_them_together_take_a_bounded_time(
    network: Network, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LINK_TIMEOUT_S", 0.1)
    monkeypatch.setattr(opening, "TOTAL_S", 0.15)
    receiver = receive(lambda _: None)
    result = await check(make(network), many(receiver, 20))
    left = [link["leftOut"] for link in result.data["links"]]
    assert (left.count("time"), result.data["opened"]) == (10, 10)
    await until(lambda: receiver.open == 0)


@pytest_twisted.ensureDeferred
async def test_who_asks_again_soon_is_told_the_same(
    network: Network, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, checks = receive(), make(network)
    links = many(receiver, 2)
    at_once = [check(checks, links), check(checks, links)]
    assert await at_once[0] is await at_once[1] is await check(checks, links)
    assert len(receiver.got) == 2
    await check(checks, links, "2")
    assert len(receiver.got) == 4
    monkeypatch.setattr(opening, "KEPT_S", 0.0)
    await check(checks, links)
    assert len(receiver.got) == 6


@pytest_twisted.ensureDeferred
async def test_so_many_messages_at_a_time_and_who_gives_up_makes_room(
    network: Network, receive: Receive
) -> None:
    receiver, checks = receive(lambda _: None), make(network)
    asked = [check(checks, many(receiver, 1), str(n), f"name{n // 2}") for n in range(MAX_MESSAGES)]
    with pytest.raises(OverloadedError):
        await check(checks, many(receiver, 1), "one more")
    await until(lambda: len(receiver.got) == MAX_MESSAGES)
    for each in asked:
        each.addErrback(lambda _: None)
        each.cancel()
    await until(lambda: receiver.open == 0)
    receiver.answer = lambda _: OK
    assert (await check(checks, many(receiver, 1), "one more")).data["opened"] == 1


@pytest_twisted.ensureDeferred
async def test_one_account_has_two_messages_at_a_time_and_finding_links_takes_no_place(
    network: Network, receive: Receive
) -> None:
    receiver, checks = receive(lambda _: None), make(network)
    finding: Deferred[Sequence[Link]] = Deferred()

    async def find() -> Sequence[Link]:
        return await finding

    first = checks.check("ann", ("a@b.example", "1"), find, follows_all=False)
    asked = [Deferred.fromCoroutine(first)]
    asked += [check(checks, many(receiver, 1), str(n)) for n in range(MAX_OF_ACCOUNT)]
    with pytest.raises(OverloadedError):
        await check(checks, many(receiver, 1), "one more")
    asked.append(check(checks, many(receiver, 1), "of another", "bob"))
    await until(lambda: len(receiver.got) == MAX_OF_ACCOUNT + 1)
    for each in asked:
        each.addErrback(lambda _: None)
        each.cancel()
    await until(lambda: receiver.open == 0)


@pytest_twisted.ensureDeferred
async def test_what_did_not_answer_is_asked_the_next_time(
    network: Network, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LINK_TIMEOUT_S", 0.1)
    receiver, checks = receive(lambda _: None), make(network)
    links = many(receiver, 1)
    first = await check(checks, links)
    receiver.answer = lambda _: OK
    again = await check(checks, links)
    assert [each.data["links"][0]["status"] for each in (first, again)] == [None, 200]
    assert await check(checks, links) is again
    network.usual.answers.failing.add("lost.example")
    lost = [Link(url="http://lost.example/")]
    assert await check(checks, lost, "2") is not await check(checks, lost, "2")
