"""Asking name servers: real ones, on the loopback."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.names import dns

from mailsacd.core.dns import Found, MailHost
from mailsacd.core.errors import ConfigurationError, LookupFailedError
from mailsacd.outbound.dns import MAX_ALIASES, Resolver
from mailsacd.settings import DnsSettings
from tests.outbound.name_server import NameServer, Network

reactor: Any = the_reactor


@pytest_twisted.ensureDeferred
async def test_what_is_asked_at_the_source_is_no_older_than_there(network: Network) -> None:
    resolver = network.resolver()
    assert await resolver.texts("example.com") == Found(("stale",))
    assert await resolver.texts("example.com", at_source=True) == Found(("fresh",))
    hosts = await resolver.mail_hosts("example.com", at_source=True)
    assert hosts == Found((MailHost(10, "mx.example.com"),))


@pytest_twisted.ensureDeferred
async def test_the_servers_of_a_name_are_those_of_the_zone_above(network: Network) -> None:
    network.own.answers.add("deep.sub.example.com", dns.Record_TXT(b"below"))
    found = await network.resolver().texts("deep.sub.example.com", at_source=True)
    assert found == Found(("below",))


@pytest_twisted.ensureDeferred
async def test_servers_on_a_private_network_are_left_to_the_usual_one(network: Network) -> None:
    resolver = network.resolver(allowed_networks=())
    assert await resolver.texts("example.com", at_source=True) == Found(("stale",))
    assert network.own.answers.asked == []


@pytest_twisted.ensureDeferred
async def test_a_text_is_put_together_and_a_long_answer_comes_by_tcp(network: Network) -> None:
    long = [b"x" * 255, b"y" * 255, b"z" * 255]
    network.usual.answers.add("long.example.com", dns.Record_TXT(*long))
    found = await network.resolver().texts("long.example.com")
    assert found == Found((b"".join(long).decode(),))


@pytest_twisted.ensureDeferred
async def test_mail_hosts_come_in_the_order_to_try_them(network: Network) -> None:
    network.usual.answers.add(
        "many.example.com", dns.Record_MX(20, "b.example"), dns.Record_MX(5, "a.example")
    )
    network.usual.answers.add("null.example.com", dns.Record_MX(0, ""))
    resolver = network.resolver()
    found = await resolver.mail_hosts("many.example.com")
    assert [host.host for host in found.records] == ["a.example", "b.example"]
    assert await resolver.mail_hosts("null.example.com") == Found((MailHost(0, ""),))


@pytest_twisted.ensureDeferred
async def test_addresses_are_of_both_families(network: Network) -> None:
    network.usual.answers.add(
        "host.example.com", dns.Record_AAAA("2001:db8::1"), dns.Record_A("192.0.2.1")
    )
    found = await network.resolver().addresses("host.example.com")
    assert found == Found(("192.0.2.1", "2001:db8::1"))


@pytest_twisted.ensureDeferred
async def test_no_such_name_and_no_such_record_are_told_apart(network: Network) -> None:
    resolver = network.resolver()
    assert await resolver.texts("nothing.example.org") == Found((), exists=False)
    assert await resolver.texts("ns1.example.com") == Found((), exists=True)
    assert await resolver.texts("no.example.com", at_source=True) == Found((), exists=False)


def _aliases(network: Network, count: int) -> None:
    for place in range(count):
        alias = dns.Record_CNAME(f"a{place + 1}.example.com")
        network.own.answers.add(f"a{place}.example.com", alias)
    network.own.answers.add(f"a{count}.example.com", dns.Record_TXT(b"at the end"))


@pytest_twisted.ensureDeferred
async def test_aliases_are_followed(network: Network) -> None:
    _aliases(network, MAX_ALIASES - 1)
    found = await network.resolver().texts("a0.example.com", at_source=True)
    assert found == Found(("at the end",))


@pytest_twisted.ensureDeferred
async def test_an_alias_is_followed_to_another_domains_servers(network: Network) -> None:
    other = NameServer(reactor, "127.0.0.3", network.usual.port)
    try:
        network.usual.answers.add("example.org", dns.Record_NS("ns1.example.org"))
        network.usual.answers.add("ns1.example.org", dns.Record_A("127.0.0.3"))
        network.own.answers.add("www.example.com", dns.Record_CNAME("target.example.org"))
        other.answers.add("target.example.org", dns.Record_TXT(b"over there"))
        found = await network.resolver().texts("www.example.com", at_source=True)
        assert found == Found(("over there",))
    finally:
        await other.stop()


@pytest.mark.parametrize("at_source", [False, True])
@pytest_twisted.ensureDeferred
async def test_aliases_without_end_are_given_up(network: Network, *, at_source: bool) -> None:
    for server in (network.own, network.usual):
        server.answers.add("round.example.com", dns.Record_CNAME("about.example.com"))
        server.answers.add("about.example.com", dns.Record_CNAME("round.example.com"))
    with pytest.raises(LookupFailedError, match="aliases"):
        await network.resolver().texts("round.example.com", at_source=at_source)


@pytest_twisted.ensureDeferred
async def test_servers_that_fail_or_are_silent_give_no_answer(network: Network) -> None:
    network.usual.answers.failing.add("broken.example.org")
    network.usual.answers.silent.add("silent.example.org")
    network.own.answers.failing.add("example.com")
    resolver = network.resolver()
    for name in ("broken.example.org", "silent.example.org"):
        with pytest.raises(LookupFailedError):
            await resolver.texts(name)
    with pytest.raises(LookupFailedError):
        await resolver.texts("example.com", at_source=True)


@pytest_twisted.ensureDeferred
async def test_a_server_that_is_not_there_is_passed_over(network: Network) -> None:
    network.usual.answers.add("example.com", dns.Record_NS("ns2.example.com"))
    network.usual.answers.add("ns2.example.com", dns.Record_A("127.0.0.9"))
    resolver = network.resolver()
    for _ in range(3):  # in whatever order they are tried
        assert await resolver.texts("example.com", at_source=True) == Found(("fresh",))
    both = network.resolver(servers=("127.0.0.9", f"127.0.0.1:{network.usual.port}"))
    assert await both.texts("example.com") == Found(("stale",))


@pytest_twisted.ensureDeferred
async def test_a_server_that_only_knows_of_others_gives_no_answer(network: Network) -> None:
    network.own.answers.refers.add("example.com")
    with pytest.raises(LookupFailedError):
        await network.resolver().texts("example.com", at_source=True)


@pytest.mark.parametrize("name", ["[192.0.2.1]", "a..b", "x" * 70 + ".example", ".".join("a" * 20)])
@pytest_twisted.ensureDeferred
async def test_what_is_no_name_is_not_asked_for(network: Network, name: str) -> None:
    with pytest.raises(LookupFailedError):
        await network.resolver().texts(name, at_source=True)


@pytest.mark.parametrize("server", ["name.example", "192.0.2.1:x", "192.0.2.1:70000", "[::1", ""])
def test_a_bad_server_in_the_settings_is_named(server: str) -> None:
    with pytest.raises(ConfigurationError, match=r"dns\.servers"):
        Resolver(DnsSettings(servers=(server,)), reactor)


@pytest.mark.parametrize(
    "server", ["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5"]
)
def test_servers_are_named_by_their_addresses(server: str) -> None:
    Resolver(DnsSettings(servers=(server,)), reactor)


def test_a_bad_network_in_the_settings_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"dns\.allowed_networks"):
        Resolver(DnsSettings(allowed_networks=("10.0.0.1/8",)), reactor)
