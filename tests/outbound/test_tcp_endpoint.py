"""A host that lets whoever connects wait is a host that does not answer: it is told as such."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import CancelledError
from twisted.internet.protocol import Protocol
from twisted.names import dns

from mailsacd.core.circuit import FAILURES
from mailsacd.core.errors import UnavailableError
from mailsacd.core.spam import ScoredMail
from mailsacd.mail.spam.outside import Dialect, OutsideScorer
from mailsacd.outbound.follow import Follower
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.one_shot import OneShot
from mailsacd.outbound.scorers import rspamd
from mailsacd.outbound.scorers.ask import Asker
from mailsacd.outbound.smtp import policy_fetch
from mailsacd.outbound.smtp.mta_sts import BadPolicyError
from mailsacd.outbound.smtp.policy_fetch import PolicyFetcher
from mailsacd.outbound.tcp_endpoint import TcpEndpoint
from mailsacd.outbound.tls import verifying_context
from tests.outbound.name_server import Network
from tests.outbound.test_webhook_guard import make_poster

reactor: Any = the_reactor
ensure = pytest_twisted.ensureDeferred

LIMIT_S = 0.1


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full: whoever comes now is neither let in nor told."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port: int = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(("127.0.0.1", port))
        yield port
        for each in waiting:
            each.close()


@ensure
async def test_who_gives_up_is_told_of_that_and_of_nothing_else(full_port: int) -> None:

    connecting = TcpEndpoint(reactor, "127.0.0.1", full_port, 5).connect(OneShot(Protocol()))
    connecting.cancel()
    with pytest.raises(CancelledError):
        await connecting


@pytest.mark.parametrize("scheme", ["http", "https"])
@ensure
async def test_a_link(network: Network, full_port: int, scheme: str) -> None:
    guard = Guard(network.resolver(), ["127.0.0.1"])
    context = verifying_context("", setting="checks.ca_file")
    follower = Follower(guard, context, reactor, agent="test/1")
    url = f"{scheme}://127.0.0.1:{full_port}/"
    visit = await follower.follow(url, lambda _: True, timeout_s=LIMIT_S)
    assert (visit.status, visit.error) == (None, "No answer within 0.1 seconds")


@ensure
async def test_a_webhook(network: Network, full_port: int) -> None:
    poster = make_poster(network, "127.0.0.1", timeout_s=LIMIT_S)
    attempt = await poster.post(f"http://127.0.0.1:{full_port}/", b"{}", {})
    assert (attempt.code, attempt.error) == (None, "No answer within 0.1 seconds")


@ensure
async def test_a_scorer(full_port: int) -> None:
    async def here(host: str) -> tuple[str, ...]:
        return (host,)

    dialect = Dialect(
        name="rspamd", port=0, question=rspamd.question, read_answer=rspamd.read_answer
    )
    ask = Asker("127.0.0.1", full_port, here, reactor=reactor).ask
    scorer = OutsideScorer(dialect, ask, timeout_s=LIMIT_S, reactor=reactor)
    for _ in range(FAILURES):
        with pytest.raises(UnavailableError):
            await scorer.score(ScoredMail(content=b"", recipients=()))
    assert not scorer.is_ready(owned=True)


@ensure
async def test_a_policy(network: Network, full_port: int, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(policy_fetch, "TIMEOUT_S", 2 * LIMIT_S)
    network.usual.answers.add("mta-sts.a.example", dns.Record_A("127.0.0.1"))
    guard = Guard(network.resolver(), ["127.0.0.1"])
    context = verifying_context("", setting="relay.ca_file")
    fetcher = PolicyFetcher(guard, context, reactor, agent="test/1", port=full_port)
    with pytest.raises(BadPolicyError, match="too long"):
        await fetcher.fetch("a.example")
