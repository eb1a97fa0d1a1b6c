"""Which host takes the mail of a domain, and which never does."""

from typing import Any

import pytest
import pytest_twisted
from twisted.names import dns

from mailsacd.core.errors import ConfigurationError
from mailsacd.core.outcome import Outcome, RouteError
from mailsacd.outbound.smtp.routing import MAX_HOSTS, Routing
from mailsacd.settings import RelaySettings
from tests.outbound.name_server import Network
from tests.outbound.smtp.conftest import MakeRelays, Serve, at
from tests.outbound.smtp.play import transmission
from tests.outbound.smtp.server import Server


async def fails(relays: Any, domain: str) -> Outcome:
    with pytest.raises(RouteError) as caught:
        await relays.connect(domain)
    return caught.value.outcome


async def reached(relays: Any, domain: str) -> str:
    """The host that takes it."""
    connection = await relays.connect(domain)
    (outcome,) = await connection.send(transmission())
    assert outcome.kind == "delivered"
    await connection.close()
    return str(connection.host)


def listening(serve: Serve, *addresses: str, **behaviour: Any) -> dict[str, Server]:
    """Servers at one port of several loopback addresses."""
    servers: dict[str, Server] = {}
    port = 0
    for address in addresses:
        servers[address] = serve(interface=address, port=port, **behaviour)
        port = servers[address].port
    return servers


@pytest_twisted.ensureDeferred
async def test_the_most_preferred_host(
    network: Network, serve: Serve, make_relays: MakeRelays
) -> None:
    servers = listening(serve, "127.0.0.1", "127.0.0.2")
    at(network, "d.example", (20, "b.d.example", "127.0.0.2"), (10, "a.d.example", "127.0.0.1"))
    relays = make_relays(port=servers["127.0.0.1"].port)
    assert [await reached(relays, "d.example") for _ in range(3)] == ["a.d.example"] * 3
    assert servers["127.0.0.2"].lines == []


@pytest_twisted.ensureDeferred
async def test_of_two_hosts_one_is_dead(
    network: Network, serve: Serve, make_relays: MakeRelays
) -> None:
    servers = listening(serve, "127.0.0.2")
    port = servers["127.0.0.2"].port
    at(network, "d.example", (10, "dead.example", "127.0.0.1"), (20, "b.example", "127.0.0.2"))
    relays = make_relays(port=port)
    assert await reached(relays, "d.example") == "b.example"
    at(network, "d.example", (15, "unknown.example", ""))
    assert await reached(relays, "d.example") == "b.example"


@pytest_twisted.ensureDeferred
async def test_a_host_that_was_dead_comes_last_for_a_while(
    network: Network, serve: Serve, make_relays: MakeRelays
) -> None:
    """It would cost the time limit of a connection each time."""
    servers = listening(serve, "127.0.0.2")
    port = servers["127.0.0.2"].port
    at(network, "d.example", (10, "a.example", "127.0.0.1"), (20, "b.example", "127.0.0.2"))
    relays = make_relays(port=port)
    assert await reached(relays, "d.example") == "b.example"
    serve(port=port)  # it is back
    assert await reached(relays, "d.example") == "b.example"
    await servers["127.0.0.2"].stop()
    assert await reached(relays, "d.example") == "a.example"
    assert await reached(make_relays(port=port), "d.example") == "a.example"


@pytest.mark.parametrize(
    "greeting", [b"421 bye\r\n", b"554 no\r\n", b"nonsense\r\n", b"450 later\r\n"]
)
@pytest_twisted.ensureDeferred
async def test_a_host_that_does_not_want_to_is_followed_by_the_next(
    network: Network, serve: Serve, make_relays: MakeRelays, greeting: bytes
) -> None:
    servers = listening(serve, "127.0.0.1", "127.0.0.2")
    servers["127.0.0.1"].behaviour.answers["GREETING"] = greeting
    at(network, "d.example", (10, "a.example", "127.0.0.1"), (20, "b.example", "127.0.0.2"))
    relays = make_relays(port=servers["127.0.0.1"].port)
    assert await reached(relays, "d.example") == "b.example"


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(b"554 no\r\n", b"554 nor here\r\n", 554), (b"554 no\r\n", b"450 later\r\n", 450),
     (b"450 later\r\n", b"554 no\r\n", 450)],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_for_good_only_if_all_say_so(
    network: Network, serve: Serve, make_relays: MakeRelays, first: bytes, second: bytes, code: int
) -> None:
    servers = listening(serve, "127.0.0.1", "127.0.0.2")
    servers["127.0.0.1"].behaviour.answers["GREETING"] = first
    servers["127.0.0.2"].behaviour.answers["GREETING"] = second
    at(network, "d.example", (10, "a.example", "127.0.0.1"), (20, "b.example", "127.0.0.2"))
    outcome = await fails(make_relays(port=servers["127.0.0.1"].port), "d.example")
    assert (outcome.code, outcome.kind) == (code, "permanent" if code == 554 else "temporary")


@pytest_twisted.ensureDeferred
async def test_equal_hosts_share_the_mail(network: Network) -> None:
    names = {f"{i}.example" for i in range(4)}
    at(network, "d.example", *((10, name, "") for name in names), (5, "first.example", ""))
    way = Routing(RelaySettings(), (), network.resolver())
    drawn = [[h.name for h in (await way.route("d.example")).hosts] for _ in range(60)]
    assert all(hosts[0] == "first.example" and set(hosts[1:]) == names for hosts in drawn)
    assert {hosts[1] for hosts in drawn} == names


@pytest_twisted.ensureDeferred
async def test_the_hosts_that_are_tried_are_bounded(
    network: Network, make_relays: MakeRelays
) -> None:
    at(network, "d.example", *((i, f"{i}.example", "127.0.0.9") for i in range(MAX_HOSTS + 3)))
    outcome = await fails(make_relays(port=1), "d.example")
    assert (outcome.code, outcome.status, outcome.kind) == (None, "4.4.1", "temporary")
    asked = {name for name, kind in network.usual.answers.asked if kind == dns.A}
    assert len(asked) == MAX_HOSTS


@pytest_twisted.ensureDeferred
async def test_a_domain_without_mx_is_a_host(
    network: Network, serve: Serve, make_relays: MakeRelays
) -> None:
    server = serve()
    answers = network.usual.answers
    answers.add("d.example", dns.Record_A("127.0.0.1"))
    answers.add("alias.example", dns.Record_CNAME("d.example"))
    answers.add("mxalias.example", dns.Record_CNAME("mxed.example"))
    answers.add("mxed.example", dns.Record_MX(10, "alias.example"))
    relays = make_relays(port=server.port)
    assert await reached(relays, "d.example") == "d.example"
    assert await reached(relays, "alias.example") == "alias.example"
    assert await reached(relays, "mxalias.example") == "alias.example"


@pytest_twisted.ensureDeferred
async def test_ipv6(network: Network, serve: Serve, make_relays: MakeRelays) -> None:
    server = serve(interface="::1")
    at(network, "d.example", (10, "six.example", ""))
    network.usual.answers.add("six.example", dns.Record_AAAA("::1"))
    network.usual.answers.add("both.example", dns.Record_AAAA("::1"), dns.Record_A("127.0.0.1"))
    relays = make_relays(port=server.port)
    assert await reached(relays, "d.example") == "six.example"
    assert await reached(relays, "both.example") == "both.example"  # nobody is at 127.0.0.1
    assert await reached(relays, "[ipv6:::1]") == "::1"


@pytest_twisted.ensureDeferred
async def test_an_address_literal(serve: Serve, make_relays: MakeRelays) -> None:
    server = serve()
    assert await reached(make_relays(port=server.port), "[127.0.0.1]") == "127.0.0.1"
    strict = make_relays(port=server.port, allowed_networks=())
    assert (await fails(strict, "[127.0.0.1]")).status == "5.4.4"


@pytest_twisted.ensureDeferred
async def test_what_the_dns_says_no_to(network: Network, make_relays: MakeRelays) -> None:
    answers = network.usual.answers
    answers.add("null.example", dns.Record_MX(0, ""))
    answers.add("empty.example", dns.Record_TXT(b"here"))
    answers.add("nowhere.example", dns.Record_MX(10, "unknown.example"))
    answers.failing |= {"failing.example", "failing-host.example"}
    answers.silent.add("silent.example")
    answers.add("half.example", dns.Record_MX(10, "failing-host.example"))
    answers.add("half.example", dns.Record_MX(20, "unknown.example"))
    relays = make_relays(port=1)
    found = {domain: await fails(relays, f"{domain}.example") for domain in
             ("null", "unknown", "empty", "nowhere", "failing", "silent", "half")}  # fmt: skip
    assert {name: (o.status, o.kind) for name, o in found.items()} == {
        "null": ("5.1.10", "permanent"),
        "unknown": ("5.1.2", "permanent"),
        "empty": ("5.4.4", "permanent"),
        "nowhere": ("5.4.4", "permanent"),
        "failing": ("4.4.3", "temporary"),
        "silent": ("4.4.3", "temporary"),
        "half": ("4.4.3", "temporary"),
    }
    assert all(outcome.code is None for outcome in found.values())


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"]
)
@pytest_twisted.ensureDeferred
async def test_mx_never_leads_into_our_networks(
    network: Network, serve: Serve, make_relays: MakeRelays, address: str
) -> None:
    server = serve()
    at(network, "d.example", (10, "within.example", address), (20, "localhost", ""))
    network.usual.answers.add("within.example", dns.Record_AAAA("::ffff:127.0.0.1"))
    relays = make_relays(port=server.port, allowed_networks=())
    outcome = await fails(relays, "d.example")
    assert (outcome.status, outcome.kind) == ("5.4.4", "permanent")
    assert "public Internet" in outcome.text
    assert server.connections == []


@pytest_twisted.ensureDeferred
async def test_mx_that_lead_back_to_this_server(
    network: Network, serve: Serve, make_relays: MakeRelays
) -> None:
    servers = listening(serve, "127.0.0.1", "127.0.0.2")
    relays = make_relays(port=servers["127.0.0.1"].port, own_names=("me.example", "mx.me.example"))
    at(network, "ours.example", (10, "MX.me.example", "127.0.0.1"), (20, "b.example", "127.0.0.2"))
    outcome = await fails(relays, "ours.example")
    assert (outcome.status, outcome.kind) == ("5.4.6", "permanent")
    at(network, "backup.example", (20, "mx.me.example", ""), (10, "b.example", ""))
    at(network, "backup.example", (20, "equal.example", ""), (30, "worse.example", ""))
    assert await reached(relays, "backup.example") == "b.example"
    servers["127.0.0.2"].behaviour.name = "me.example"  # by another name
    outcome = await fails(relays, "backup.example")
    assert (outcome.status, outcome.kind) == ("5.4.6", "permanent")
    assert servers["127.0.0.1"].lines == []


@pytest_twisted.ensureDeferred
async def test_the_operators_ways_come_first(
    network: Network, serve: Serve, make_relays: MakeRelays
) -> None:
    smarthost, other = serve(), serve(interface="127.0.0.2")
    answers = network.usual.answers
    answers.add("smart.example", dns.Record_A("127.0.0.1"))
    relays = make_relays(
        smarthost=f"Smart.Example:{smarthost.port}",
        routes=(f"x.example dead.example 127.0.0.2:{other.port}",),
        allowed_networks=(),
        port=1,
    )
    assert await reached(relays, "d.example") == "smart.example"
    assert await reached(relays, "x.example") == "127.0.0.2"
    assert relays.destination("d.example") == relays.destination("e.example")
    assert relays.destination("d.example") != relays.destination("x.example")
    direct = make_relays()
    assert direct.destination("d.example") == "d.example"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("mx.example", "mx.example", 25),
        ("MX.Example.:587", "mx.example", 587),
        ("192.0.2.1", "192.0.2.1", 25),
        ("192.0.2.1:2525", "192.0.2.1", 2525),
        ("[2001:DB8::1]", "2001:db8::1", 25),
        ("[2001:db8::1]:587", "2001:db8::1", 587),
        ("localhost:1025", "localhost", 1025),
        ("münchen.example:1", "xn--mnchen-3ya.example", 1),
    ],
)
@pytest_twisted.ensureDeferred
async def test_how_a_host_is_written(network: Network, text: str, host: str, port: int) -> None:
    way = Routing(RelaySettings(smarthost=text), (), network.resolver())
    (found,) = (await way.route("d.example")).hosts
    assert (found.name, found.port) == (host, port)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"smarthost": "a b"}, "relay.smarthost"),
        ({"smarthost": "mx.example:0"}, "relay.smarthost"),
        ({"smarthost": "mx.example:65536"}, "relay.smarthost"),
        ({"smarthost": "2001:db8::1"}, "relay.smarthost"),
        ({"smarthost": "[x]:1"}, "relay.smarthost"),
        ({"smarthost": "-:1"}, "relay.smarthost"),
        ({"routes": ("example.com",)}, "relay.routes"),
        ({"routes": ("-.com mx.example",)}, "relay.routes"),
        ({"tls_policies": ("example.com",)}, "relay.tls_policies"),
        ({"tls_policies": ("example.com perhaps",)}, "never, opportunistic"),
        ({"allowed_networks": ("10.0.0.1/8",)}, "relay.allowed_networks"),
        ({"ca_file": "/nowhere"}, "relay.ca_file"),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    make_relays: MakeRelays, section: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told.replace(".", r"\.")):
        make_relays(**section)
