"""The PROXY protocol's header, versions 1 and 2, as a pure reader.

Written down in HAProxy's proxy-protocol.txt. A reader takes the header in pieces of any size and
bounds what it keeps; what follows the header is the session's.
"""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

_V1_START: Final = b"PROXY "
_V1_MAX_OCTETS: Final = 107  # section 2.1
_V2_START: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_V2_FIXED_OCTETS: Final = 16
_V2_MAX_OCTETS: Final = _V2_FIXED_OCTETS + 4096  # addresses and TLVs; the format allows 65,535
_V2_LOCAL, _V2_PROXY = 0x20, 0x21
_V2_FORMATS: Final = {0x11: ("!4s4sHH", 4), 0x21: ("!16s16sHH", 16)}  # TCP over IPv4 and IPv6


class ProxyHeaderError(Exception):
    """What came first is no PROXY header, or a broken one; the text says which."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """The addresses of the proxied connection; None where the socket's own are to be kept."""

    peer_ip: str | None
    local_ip: str | None


_KEEP: Final = ProxyHeader(None, None)


class ProxyReader:
    """Reads a connection's first bytes until the header is whole."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def receive(self, data: bytes) -> tuple[ProxyHeader, bytes] | None:
        """Take ``data``. Returns the header and what follows it, or None while it is not whole.

        Raises ProxyHeaderError.
        """
        self._buffer += data
        if self._buffer.startswith(_V1_START[: len(self._buffer)]):
            return self._version_1()
        if self._buffer.startswith(_V2_START[: len(self._buffer)]):
            return self._version_2()
        raise ProxyHeaderError("no PROXY header")

    def _version_1(self) -> tuple[ProxyHeader, bytes] | None:
        end = self._buffer.find(b"\r\n", 0, _V1_MAX_OCTETS)
        if end >= 0:
            return _parse_v1(self._buffer[:end]), self._buffer[end + 2 :]
        if len(self._buffer) >= _V1_MAX_OCTETS:
            raise ProxyHeaderError("version 1 header too long")
        return None

    def _version_2(self) -> tuple[ProxyHeader, bytes] | None:
        if len(self._buffer) < _V2_FIXED_OCTETS:
            return None
        command, family, length = struct.unpack_from("!BBH", self._buffer, len(_V2_START))
        size = _V2_FIXED_OCTETS + length
        if size > _V2_MAX_OCTETS:
            raise ProxyHeaderError("version 2 header too long")
        if len(self._buffer) < size:
            return None
        header = _parse_v2(command, family, self._buffer[_V2_FIXED_OCTETS:size])
        return header, self._buffer[size:]


def _parse_v1(line: bytes) -> ProxyHeader:
    words = line.decode("ascii", "replace").split(" ")
    if words[1:2] == ["UNKNOWN"]:
        return _KEEP
    version = {"TCP4": 4, "TCP6": 6}.get(words[1])
    if version is None or len(words) != 6 or not (_is_port(words[4]) and _is_port(words[5])):
        raise ProxyHeaderError("version 1 header not understood")
    try:
        peer, local = (ipaddress.ip_address(word) for word in words[2:4])
    except ValueError as e:
        raise ProxyHeaderError("version 1 header without addresses") from e
    if peer.version != version or local.version != version:
        raise ProxyHeaderError("version 1 header with addresses of another family")
    if "%" in words[2] + words[3]:  # a zone may be any text, and means nothing on another machine
        raise ProxyHeaderError("version 1 header with a zone in an address")
    return ProxyHeader(_written(peer), _written(local))


def _is_port(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 5 and int(word) <= 65535


def _parse_v2(command: int, family: int, addresses: bytes) -> ProxyHeader:
    if command == _V2_LOCAL:  # a health check of the proxy itself
        return _KEEP
    if command != _V2_PROXY:
        raise ProxyHeaderError("version 2 command not known")
    if family not in _V2_FORMATS:  # section 2.2: what is not TCP keeps the socket's addresses
        return _KEEP
    layout, octets = _V2_FORMATS[family]
    if len(addresses) < struct.calcsize(layout):
        raise ProxyHeaderError("version 2 header without addresses")
    peer, local = addresses[:octets], addresses[octets : 2 * octets]
    return ProxyHeader(*(_written(ipaddress.ip_address(packed)) for packed in (peer, local)))


def _written(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An IPv4 address inside of IPv6 as that, as the denylist and the limits know the peer."""
    return str(getattr(address, "ipv4_mapped", None) or address)
