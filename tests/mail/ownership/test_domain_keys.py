"""DKIM keys of domains: made, found in the DNS, changed, sealed."""

from dataclasses import replace
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.names import dns

from mailsacd.core.dkim import DkimKey, is_record_of
from mailsacd.core.errors import NotFoundError
from mailsacd.mail.accounts.sealing import SealError
from mailsacd.mail.ownership.dkim_sealing import new_key, seal, unseal
from mailsacd.mail.ownership.domain_keys import KEPT_DAYS
from tests.mail.property import ANN, BOB, Node
from tests.outbound.name_server import Network

reactor: Any = the_reactor

DOMAIN = "example.com"


def publish(network: Network, *keys: DkimKey) -> None:
    """Put the records of ``keys`` into the DNS."""
    for key in keys:
        text = key.record_text
        pieces = [text[at : at + 255].encode() for at in range(0, len(text), 255)]
        network.own.answers.records[key.record_name] = [dns.Record_TXT(*pieces)]


async def _states(node: Node, owner: str | None = "ann") -> list[str]:
    return [f"{key.algorithm} {key.state}" for key in await node.keys.of_domain(DOMAIN, owner)]


@pytest_twisted.ensureDeferred
async def test_a_domain_has_two_keys_as_soon_as_it_is_claimed(node: Node) -> None:
    view = await node.domains.add(ANN, DOMAIN)
    keys = await node.keys.of_domain(DOMAIN, "ann")
    assert await _states(node) == ["rsa-sha256 waiting", "ed25519-sha256 waiting"]
    assert [
        (r.type, r.name, r.value, r.published) for r in view.records if r.purpose == "DKIM"
    ] == [("TXT", key.record_name, key.record_text, False) for key in keys]
    assert keys[0].record_text.startswith("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOC")
    (listed,) = await node.domains.of_account(ANN)
    assert listed.records == view.records


@pytest_twisted.ensureDeferred
async def test_two_accounts_that_claim_a_domain_have_different_keys(node: Node) -> None:
    for actor in (ANN, BOB):
        await node.domains.add(actor, DOMAIN)
    anns, bobs = [await node.keys.of_domain(DOMAIN, name) for name in ("ann", "bob")]
    assert not {key.selector for key in anns} & {key.selector for key in bobs}
    await node.domains.remove(ANN, DOMAIN)
    assert await node.keys.of_domain(DOMAIN, "ann") == []
    assert await node.keys.of_domain(DOMAIN, "bob") == bobs


@pytest_twisted.ensureDeferred
async def test_a_name_below_the_hosting_domain_has_none_of_its_own(node: Node) -> None:
    view = await node.domains.add(ANN, "team.host.example")
    assert [record.purpose for record in view.records] == ["MX"]
    vouched = await node.domains.add(ANN, DOMAIN, vouched=True)
    assert [record.purpose for record in vouched.records] == ["MX", "DKIM", "DKIM"]


@pytest_twisted.ensureDeferred
async def test_verification_tells_which_records_are_there(node: Node, network: Network) -> None:
    await node.domains.add(ANN, DOMAIN)
    rsa, _ = await node.keys.of_domain(DOMAIN, "ann")
    publish(network, rsa)
    view = await node.domains.verify(ANN, DOMAIN)
    assert [r.published for r in view.records if r.purpose == "DKIM"] == [True, False]
    assert await _states(node) == ["rsa-sha256 active", "ed25519-sha256 waiting"]
    assert "domainkey" not in "".join(view.domain.errors)


@pytest_twisted.ensureDeferred
async def test_a_record_of_another_key_is_amiss(node: Node, network: Network) -> None:
    await node.domains.add(ANN, DOMAIN)
    rsa, _ = await node.keys.of_domain(DOMAIN, "ann")
    publish(network, replace(rsa, public=b"another"))
    view = await node.domains.verify(ANN, DOMAIN)
    assert view.domain.errors[-1] == (
        f"The TXT record of {rsa.record_name} is not the key of this server"
    )


@pytest_twisted.ensureDeferred
async def test_what_the_dns_does_not_answer_is_told_and_changes_nothing(
    node: Node, network: Network
) -> None:
    await node.domains.add(ANN, DOMAIN)
    keys = await node.keys.of_domain(DOMAIN, "ann")
    publish(network, *keys)
    await node.keys.look(DOMAIN, "ann")
    network.own.answers.failing |= {key.record_name for key in keys}
    errors = await node.keys.look(DOMAIN, "ann")
    assert [error.partition(" The")[0] for error in errors] == ["DKIM:", "DKIM:"]
    assert all(key.published for key in await node.keys.of_domain(DOMAIN, "ann"))


@pytest_twisted.ensureDeferred
async def test_keys_are_changed_without_a_time_in_which_none_is_published(
    node: Node, network: Network
) -> None:
    await node.domains.add(ANN, DOMAIN)
    old = await node.keys.of_domain(DOMAIN, "ann")
    publish(network, *old)
    await node.keys.look(DOMAIN, "ann")
    changed = await node.keys.change(DOMAIN, "ann")
    assert [key.state for key in changed] == ["active"] * 2 + ["waiting"] * 2
    assert await node.keys.change(DOMAIN, "ann") == changed  # they wait already
    publish(network, *changed)
    await node.keys.look(DOMAIN, "ann")
    after = await node.keys.of_domain(DOMAIN, "ann")
    assert [key.state for key in after] == ["retired"] * 2 + ["active"] * 2
    assert [key.selector for key in after[:2]] == [key.selector for key in old]

    await node.keys.keep()
    assert len(await node.keys.of_domain(DOMAIN, "ann")) == 4
    await node.database.run(
        "update dkim_key set retired = retired - make_interval(days => %s)", (KEPT_DAYS + 1,)
    )
    await node.keys.keep()
    assert [key.state for key in await node.keys.of_domain(DOMAIN, "ann")] == ["active"] * 2


@pytest_twisted.ensureDeferred
async def test_keys_are_made_active_whatever_the_dns_says(node: Node) -> None:
    await node.keys.change("host.example", None)
    active = await node.keys.activate("host.example", None)
    assert [(key.state, key.published) for key in active] == [("active", False)] * 2


@pytest_twisted.ensureDeferred
async def test_several_who_ask_at_once_get_the_same_keys(node: Node) -> None:
    asked = [ensureDeferred(node.keys.change("host.example", None)) for _ in range(4)]
    found = await gatherResults(asked)
    assert len(await node.keys.of_domain("host.example", None)) == 2
    assert all(keys == found[0] for keys in found)


@pytest_twisted.ensureDeferred
async def test_a_claim_that_is_not_there_gets_no_keys(node: Node) -> None:
    with pytest.raises(NotFoundError):
        await node.keys.change(DOMAIN, "ann")
    await node.keys.have(DOMAIN, "ann")
    assert await node.keys.of_domain(DOMAIN, "ann") == []


@pytest_twisted.ensureDeferred
async def test_who_adds_domains_again_and_again_has_few_keys_made(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node.keys._allowance, "_at_once", 2)
    for records in (5, 5, 3):
        view = await node.domains.add(ANN, DOMAIN)
        assert len(view.records) == records
        await node.domains.remove(ANN, DOMAIN)
    assert len((await node.domains.add(BOB, DOMAIN)).records) == 5


@pytest_twisted.ensureDeferred
async def test_the_loop_makes_the_keys_of_verified_domains_and_looks_for_them(
    node: Node, network: Network
) -> None:
    for name in (DOMAIN, "example.org"):
        await node.domains.add(ANN, name)
    await node.database.run("delete from dkim_key")
    await node.database.run("update domain set verified = name = %s", (DOMAIN,))
    assert await node.keys.keep() is None
    keys = await node.keys.of_domain(DOMAIN, "ann")
    assert len(keys) == 2
    assert await node.keys.of_domain("example.org", "ann") == []
    publish(network, *keys)
    await node.keys.keep()
    assert {key.state for key in await node.keys.of_domain(DOMAIN, "ann")} == {"waiting"}  # not due
    await node.database.run("update dkim_key set next_look = now()")
    await node.keys.keep()
    assert {key.state for key in await node.keys.of_domain(DOMAIN, "ann")} == {"active"}


def test_a_sealed_key_opens_for_what_it_was_sealed_for_alone() -> None:
    private, public = new_key("ed25519-sha256")
    sealed = seal(b"s" * 32, private, domain=DOMAIN, selector="a")
    opened = unseal(b"s" * 32, sealed, domain=DOMAIN, selector="a")
    assert opened.public_key().public_bytes_raw() == public  # type: ignore[union-attr]  # no RSA key
    assert seal(b"s" * 32, private, domain=DOMAIN, selector="a") != sealed
    for secret, place, text in (
        (b"t" * 32, DOMAIN, sealed),
        (b"s" * 32, "example.org", sealed),
        (b"s" * 32, DOMAIN, sealed[:-1]),
        (b"s" * 32, DOMAIN, b""),
    ):
        with pytest.raises(SealError):
            unseal(secret, text, domain=place, selector="a")


@pytest_twisted.ensureDeferred
async def test_the_record_of_a_key_is_known_however_it_is_written(node: Node) -> None:
    key = (await node.keys.change("host.example", None))[0]
    data = key.record_text.partition("p=")[2]
    for text in (
        key.record_text,
        f"k=rsa; p={data}",
        f"v=DKIM1;p={data};t=s",
        f"v=DKIM1 ; k=rsa ; h=sha256 ; p={data[:100]} {data[100:]} ;",
    ):
        assert is_record_of(key, ("v=spf1 -all", text))
    for text in ("", "v=DKIM1; k=rsa; p=", f"v=DKIM2; p={data}", f"v=DKIM1; k=ed25519; p={data}"):
        assert not is_record_of(key, (text,))
