"""Domains: claimed, proved against real name servers, lost, taken over."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import DeferredList, ensureDeferred, gatherResults
from twisted.names import dns

from mailsacd.core.actor import ANYONE, Actor
from mailsacd.core.address import parse_address
from mailsacd.core.budget import ByteBudget
from mailsacd.core.errors import (
    BadAddressError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    MailsacdError,
    NotFoundError,
    UnauthenticatedError,
)
from mailsacd.core.ownership import Domain, Holding
from mailsacd.mail.receiving.compose import Composer
from mailsacd.mail.receiving.ingest import Ingest
from tests.lanes import LANES
from tests.mail.envelopes import envelope
from tests.mail.property import ANN, BOB, Node
from tests.outbound.name_server import Network

reactor: Any = the_reactor

TEAM_USER = Actor(account="ann", login="carl", team=True)
SIMPLE = b"From: a@example.net\r\nSubject: hi\r\n\r\nhello\r\n"


def _publish(network: Network, *texts: str, mx: str = "mx.host.example") -> None:
    """Make these the records of example.com."""
    network.own.answers.records["example.com"] = [
        *(dns.Record_TXT(text.encode()) for text in texts),
        *([dns.Record_MX(10, mx)] if mx else []),
    ]


async def _prove(node: Node, network: Network, actor: Actor) -> Domain:
    """Claim example.com, publish the proof, and have it looked at."""
    claim = (await node.domains.add(actor, "example.com")).domain
    _publish(network, claim.verification_txt)
    return (await node.domains.verify(actor, "example.com")).domain


async def _claim(node: Node, actor: Actor) -> Domain:
    (view,) = await node.domains.of_account(actor)
    return view.domain


async def _deliver(node: Node, *emails: str) -> None:
    ingest = Ingest(
        node.database,
        composer=Composer("mx.example", LANES.mail_in),
        budget=ByteBudget(1 << 20),
        reactor=reactor,
        ownership=node.directory,
    )
    for email in emails:
        await ingest.deliver(envelope(ingest, SIMPLE, email))


async def _rows(node: Node) -> list[tuple[Any, ...]]:
    return await node.database.fetch("select inbox, owner, private from message order by id", ())


@pytest_twisted.ensureDeferred
async def test_a_claim_is_not_verified_and_says_what_to_publish(node: Node) -> None:
    view = await node.domains.add(ANN, "Example.com.")
    domain = view.domain
    assert (domain.name, domain.owner, domain.verified) == ("example.com", "ann", False)
    assert (domain.is_private, domain.hosted, domain.verified_mx) == (True, False, False)
    assert domain.verification_txt.startswith("mailsac_")
    assert len(domain.verification_txt) == len("mailsac_") + 32
    assert [record.purpose for record in view.records] == ["MX", "TXT", "SPF", "DKIM", "DKIM"]
    assert [(r.purpose, r.type, r.name, r.value, r.published) for r in view.records[:3]] == [
        ("MX", "MX", "example.com", "10 mx.host.example.", False),
        ("TXT", "TXT", "example.com", domain.verification_txt, False),
        ("SPF", "TXT", "example.com", "v=spf1 a:mx.host.example ~all", False),
    ]


@pytest.mark.parametrize(
    ("actor", "name", "error"),
    [
        (ANYONE, "example.org", UnauthenticatedError),
        (TEAM_USER, "example.org", ForbiddenError),
        (ANN, "no domain", BadAddressError),
        (ANN, "a@example.org", BadAddressError),
        (ANN, "localhost", InvalidInputError),
        (ANN, "[192.0.2.1]", InvalidInputError),
        (ANN, "host.example", InvalidInputError),
        (ANN, "EXAMPLE.com", ConflictError),
        (BOB, "team.host.example", ConflictError),
        (BOB, "reserved.host.example", ConflictError),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_added(
    node: Node, actor: Actor, name: str, error: type[MailsacdError]
) -> None:
    await node.addresses.reserve(ANN, "x@reserved.host.example")
    await node.domains.add(ANN, "example.com")
    await node.domains.add(ANN, "team.host.example")
    with pytest.raises(error):
        await node.domains.add(actor, name)


@pytest_twisted.ensureDeferred
async def test_the_plan_says_how_many(node: Node) -> None:
    await node.domains.add(ANN, "a.example")
    await node.domains.add(ANN, "b.example")
    with pytest.raises(InvalidInputError, match="2 domains"):
        await node.domains.add(ANN, "c.example")
    await node.domains.remove(ANN, "a.example")
    await node.domains.add(ANN, "c.example")


def _calls(node: Node) -> list[Callable[[Actor], Awaitable[Any]]]:
    return [
        lambda actor: node.domains.get(actor, "example.com"),
        lambda actor: node.domains.remove(actor, "example.com"),
        lambda actor: node.domains.verify(actor, "example.com"),
        lambda actor: node.domains.set_privacy(actor, "example.com", is_private=False),
        lambda actor: node.domains.change(actor, "example.com", enablews=True),
    ]


@pytest_twisted.ensureDeferred
async def test_a_domain_that_another_account_has_is_not_there(node: Node, network: Network) -> None:
    await _prove(node, network, ANN)
    for call in _calls(node):
        with pytest.raises(NotFoundError):
            await call(BOB)
        with pytest.raises(UnauthenticatedError):
            await call(ANYONE)
    for call in _calls(node)[1:]:
        with pytest.raises(ForbiddenError):
            await call(TEAM_USER)
    assert await node.domains.of_account(BOB) == []
    assert (await _claim(node, ANN)).verified


@pytest_twisted.ensureDeferred
async def test_a_published_proof_verifies(node: Node, network: Network) -> None:
    domain = await _prove(node, network, ANN)
    assert (domain.verified, domain.verified_mx, domain.errors) == (True, True, ())
    (view,) = await node.domains.of_account(ANN)
    assert {r.purpose: r.published for r in view.records} == {
        "MX": True,
        "TXT": True,
        "SPF": False,
        "DKIM": False,
    }


@pytest.mark.parametrize(
    ("texts", "mx", "verified", "verified_mx", "told"),
    [
        ((), "mx.host.example", False, True, "no TXT record mailsac_"),
        (("mailsac_other",), "mx.host.example", False, True, "no TXT record mailsac_"),
        (("{proof}",), "", True, False, "no MX record: it should be mx.host.example"),
        (("{proof}",), "mail.other.example", True, False, "is mail.other.example: it should"),
        (("{proof}", "v=spf1 -all", "v=spf1 mx"), "MX.host.example", True, True, "2 SPF records"),
        (("{proof}", "v=spf1 a:mx.host.example ~all"), "mx.host.example", True, True, ""),
        (("x{proof}",), "mx.host.example", False, True, "no TXT record"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_published_decides(
    node: Node,
    network: Network,
    texts: tuple[str, ...],
    mx: str,
    told: str,
    *,
    verified: bool,
    verified_mx: bool,
) -> None:
    claim = (await node.domains.add(ANN, "example.com")).domain
    _publish(network, *(text.format(proof=claim.verification_txt) for text in texts), mx=mx)
    domain = (await node.domains.verify(ANN, "example.com")).domain
    assert (domain.verified, domain.verified_mx) == (verified, verified_mx)
    assert told in "; ".join(domain.errors)
    assert bool(domain.errors) == bool(told)


@pytest_twisted.ensureDeferred
async def test_a_name_server_that_fails_is_told_and_decides_nothing(
    node: Node, network: Network
) -> None:
    await _prove(node, network, ANN)
    network.own.answers.failing.add("example.com")
    domain = (await node.domains.verify(ANN, "example.com")).domain
    assert domain.verified
    assert [error.partition(":")[0] for error in domain.errors] == ["TXT", "MX"]
    network.own.answers.failing.clear()
    network.usual.answers.records.clear()
    domain = (await node.domains.verify(ANN, "example.com")).domain
    assert domain.verified
    assert "No name servers are known for example.com" in domain.errors[0]


@pytest_twisted.ensureDeferred
async def test_a_lost_proof_is_forgiven_for_a_week(node: Node, network: Network) -> None:
    proof = (await _prove(node, network, ANN)).verification_txt
    _publish(network)
    for _ in range(2):
        domain = (await node.domains.verify(ANN, "example.com")).domain
        assert domain.verified
        assert "no longer verified after 7 days" in domain.errors[-1]

    _publish(network, proof)
    domain = (await node.domains.verify(ANN, "example.com")).domain
    assert (domain.errors, domain.missing_since) == ((), None)

    _publish(network)
    await node.domains.verify(ANN, "example.com")
    await node.database.run("update domain set missing_since = now() - interval '8 days'")
    domain = (await node.domains.verify(ANN, "example.com")).domain
    assert not domain.verified
    assert await node.directory.holder(parse_address("x@example.com")) == Holding(
        owner=None, implicit=False
    )


@pytest_twisted.ensureDeferred
async def test_a_domain_changes_hands_by_proof(node: Node, network: Network) -> None:
    await _prove(node, network, ANN)
    await node.addresses.reserve(ANN, "x@example.com")
    await node.domains.change(ANN, "example.com", catch_all=True)
    await _deliver(node, "x@example.com")

    claim = (await node.domains.add(BOB, "example.com")).domain
    _publish(network, (await _claim(node, ANN)).verification_txt, claim.verification_txt)
    domain = (await node.domains.verify(BOB, "example.com")).domain
    assert not domain.verified
    assert "Another account's proof is published as well" in domain.errors[-1]

    _publish(network, claim.verification_txt)
    assert (await node.domains.verify(BOB, "example.com")).domain.verified
    lost = await _claim(node, ANN)
    assert not lost.verified
    assert lost.errors == ("Another account has proved that the domain is its own",)
    assert await node.addresses.of_account(ANN) == []
    for email in ("x@example.com", "y@example.com", "*@example.com"):
        assert await node.directory.holder(parse_address(email)) == Holding(
            owner="bob", implicit=True
        )
    await _deliver(node, "x@example.com")
    assert await _rows(node) == [("x@example.com", "ann", True), ("x@example.com", "bob", True)]
    with pytest.raises(UnauthenticatedError):
        await node.addresses.reserve(ANN, "x@example.com")


@pytest_twisted.ensureDeferred
async def test_who_proves_a_domain_gets_the_addresses_that_others_reserved_in_it(
    node: Node, network: Network
) -> None:
    await node.addresses.reserve(BOB, "ceo@example.com")
    await _prove(node, network, ANN)
    assert await node.addresses.of_account(BOB) == []
    await node.addresses.reserve(ANN, "ceo@example.com")


@pytest_twisted.ensureDeferred
async def test_of_two_who_prove_a_domain_at_once_one_gets_it(node: Node, network: Network) -> None:
    claims = [(await node.domains.add(who, "example.com")).domain for who in (ANN, BOB)]
    _publish(network, *(claim.verification_txt for claim in claims))
    for _ in range(3):
        await DeferredList(
            [ensureDeferred(node.domains.verify(who, "example.com")) for who in (ANN, BOB)],
            fireOnOneErrback=True,
        )
        verified = [(await _claim(node, who)).verified for who in (ANN, BOB)]
        assert sorted(verified) == [False, True]


@pytest_twisted.ensureDeferred
async def test_mail_of_a_verified_domain_is_the_owners(node: Node, network: Network) -> None:
    await _deliver(node, "a@example.com")
    await node.domains.add(BOB, "example.com")
    await _deliver(node, "b@example.com")
    await _prove(node, network, ANN)
    await _deliver(node, "c@example.com")
    await node.domains.set_privacy(ANN, "example.com", is_private=False)
    await _deliver(node, "d@example.com")
    await node.addresses.reserve(ANN, "e@example.com")
    await _deliver(node, "e@example.com")
    assert await _rows(node) == [
        ("a@example.com", None, False),
        ("b@example.com", None, False),
        ("c@example.com", "ann", True),
        ("d@example.com", "ann", False),
        ("e@example.com", "ann", True),
    ]
    await node.domains.set_privacy(ANN, "example.com", is_private=True)
    await node.domains.remove(ANN, "example.com")
    await _deliver(node, "f@example.com")
    assert (await _rows(node))[2:] == [
        ("c@example.com", "ann", True),
        ("d@example.com", "ann", True),
        ("e@example.com", "ann", True),
        ("f@example.com", None, False),
    ]


@pytest_twisted.ensureDeferred
async def test_privacy_decides_who_holds_its_addresses(node: Node, network: Network) -> None:
    await _prove(node, network, ANN)
    address = parse_address("x@example.com")
    assert (await node.directory.holder(address)).owner == "ann"
    view = await node.addresses.get(ANN, "x@example.com")
    assert (view.owner, view.implicit, view.address) == ("ann", True, None)
    for other in (BOB, ANYONE):
        with pytest.raises(UnauthenticatedError):
            await node.addresses.get(other, "x@example.com")
    await node.domains.set_privacy(ANN, "example.com", is_private=False)
    assert (await node.directory.holder(address)).owner is None
    assert (await node.addresses.get(BOB, "x@example.com")).owner is None
    found = await node.addresses.availability(BOB, "x@example.com")
    assert (found.available, found.owned) == (False, False)
    with pytest.raises(UnauthenticatedError):
        await node.addresses.reserve(BOB, "x@example.com")


@pytest_twisted.ensureDeferred
async def test_a_subdomain_of_the_operators_needs_no_proof(node: Node) -> None:
    view = await node.domains.add(ANN, "Team.host.example")
    assert (view.domain.hosted, view.domain.verified, view.domain.verified_mx) == (True, True, True)
    assert [record.purpose for record in view.records] == ["MX"]
    view = await node.domains.verify(ANN, "team.host.example")
    assert view.domain.verified
    deeper = await node.domains.add(BOB, "deeper.team.host.example")
    assert not deeper.domain.verified


@pytest_twisted.ensureDeferred
async def test_flags_are_set_one_by_one_and_one_domain_is_the_default(node: Node) -> None:
    for name in ("a.host.example", "b.host.example"):
        await node.domains.add(ANN, name)
        await node.domains.change(ANN, name, is_default=True)
    await node.domains.change(ANN, "a.host.example", enablews=True)
    found = [
        (v.domain.name, v.domain.is_default, v.domain.enablews)
        for v in await node.domains.of_account(ANN)
    ]
    assert found == [("b.host.example", True, False), ("a.host.example", False, True)]


@pytest_twisted.ensureDeferred
async def test_a_domain_tells_its_messages_and_catch_all(node: Node) -> None:
    await node.domains.add(ANN, "team.host.example")
    _, count, catch_all = await node.domains.get(ANN, "team.host.example")
    assert (count, catch_all) == (0, None)
    await node.domains.change(ANN, "team.host.example", catch_all=True)
    await _deliver(node, "a@team.host.example", "b@team.host.example", "c@example.com")
    _, count, catch_all = await node.domains.get(ANN, "team.host.example")
    assert count == 2
    assert catch_all is not None
    assert catch_all.email == "*@team.host.example"


@pytest_twisted.ensureDeferred
async def test_a_change_that_fails_leaves_nothing_of_itself(node: Node) -> None:
    await node.domains.add(ANN, "team.host.example")
    await node.database.run(
        """create function refuse() returns trigger language plpgsql as $$
               begin raise exception 'no'; end $$;
           create trigger refused before update on domain execute function refuse()"""
    )
    try:
        with pytest.raises(MailsacdError):
            await node.domains.change(ANN, "team.host.example", catch_all=True, enablews=True)
    finally:
        await node.database.run("drop function refuse cascade")
    (_, _, catch_all) = await node.domains.get(ANN, "team.host.example")
    assert catch_all is None


@pytest_twisted.ensureDeferred
async def test_what_two_change_of_a_domain_at_once_is_both_kept(node: Node) -> None:
    await node.domains.add(ANN, "team.host.example")
    changes: list[dict[str, bool]] = [
        {"enablews": True},
        {"is_default": True},
        {"is_private": False},
        {"catch_all": True},
        {"catch_all": True},
    ]
    await gatherResults(
        [ensureDeferred(node.domains.change(ANN, "team.host.example", **each)) for each in changes]
    )
    view, _, catch_all = await node.domains.get(ANN, "team.host.example")
    assert (view.domain.enablews, view.domain.is_default, view.domain.is_private) == (
        True,
        True,
        False,
    )
    assert catch_all is not None


@pytest_twisted.ensureDeferred
async def test_what_is_due_is_looked_at_once(node: Node, network: Network) -> None:
    claim = (await node.domains.add(ANN, "example.com")).domain
    _publish(network, claim.verification_txt)
    assert await node.domains.verify_due(limit=10, lease_s=60) == 0
    await node.database.run("update domain set next_check = now()")
    outcome: Any = await DeferredList(
        [ensureDeferred(node.domains.verify_due(limit=10, lease_s=60)) for _ in range(4)]
    )
    assert sorted(count for _, count in outcome) == [0, 0, 0, 1]
    assert (await _claim(node, ANN)).verified
    ((wait_s,),) = await node.database.fetch(
        "select extract(epoch from next_check - now())::float8 from domain", ()
    )
    assert 0.8 * 86_400 < wait_s < 1.2 * 86_400


@pytest_twisted.ensureDeferred
async def test_a_claim_that_nobody_proves_is_given_up(node: Node, network: Network) -> None:
    await node.domains.add(ANN, "example.com")
    _publish(network)
    for age, again_s in (("2 hours", 3_600), ("29 days", 86_400), ("31 days", 0)):
        await node.database.run(
            f"update domain set next_check = now(), created = now() - interval '{age}'"
        )
        assert await node.domains.verify_due(limit=10, lease_s=60) == 1
        ((wait_s,),) = await node.database.fetch(
            "select coalesce(extract(epoch from next_check - now()), 0)::float8 from domain", ()
        )
        assert 0.8 * again_s <= wait_s <= 1.2 * again_s
