"""Connections that begin with a PROXY header."""

import struct
from collections.abc import Callable

import pytest
import pytest_twisted

from mailsacd.core.errors import ConfigurationError
from mailsacd.settings import SmtpSettings
from tests.patience import until
from tests.smtp.listener import START, SmtpListener

ensure = pytest_twisted.ensureDeferred

_V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\n"


@pytest.fixture
def behind(listen: Callable[..., SmtpListener]) -> SmtpListener:
    return listen(
        SmtpSettings(proxy_networks=("2001:db8::/32", "127.0.0.1"), max_connections_per_peer=1)
    )


@ensure
async def test_the_proxied_addresses_are_recorded(behind: SmtpListener) -> None:
    wire = await behind.connect(0)
    for byte in _V1:
        wire.send(bytes([byte]))
    await wire.expect(220)
    await wire.talk(START + b"DATA\r\n", 250, 250, 250, 354)
    await wire.talk(b".\r\n", 250)
    reception = behind.ingest.envelopes[0].reception
    assert (reception.peer_ip, reception.local_ip) == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY UNKNOWN\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n" + struct.pack("!BBH", 0x20, 0, 0),
    ],
)
@ensure
async def test_the_proxys_own_connections_keep_their_address(
    behind: SmtpListener, header: bytes
) -> None:
    wire = await behind.connect(0)
    wire.send(header + START + b"DATA\r\n.\r\n")
    await wire.expect(220, 250, 250, 250, 354, 250)
    assert behind.ingest.envelopes[0].reception.peer_ip == "127.0.0.1"


@ensure
async def test_a_listed_peer_without_a_header_is_closed(behind: SmtpListener) -> None:
    wire = await behind.connect(0)
    wire.send(b"EHLO c\r\n")
    await wire.closed()
    assert wire.received == b""


@ensure
async def test_a_header_that_never_comes_is_not_waited_for(behind: SmtpListener) -> None:
    wire = await behind.connect(0)
    wire.send(_V1[:10])
    await until(lambda: behind.connections == 1)
    behind.pass_time(11)
    await wire.closed()


@ensure
async def test_the_limit_for_each_peer_is_that_of_the_proxied_peer(behind: SmtpListener) -> None:
    first, same, other = [await behind.connect(0) for _ in range(3)]
    await first.talk(_V1, 220)
    await same.talk(_V1, 421)
    await other.talk(_V1.replace(b"192.0.2.1", b"192.0.2.7"), 220)


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        (b"2001:db8:1:2::1", b"2001:db8:1:2:3:4:5:6", b"2001:db8:1:3::1"),
        (b"::ffff:192.0.2.1", b"::ffff:c000:201", b"::ffff:192.0.2.2"),
    ],
)
@ensure
async def test_a_network_of_ipv6_that_a_host_has_to_itself_is_one_peer(
    behind: SmtpListener, first: bytes, same: bytes, other: bytes
) -> None:
    line = b"PROXY TCP6 %b 2001:db8::25 1234 25\r\n"
    wires = [await behind.connect(0) for _ in range(3)]
    for wire, peer, code in zip(wires, (first, same, other), (220, 421, 220), strict=True):
        await wire.talk(line % peer, code)


@ensure
async def test_drain_closes_who_has_not_sent_a_header(behind: SmtpListener) -> None:
    wire = await behind.connect(0)
    await until(lambda: behind.connections == 1)
    await behind.factory.drain()
    await wire.closed()


@ensure
async def test_nobody_else_may_send_a_header(listen: Callable[..., SmtpListener]) -> None:
    listener = listen(SmtpSettings(proxy_networks=("192.0.2.0/24",)))
    wire = await listener.connect()
    await wire.talk(_V1, 500)


def test_a_network_that_is_none_is_named(listen: Callable[..., SmtpListener]) -> None:
    with pytest.raises(ConfigurationError, match=r"proxy_networks.*'10\.0\.0\.1/8'"):
        listen(SmtpSettings(proxy_networks=("10.0.0.1/8",)))
