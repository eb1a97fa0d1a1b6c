"""Claims that nobody proves are given up in time."""

import pytest_twisted

from mailsacd.mail.ownership.unverified import UnverifiedDomains
from tests.mail.property import ANN, Node

DAYS = 90


async def _age(node: Node, domain: str, days: float) -> None:
    await node.database.run(
        "update domain set updated = now() - make_interval(hours => %s) where name = %s",
        (int(days * 24), domain),
    )


@pytest_twisted.ensureDeferred
async def test_a_claim_is_given_up_when_it_was_neither_proved_nor_changed(node: Node) -> None:
    unverified = UnverifiedDomains(node.database, node.directory, DAYS)
    await node.domains.add(ANN, "claimed.example")
    await node.domains.add(ANN, "hosted.host.example")
    await node.database.run("update domain set verified = true where name = 'claimed.example'")
    await node.addresses.reserve(ANN, "*@claimed.example")
    await node.database.run("update domain set verified = false where name = 'claimed.example'")
    for domain in ("claimed.example", "hosted.host.example"):
        await _age(node, domain, DAYS - 0.1)
    await unverified.give_up()
    assert len(await node.domains.of_account(ANN)) == 2
    for domain in ("claimed.example", "hosted.host.example"):
        await _age(node, domain, DAYS + 0.1)
    await unverified.give_up()
    assert [v.domain.name for v in await node.domains.of_account(ANN)] == ["hosted.host.example"]
    assert await node.addresses.of_account(ANN) == []


@pytest_twisted.ensureDeferred
async def test_a_claim_that_is_verified_or_used_stays(node: Node) -> None:
    unverified = UnverifiedDomains(node.database, node.directory, DAYS)
    await node.domains.add(ANN, "used.example")
    await node.domains.add(ANN, "proved.example")
    await node.database.run("update domain set verified = true where name = 'proved.example'")
    for domain in ("used.example", "proved.example"):
        await _age(node, domain, DAYS + 1)
    await node.domains.change(ANN, "used.example", enablews=True)
    await unverified.give_up()
    assert len(await node.domains.of_account(ANN)) == 2
