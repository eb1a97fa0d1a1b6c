"""MTA-STS: what records and policies say, how they are read, and for how long they hold."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
import trustme
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.names import dns
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from mailsacd.outbound.guard import Guard
from mailsacd.outbound.smtp import policy_fetch
from mailsacd.outbound.smtp.mta_sts import (
    MAX_AGE_S,
    MAX_PATTERNS,
    MAX_POLICY_BYTES,
    BadPolicyError,
    Mode,
    StsPolicy,
    parse_policy,
    record_id,
)
from mailsacd.outbound.smtp.policy_fetch import PolicyFetcher
from mailsacd.outbound.smtp.sts_policies import RETRY_S, StsPolicies
from mailsacd.outbound.tls import verifying_context
from tests.outbound.name_server import Network
from tests.outbound.server_tls import ServerTls

reactor: Any = the_reactor

TEXT = (
    "version: STSv1\r\nmode: enforce\r\nmx: mail.d.example\r\nmx: *.d.example\r\nmax_age: 600\r\n"
)


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        (["v=STSv1;id=1"], "1"),
        (["v=spf1 -all", "v=STSv1; id=2; x=y"], "2"),
        (["v=STSv1; x=y ; id=3"], "3"),
        (["v=STSv1; id=1", "v=STSv1; id=2"], None),
        (["v=STSv1; id="], None),
        (["v=STSv1; id=a-b"], None),
        (["v=STSv1; id=" + "x" * 33], None),
        (["v=STSv1 id=1"], None),
        (["v=STSv2; id=1"], None),
        ([" v=STSv1; id=1"], None),
        (["v=STSv1; xid=1"], None),
        ([], None),
    ],
)
def test_the_record(texts: list[str], found: str | None) -> None:
    assert record_id(texts) == found


def test_a_policy() -> None:
    assert parse_policy(TEXT) == StsPolicy(
        mode=Mode.ENFORCE, patterns=("mail.d.example", "*.d.example"), max_age_s=600
    )
    assert parse_policy(TEXT.replace("\r\n", "\n") + "\nunknown: x\n\n") == parse_policy(TEXT)
    assert parse_policy("version:STSv1\nmode:none\nmax_age:99999999").max_age_s == MAX_AGE_S
    doubled = parse_policy(TEXT + "mode: none\r\nmax_age: 1\r\n")
    assert (doubled.mode, doubled.max_age_s) == (Mode.ENFORCE, 600)


@pytest.mark.parametrize(
    "text",
    [
        "", "<html>", "\x00", TEXT.replace("STSv1", "STSv2"), TEXT.replace("enforce", "perhaps"),
        TEXT.replace("600", "-1"), TEXT.replace("600", "1" * 11), TEXT.replace("600", "٣"),
        TEXT.replace("max_age", "age"), "version: STSv1\nmode: enforce\nmax_age: 1\n",
        TEXT + "mx: a b\r\n", TEXT + "mx: *\r\n", TEXT + "mx: *.*.d.example\r\n", TEXT + "no field",
        TEXT + "mx: a.example\r\n" * MAX_PATTERNS,
    ],
)  # fmt: skip
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(BadPolicyError):
        parse_policy(text)


@pytest.mark.parametrize(
    ("host", "named"),
    [("mail.d.example", True), ("a.d.example", True), ("a.b.d.example", False),
     ("d.example", False), ("xmail.d.examplex", False), (".d.example", True)],
)  # fmt: skip
def test_the_hosts_that_a_policy_names(host: str, named: bool) -> None:
    assert parse_policy(TEXT).names(host) == named


class Domain:
    """One domain's record and policy, and how often the policy was read."""

    def __init__(self, network: Network) -> None:
        self._answers = network.usual.answers
        self.clock = Clock()
        self.text: str | None = TEXT
        self.reads = 0
        self.slow: Deferred[None] | None = None
        self.policies = StsPolicies(network.resolver(), self._fetch, self.clock)

    def record(self, *texts: str) -> None:
        self._answers.records["_mta-sts.d.example"] = [dns.Record_TXT(t.encode()) for t in texts]

    async def mode(self) -> str | None:
        policy = await self.policies.policy("d.example")
        return policy.mode.value if policy else None

    async def _fetch(self, domain: str) -> str:
        assert domain == "d.example"
        self.reads += 1
        if self.slow is not None:
            await self.slow
        if self.text is None:
            raise BadPolicyError("it is answered 404")
        return self.text


@pytest_twisted.ensureDeferred
async def test_a_policy_is_read_when_its_id_changes(network: Network) -> None:
    domain = Domain(network)
    assert (await domain.mode(), domain.reads) == (None, 0)
    domain.record("v=STSv1; id=1")
    assert [await domain.mode() for _ in range(3)] == ["enforce"] * 3
    assert domain.reads == 1
    domain.text = TEXT.replace("enforce", "testing")
    assert await domain.mode() == "enforce"
    domain.record("v=STSv1; id=2")
    assert await domain.mode() == "testing"
    assert domain.reads == 2


@pytest_twisted.ensureDeferred
async def test_a_policy_holds_until_its_time_is_up(network: Network) -> None:
    """Even without its record: else who is in the way of the DNS would be rid of it."""
    domain = Domain(network)
    domain.record("v=STSv1; id=1")
    assert await domain.mode() == "enforce"
    network.usual.answers.failing.add("_mta-sts.d.example")
    domain.clock.advance(599)
    assert await domain.mode() == "enforce"
    network.usual.answers.failing.clear()
    domain.record("v=STSv1; id=2")
    domain.text = None
    assert await domain.mode() == "enforce"
    domain.clock.advance(1)
    assert await domain.mode() is None


@pytest_twisted.ensureDeferred
async def test_a_failure_is_not_repeated_at_once(network: Network) -> None:
    domain = Domain(network)
    domain.record("v=STSv1; id=1")
    for text in (None, "nonsense"):
        domain.text = text
        reads = domain.reads
        assert [await domain.mode() for _ in range(3)] == [None] * 3
        assert domain.reads == reads + 1
        domain.clock.advance(RETRY_S)
    domain.text = TEXT
    assert await domain.mode() == "enforce"


@pytest_twisted.ensureDeferred
async def test_many_who_ask_at_once_read_it_once(network: Network) -> None:
    domain = Domain(network)
    domain.record("v=STSv1; id=1")
    domain.slow = Deferred()
    asking = [ensureDeferred(domain.mode()) for _ in range(5)]
    while not domain.reads:
        await _turn()
    domain.slow.callback(None)
    assert [await each for each in asking] == ["enforce"] * 5
    assert domain.reads == 1


async def _turn() -> None:
    turned: Deferred[None] = Deferred()
    reactor.callLater(0.001, turned.callback, None)
    await turned


# By HTTPS


class Web(Resource):
    """Answers what a test says."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.code = 200
        self.fields = {"Content-Type": "text/plain; charset=utf-8"}
        self.body = TEXT.encode()
        self.hangs = False
        self.asked: list[str] = []

    def render_GET(self, request: Request) -> Any:
        self.asked.append(f"{request.getHeader('host')} {request.uri.decode()}")
        request.setResponseCode(self.code)
        for name, value in self.fields.items():
            request.setHeader(name, value)
        return NOT_DONE_YET if self.hangs else self.body


@pytest_twisted.async_yield_fixture
async def web(authority: trustme.CA) -> AsyncIterator[tuple[Web, int]]:
    web = Web()
    tls = ServerTls(authority.issue_cert("mta-sts.d.example"))
    site = Site(web)
    site.noisy = False
    listening = reactor.listenSSL(0, site, tls, interface="127.0.0.1")
    yield web, listening.getHost().port
    await maybeDeferred(listening.stopListening)


def fetcher(network: Network, port: int, ca_file: str, *allowed: str) -> PolicyFetcher:
    network.usual.answers.add("mta-sts.d.example", dns.Record_A("127.0.0.1"))
    network.usual.answers.add("mta-sts.other.example", dns.Record_A("127.0.0.1"))
    guard = Guard(network.resolver(), allowed or ("127.0.0.0/8",))
    context = verifying_context(ca_file, setting="relay.ca_file")
    return PolicyFetcher(guard, context, reactor, agent="test/1", port=port)


@pytest_twisted.ensureDeferred
async def test_a_policy_is_read_by_https(
    network: Network, web: tuple[Web, int], ca_file: str
) -> None:
    site, port = web
    assert await fetcher(network, port, ca_file).fetch("d.example") == TEXT
    assert site.asked == ["mta-sts.d.example /.well-known/mta-sts.txt"]


@pytest.mark.parametrize(
    ("code", "fields", "body", "told"),
    [
        (302, {"Location": "https://mta-sts.d.example/x"}, b"", "answered 302"),
        (404, {}, b"", "answered 404"),
        (500, {}, TEXT.encode(), "answered 500"),
        (200, {"Content-Type": "text/html"}, TEXT.encode(), "not text/plain"),
        (200, {}, b"x" * (MAX_POLICY_BYTES + 1), "too long"),
        (200, {}, b"x" * 1_000_000, "its end cannot be read"),
        (200, {"X": "x" * 10_000, "Y": "y" * 200_000}, b"", "cannot be read"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_not_taken_for_a_policy(  # noqa: PLR0917  a table's columns
    network: Network, web: tuple[Web, int], ca_file: str, code: int, fields: dict[str, str],
    body: bytes, told: str,
) -> None:  # fmt: skip
    site, port = web
    site.code, site.body = code, body
    site.fields.update(fields)
    with pytest.raises(BadPolicyError, match=told):
        await fetcher(network, port, ca_file).fetch("d.example")
    assert len(site.asked) == 1


@pytest_twisted.ensureDeferred
async def test_who_is_not_the_policy_host(
    network: Network, web: tuple[Web, int], ca_file: str
) -> None:
    _, port = web
    for reading, domain in (
        (fetcher(network, port, ca_file), "other.example"),  # the certificate is another's
        (fetcher(network, port, ""), "d.example"),  # nobody known has signed it
        (fetcher(network, 1, ca_file), "d.example"),
        (fetcher(network, port, ca_file), "unknown.example"),
        (fetcher(network, port, ca_file, "192.0.2.0/24"), "d.example"),  # it is within
    ):
        with pytest.raises(BadPolicyError):
            await reading.fetch(domain)


@pytest_twisted.ensureDeferred
async def test_a_policy_that_takes_too_long(
    network: Network, web: tuple[Web, int], ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, port = web
    site.hangs = True
    monkeypatch.setattr(policy_fetch, "TIMEOUT_S", 0.3)
    with pytest.raises(BadPolicyError, match="cannot be read"):
        await fetcher(network, port, ca_file).fetch("d.example")
