"""PROXY headers, whole and byte by byte."""

import ipaddress
import struct

import pytest

from mailsacd.sockets.proxy import ProxyHeader, ProxyHeaderError, ProxyReader

_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_IPV4 = ipaddress.ip_address("192.0.2.1").packed + ipaddress.ip_address("192.0.2.2").packed
_IPV6 = ipaddress.ip_address("2001:db8::1").packed + ipaddress.ip_address("2001:db8::2").packed
_MAPPED_IPV4 = b"".join(bytes(10) + b"\xff\xff" + ip for ip in (_IPV4[:4], _IPV4[4:]))
_PORTS = struct.pack("!HH", 1234, 25)


def _v2(command: int, family: int, body: bytes) -> bytes:
    return _V2 + struct.pack("!BBH", command, family, len(body)) + body


_KEEP = ProxyHeader(None, None)
_OF_4 = ProxyHeader("192.0.2.1", "192.0.2.2")
_OF_6 = ProxyHeader("2001:db8::1", "2001:db8::2")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\n", _OF_4),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 1234 25\r\n", _OF_6),
        (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1234 25\r\n", _OF_4),
        (_v2(0x21, 0x21, _MAPPED_IPV4 + _PORTS), _OF_4),
        (b"PROXY UNKNOWN\r\n", _KEEP),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", _KEEP),
        (_v2(0x21, 0x11, _IPV4 + _PORTS), _OF_4),
        (_v2(0x21, 0x21, _IPV6 + _PORTS), _OF_6),
        (_v2(0x21, 0x11, _IPV4 + _PORTS + b"\x04\x00\x03\r\n."), _OF_4),
        (_v2(0x20, 0x00, b""), _KEEP),
        (_v2(0x20, 0x11, _IPV4 + _PORTS), _KEEP),
        (_v2(0x21, 0x00, b""), _KEEP),
        (_v2(0x21, 0x31, b"x" * 216), _KEEP),
    ],
)
def test_a_header_is_read_and_what_follows_it_is_left(header: bytes, expected: ProxyHeader) -> None:
    assert ProxyReader().receive(header + b"EHLO c\r\n") == (expected, b"EHLO c\r\n")
    reader = ProxyReader()
    for byte in header[:-1]:
        assert reader.receive(bytes([byte])) is None
    assert reader.receive(header[-1:] + b"EH") == (expected, b"EH")


@pytest.mark.parametrize(
    "data",
    [
        b"EHLO c\r\n",
        b"PROXX",
        b"PROXY \r\n",
        b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 99999\r\n",
        b"PROXY TCP4 192.0.2.1 x 1 2\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
        b"PROXY TCP6 fe80::1%\nX: fe80::2 1 2\r\n",
        b"PROXY " + b"x" * 200,
        b"\r\n\r\n\x00\r\nQUIT\r",
        _v2(0x11, 0x11, _IPV4 + _PORTS),
        _v2(0x22, 0x11, _IPV4 + _PORTS),
        _v2(0x21, 0x11, _IPV4),
        _V2 + struct.pack("!BBH", 0x21, 0x11, 65_535),
    ],
)
def test_a_broken_header_is_an_error(data: bytes) -> None:
    with pytest.raises(ProxyHeaderError):
        ProxyReader().receive(data)
    reader = ProxyReader()
    with pytest.raises(ProxyHeaderError):  # noqa: PT012
        for byte in data:
            reader.receive(bytes([byte]))
