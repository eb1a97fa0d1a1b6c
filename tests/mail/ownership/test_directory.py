"""Who holds what, remembered on each node and forgotten when it changes on another."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.task import deferLater

from mailsacd.core.address import parse_address
from mailsacd.core.cache import UNKNOWN
from mailsacd.core.ownership import PUBLIC, Holding
from mailsacd.mail.ownership.directory import REMEMBERED_DOMAINS
from mailsacd.store.notices import DIRECTORY, Notices, give_notice
from tests.lanes import LANES
from tests.mail.property import ANN, BOB, Node, make_node
from tests.outbound.name_server import Network
from tests.patience import until

reactor: Any = the_reactor

X = parse_address("x@team.host.example")


@pytest_twisted.async_yield_fixture
async def neighbour(node: Node, database_dsn: str, network: Network) -> AsyncIterator[Node]:
    """Another node on the same database."""
    notices = Notices(database_dsn, LANES.rest, reactor=reactor)
    made = make_node(node.database, notices, network.resolver(), reactor)
    notices.start()
    await until(lambda: notices.listening)
    yield made
    await notices.stop()


MARK = "mark@nobodys.example"


async def _remembered(node: Node) -> None:
    """Have a node look until it remembers, with no notice under way."""
    addresses = node.directory._memory.addresses
    while addresses.get(MARK) is UNKNOWN:
        await node.directory.owner(MARK)
        await deferLater(reactor, 0.002)
    await give_notice(node.database, DIRECTORY, MARK)
    while addresses.get(MARK) is not UNKNOWN:  # all that were given before have come, too
        await deferLater(reactor, 0.002)
    for _ in range(1000):
        await node.directory.holder(X)
        await node.directory.domain(X.domain)
        if node.directory.known_domain(X.domain) is not UNKNOWN:
            return
        await deferLater(reactor, 0.002)
    raise AssertionError("it never remembers")


@pytest_twisted.ensureDeferred
async def test_what_changes_is_forgotten_by_every_node(node: Node, neighbour: Node) -> None:
    holding: list[Holding] = [PUBLIC]

    async def told(change: Any, expected: Holding) -> None:
        await _remembered(neighbour)
        await change
        assert await node.directory.holder(X) == expected, "at once where it was changed"
        for _ in range(1000):
            holding[0] = await neighbour.directory.holder(X)
            if holding[0] == expected:
                return
            await deferLater(reactor, 0.002)
        raise AssertionError(holding)

    mine = Holding(owner="ann", implicit=True)
    name = X.domain
    await told(node.domains.add(ANN, name), mine)
    await told(node.domains.set_privacy(ANN, name, is_private=False), PUBLIC)
    await told(node.domains.set_privacy(ANN, name, is_private=True), mine)
    await told(node.addresses.reserve(ANN, str(X)), Holding(owner="ann", implicit=False))
    await told(node.addresses.release(ANN, str(X), delete_messages=False), mine)
    await told(node.domains.remove(ANN, name), PUBLIC)
    await told(node.addresses.reserve(BOB, str(X)), Holding(owner="bob", implicit=False))
    await _remembered(neighbour)
    await node.database.run("delete from address")
    await give_notice(node.database, DIRECTORY, "")
    await until(lambda: neighbour.directory.known_domain(name) is UNKNOWN)


@pytest_twisted.ensureDeferred
async def test_what_is_asked_for_again_and_again_costs_no_question(node: Node) -> None:
    await node.domains.add(ANN, X.domain)
    await _remembered(node)
    before = await node.directory.holder(X)
    await node.database.run("delete from domain")  # behind its back: nobody gives a notice
    assert await node.directory.holder(X) == before
    node.directory.forget_all()
    assert await node.directory.holder(X) == PUBLIC


@pytest_twisted.ensureDeferred
async def test_a_node_that_hears_nothing_remembers_nothing(node: Node) -> None:
    await _remembered(node)
    await node.notices.stop()
    await until(lambda: not node.notices.listening)
    assert node.directory.known_domain(X.domain) is UNKNOWN
    await node.directory.holder(X)
    assert node.directory.known_domain(X.domain) is UNKNOWN
    await node.database.run("insert into address (email, domain, owner) values (%s, %s, 'ann')",
                            (str(X), X.domain))  # fmt: skip
    assert (await node.directory.holder(X)).owner == "ann"


def test_memory_is_bounded(node: Node) -> None:
    directory = node.directory
    for n in range(REMEMBERED_DOMAINS + 10):
        directory._memory.domains.remember(f"d{n}.example", None)
    assert len(directory._memory.domains._values) == REMEMBERED_DOMAINS
    assert directory.known_domain("d0.example") is UNKNOWN
