"""Where links lead: by redirects, each to a host that is looked at, in bounded time."""

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
import trustme
from twisted.internet import reactor as the_reactor
from twisted.names import dns

from mailsacd.outbound.follow import MAX_REDIRECTS, Follower, Visit
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.tls import verifying_context
from tests.outbound.name_server import Network
from tests.outbound.receiver import OK, Posted, Receiver, status
from tests.outbound.server_tls import ServerTls
from tests.patience import until

reactor: Any = the_reactor
Receive = Callable[..., Receiver]


async def follow(
    network: Network,
    url: str,
    may_ask: Callable[[str], bool] = lambda _: True,
    *,
    allowed: str = "127.0.0.1",
    ca_file: str = "",
    timeout_s: float = 5,
) -> Visit:
    """Open ``url``; the loopback is the Internet."""
    guard = Guard(network.resolver(), [allowed])
    context = verifying_context(ca_file, setting="checks.ca_file")
    follower = Follower(guard, context, reactor, agent="test/1")
    return await follower.follow(url, may_ask, timeout_s=timeout_s)


def answers(pages: dict[str, bytes]) -> Callable[[Posted], bytes]:
    """The page of each path; any other is 404."""
    return lambda asked: pages.get(asked.lines[0].split()[1], status(404))


@pytest_twisted.ensureDeferred
async def test_the_request_byte_for_byte(network: Network, receive: Receive) -> None:
    receiver = receive()
    visit = await follow(network, receiver.url("/a b?c=ü#d"))
    assert (visit.status, visit.error) == (200, "")
    assert visit.urls == (receiver.url("/a%20b?c=%C3%BC#d"),)
    assert receiver.got[0].lines == (
        "GET /a%20b?c=%C3%BC HTTP/1.1",
        f"Host: 127.0.0.1:{receiver.port}",
        "User-Agent: test/1",
        "Accept: */*",
        "Connection: close",
    )


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/b?c", "/b?c"),
        ("b", "/b"),
        ("http://127.0.0.1:PORT/b", "/b"),
        ("//127.0.0.1:PORT/b", "/b"),
        ("/\xc3\xbc", "/%C3%BC"),  # each character is a byte
        ("/\xfc", "/%C3%BC"),
        (" /b ", "/b"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_redirect_is_followed(
    network: Network, receive: Receive, location: str, path: str
) -> None:
    receiver = receive()
    there = location.replace("PORT", str(receiver.port))
    moved = f"HTTP/1.1 302 X\r\nLocation: {there}\r\n\r\n".encode("latin-1")
    receiver.answer = answers({"/a": moved, path: OK})
    visit = await follow(network, receiver.url("/a"))
    assert (visit.status, visit.error) == (200, "")
    assert visit.urls == (receiver.url("/a"), receiver.url(path))


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/a", "It redirects in a circle, without cookies at least"),
        ("http://[::1", "It redirects to what is no URL"),
        ("javascript:alert(1)", "The URL is not an http or https URL with a host"),
        ("file:///etc/passwd", "The URL is not an http or https URL with a host"),
        ("http://u:p@127.0.0.1/", "The URL has a user name or password in it"),
        ("http://127.0.0.1:25/", "The URL has a port that is neither 80 nor 443 nor from 1024"),
        ("http://127.0.0.2/", "127.0.0.2 is not on the public Internet"),
        ("http://inside.example/", "inside.example is not on the public Internet"),
        ("http://169.254.169.254/latest", "169.254.169.254 is not on the public Internet"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_redirect_leads_to_the_public_internet_alone(
    network: Network, receive: Receive, location: str, told: str
) -> None:
    network.usual.answers.add("inside.example", dns.Record_A("127.0.0.2"))
    receiver = receive(answers({"/a": status(301, f"Location: {location}")}))
    visit = await follow(network, receiver.url("/a"))
    assert visit.status is None
    assert visit.error.startswith(told)
    assert visit.forbidden is told.endswith("public Internet")


@pytest_twisted.ensureDeferred
async def test_a_redirect_that_is_not_to_be_asked_is_told(
    network: Network, receive: Receive
) -> None:
    receiver = receive(answers({"/a": status(302, "Location: /confirm")}))
    visit = await follow(network, receiver.url("/a"), lambda url: "confirm" not in url)
    assert (visit.status, visit.stopped_before) == (302, receiver.url("/confirm"))
    assert len(receiver.got) == 1


@pytest_twisted.ensureDeferred
async def test_redirects_come_to_an_end(network: Network, receive: Receive) -> None:
    receiver = receive()
    receiver.answer = lambda _: status(302, f"Location: /{len(receiver.got)}")
    visit = await follow(network, receiver.url("/"))
    assert visit.error == f"It redirects more than {MAX_REDIRECTS} times"
    assert len(receiver.got) == MAX_REDIRECTS + 1


@pytest_twisted.ensureDeferred
async def test_nothing_is_read_after_the_header(network: Network, receive: Receive) -> None:
    receiver = receive(lambda _: OK[:-2] + b"x" * 1_000_000, stays=True)
    assert (await follow(network, receiver.url())).status == 200
    await until(lambda: receiver.open == 0)


@pytest_twisted.ensureDeferred
async def test_time_is_for_all_redirects_together(network: Network, receive: Receive) -> None:
    receiver = receive()
    receiver.answer = lambda got: None if "/b" in got.lines[0] else status(302, "Location: /b")
    visit = await follow(network, receiver.url("/a"), timeout_s=0.2)
    assert visit.error == "No answer within 0.2 seconds"
    assert visit.urls == (receiver.url("/a"), receiver.url("/b"))
    await until(lambda: receiver.open == 0)


@pytest.mark.parametrize(("issued_to", "is_good"), [("a.example", True), ("b.example", False)])
@pytest_twisted.ensureDeferred
async def test_a_certificate_that_is_not_the_hosts(
    network: Network,
    receive: Receive,
    authority: trustme.CA,
    ca_file: str,
    issued_to: str,
    is_good: bool,
) -> None:
    network.usual.answers.add("a.example", dns.Record_A("127.0.0.1"))
    receiver = receive(tls=ServerTls(authority.issue_cert(issued_to)))
    url = receiver.url(host="a.example", scheme="https")
    visit = await follow(network, url, ca_file=ca_file)
    assert (visit.status == 200, visit.tls_failed) == (is_good, not is_good)
    untrusted = await follow(network, url)
    assert (untrusted.status, untrusted.tls_failed) == (None, True)
