"""No URL that a user can think of leads anywhere but to the public Internet."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.names import dns

from mailsacd.core.errors import ConfigurationError, ForbiddenError, LookupFailedError
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.post import Poster
from mailsacd.outbound.tls import verifying_context
from tests.outbound.name_server import Network
from tests.outbound.receiver import Receiver, status

reactor: Any = the_reactor

PUBLIC_IP = "1.1.1.1"


@dataclass
class Trap:
    """A poster in front of what it must not reach."""

    poster: Poster
    network: Network
    canaries: list[Receiver]

    @property
    def port(self) -> int:
        return self.canaries[0].port

    async def refused(self, url: str) -> str:
        """Why it was not sent."""
        attempt = await self.poster.post(url.replace("PORT", str(self.port)), b"{}", {})
        assert attempt.code is None, attempt
        assert [c.connections for c in self.canaries] == [[], []], url
        return attempt.error


def make_poster(network: Network, *allowed: str, ca_file: str = "", timeout_s: float = 5) -> Poster:
    guard = Guard(network.resolver(), allowed)
    context = verifying_context(ca_file, setting="webhook.ca_file")
    return Poster(guard, context, reactor, agent="test/1", timeout_s=timeout_s)


@pytest_twisted.async_yield_fixture
async def trap(network: Network) -> AsyncIterator[Trap]:
    everywhere = Receiver(reactor, interface="0.0.0.0")
    v6 = Receiver(reactor, interface="::1", port=everywhere.port)
    answers = network.usual.answers
    loopback = dns.Record_A("127.0.0.1")
    answers.add("loopback.example", loopback)
    answers.add("v6.example", dns.Record_AAAA("::1"))
    answers.add("mapped.example", dns.Record_AAAA("::ffff:127.0.0.1"))
    answers.add("nat64.example", dns.Record_AAAA("64:ff9b::7f00:1"))
    answers.add("metadata.example", dns.Record_A("169.254.169.254"))
    answers.add("mixed.example", dns.Record_A(PUBLIC_IP), loopback)
    answers.add("mixed-kinds.example", dns.Record_A(PUBLIC_IP), dns.Record_AAAA("::1"))
    answers.add("alias.example", dns.Record_CNAME("second.example"))
    answers.add("second.example", dns.Record_CNAME("loopback.example"))
    answers.add("local-alias.example", dns.Record_CNAME("localhost"))
    answers.add("localhost", loopback)
    answers.add("endless.example", dns.Record_CNAME("endless.example"))
    answers.add("zero.example", dns.Record_A("0.0.0.0"))
    answers.add("empty.example", dns.Record_TXT(b"nothing else"))
    yield Trap(make_poster(network), network, [everywhere, v6])
    await everywhere.stop()
    await v6.stop()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1.:PORT/",
        "http://127.1:PORT/",
        "http://127.0.1:PORT/",
        "http://127.255.255.254:PORT/",
        "http://2130706433:PORT/",
        "http://017700000001:PORT/",
        "http://0x7f000001:PORT/",
        "http://0x7f.0x0.0x0.0x1:PORT/",
        "http://0177.0.0.1:PORT/",
        "http://127.0.0.01:PORT/",
        "http://0:PORT/",
        "http://0.0.0.0:PORT/",
        "http://[::]:PORT/",
        "http://[::1]:PORT/",
        "http://[0:0:0:0:0:0:0:1]:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/",
        "http://[::ffff:7f00:1]:PORT/",
        "http://[::127.0.0.1]:PORT/",
        "http://[::ffff:0:127.0.0.1]:PORT/",
        "http://[64:ff9b::127.0.0.1]:PORT/",
        "http://[2002:7f00:1::]:PORT/",
        "http://[2001:0:7f00:1::]:PORT/",
        "http://[fe80::1%25lo]:PORT/",
        "http://[fe80::1]:PORT/",
        "http://[fd00:ec2::254]:PORT/",
        "http://localhost:PORT/",
        "http://LOCALHOST.:PORT/",
        "http://anything.localhost:PORT/",
        "http://127%2e0%2e0%2e1:PORT/",
        "http://①②⑦.⓪.⓪.①:PORT/",
        "http://127。0。0。1:PORT/",
        "http://\N{FULLWIDTH LATIN SMALL LETTER L}ocalhost:PORT/",
        "http://user@127.0.0.1:PORT/",
        "http://example.com@127.0.0.1:PORT/",
        "http://127.0.0.1:PORT@example.com/",
        "http://example.com\\@127.0.0.1:PORT/",
        "http://example.com#@127.0.0.1:PORT/",
        "http://127.0.0.1:PORT\\.example.com/",
        "http://127.0.0.1:PORT\r\n.example.com/",
        "http:127.0.0.1:PORT/",
        "http:///127.0.0.1:PORT/",
        "//127.0.0.1:PORT/",
        "gopher://127.0.0.1:PORT/_x",
        "http://10.0.0.1:PORT/",
        "http://192.168.1.1:PORT/",
        "http://172.16.0.1:PORT/",
        "http://100.64.0.1:PORT/",
        "http://169.254.169.254/latest/meta-data/",
        "http://224.0.0.1:PORT/",
        "http://255.255.255.255:PORT/",
        "https://127.0.0.1:PORT/",
        "http://loopback.example:PORT/",
        "http://LoopBack.Example.:PORT/",
        "http://v6.example:PORT/",
        "http://mapped.example:PORT/",
        "http://nat64.example:PORT/",
        "http://metadata.example/",
        "http://mixed.example:PORT/",
        "http://mixed-kinds.example:PORT/",
        "http://alias.example:PORT/",
        "http://local-alias.example:PORT/",
        "http://endless.example:PORT/",
        "http://zero.example:PORT/",
        "http://empty.example:PORT/",
        "http://nowhere.example:PORT/",
    ],
)
@pytest_twisted.ensureDeferred
async def test_no_trick_reaches_the_loopback(trap: Trap, url: str) -> None:
    assert await trap.refused(url)


@pytest_twisted.ensureDeferred
async def test_names_that_are_not_there_look_like_those_that_are_within(trap: Trap) -> None:
    told = {
        (await trap.refused(f"http://{name}.example/")).replace(name, "X")
        for name in ("loopback", "metadata", "empty", "nowhere")
    }
    assert told == {"X.example is not on the public Internet"}


@pytest_twisted.ensureDeferred
async def test_a_name_that_changes_between_check_and_use_is_used_as_it_was_checked(
    trap: Trap,
) -> None:
    """Rebinding: the first answer is one that is allowed, all later ones are the canary's."""
    answers = trap.network.usual.answers
    allowed = Receiver(reactor, interface="127.0.0.9", port=0)
    poster = make_poster(trap.network, "127.0.0.9/32")
    answers.add("rebound.example", dns.Record_A("127.0.0.9"))
    inner = answers.query

    def query(query: Any, timeout: Any = None) -> Any:
        answered = inner(query, timeout)
        if query.type == dns.AAAA:  # asked after the A record
            answers.records["rebound.example"] = [dns.Record_A("127.0.0.1")]
        return answered

    answers.query = query  # type: ignore[method-assign]
    url = f"http://rebound.example:{allowed.port}/"
    canary = Receiver(reactor, interface="127.0.0.1", port=allowed.port)
    try:
        assert (await poster.post(url, b"{}", {})).code == 200
        assert len(allowed.got) == 1
        second = await poster.post(url, b"{}", {})
        assert second.error == "rebound.example is not on the public Internet"
        assert canary.connections == []
    finally:
        await allowed.stop()
        await canary.stop()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest_twisted.ensureDeferred
async def test_a_redirect_is_not_followed(trap: Trap, code: int) -> None:
    location = f"Location: http://127.0.0.1:{trap.port}/secret"
    sender = Receiver(reactor, lambda _: status(code, location), interface="127.0.0.9")
    poster = make_poster(trap.network, "127.0.0.0/8")
    try:
        attempt = await poster.post(sender.url(host="127.0.0.9"), b"{}", {})
        assert (attempt.code, attempt.succeeded) == (code, False)
        assert [c.connections for c in trap.canaries] == [[], []]
    finally:
        await sender.stop()


@pytest_twisted.ensureDeferred
async def test_no_proxy_of_the_environment_is_asked(
    trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    sender = Receiver(reactor, interface="127.0.0.9")
    poster = make_poster(trap.network, "127.0.0.9")
    try:
        assert (await poster.post(sender.url(host="127.0.0.9"), b"{}", {})).succeeded
        assert trap.canaries[0].connections == []
    finally:
        await sender.stop()


@pytest_twisted.ensureDeferred
async def test_allowed_networks_are_allowed_and_nothing_beside_them(network: Network) -> None:
    network.usual.answers.add("app.example", dns.Record_A("10.1.2.3"))
    network.usual.answers.add("both.example", dns.Record_A("10.1.2.3"), dns.Record_A("10.1.3.3"))
    network.usual.answers.add("out.example", dns.Record_A(PUBLIC_IP), dns.Record_A("10.1.2.3"))
    network.usual.answers.failing.add("failing.example")
    guard = Guard(network.resolver(), ["10.1.2.0/24", "127.0.0.1", "fd00::/64"])
    assert await guard.addresses("app.example") == ("10.1.2.3",)
    assert sorted(await guard.addresses("out.example")) == [PUBLIC_IP, "10.1.2.3"]
    assert await guard.addresses("localhost") == ("127.0.0.1",)
    assert await guard.addresses("fd00::1") == ("fd00::1",)
    assert await guard.addresses("8.8.8.8") == ("8.8.8.8",)
    for host in ("both.example", "10.1.3.3", "127.0.0.2", "::1", "::ffff:10.1.2.3", "fd00:1::"):
        with pytest.raises(ForbiddenError):
            await guard.addresses(host)
    with pytest.raises(LookupFailedError):
        await guard.addresses("failing.example")
    assert "localhost" not in [name for name, _ in network.usual.answers.asked]


def test_a_bad_network_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"webhook\.allowed_networks.*10\.0\.0\.1/8"):
        Guard(Network.__new__(Network), ["10.0.0.1/8"])  # type: ignore[arg-type]
