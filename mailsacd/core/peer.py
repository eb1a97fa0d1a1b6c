"""IP addresses of peers: how they are written, and which count as one where each has a limit."""

import ipaddress
from functools import lru_cache


def network_of(peer: str) -> str:
    """What counts as the peer with the IP address ``peer``, as text.

    An IPv4 address is a peer by itself, also inside of IPv6 (``::ffff:192.0.2.1``, RFC 4291 section
    2.5.5.2). Of IPv6 it is the /64: a host has all of one to itself (RFC 4291 section 2.5.4), and a
    limit for each address would be none. A text that is no IP address is returned as it is.
    """
    if ":" not in peer:  # as most are, and each connection asks
        return peer
    try:
        address = ipaddress.IPv6Address(peer)
    except ValueError:
        return peer
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def networks_around(peer: str) -> tuple[str, ...]:
    """Return what counts as the peer (see `network_of`), and the wider networks that it is in.

    Of IPv4 that is the /24, the least that is routed; of IPv6 the /48 of a site and the /32 of a
    provider (RFC 6177): whoever has such a network can have a peer of each address in it.
    """
    network = network_of(peer)
    if ":" in network:
        number = int(ipaddress.IPv6Network(network).network_address)
        wider = (ipaddress.IPv6Network((number >> n << n, 128 - n)) for n in (80, 96))
        return (network, *map(str, wider))
    if network.count(".") == 3:
        return (network, f"{network.rpartition('.')[0]}.0/24")
    return (network,)


def plain_ip(host: str) -> str:
    """Write the IP address ``host`` as people do: no IPv4 inside of IPv6, and no zone."""
    return host.removeprefix("::ffff:").partition("%")[0]


@lru_cache(maxsize=1_024)  # each connection asks of the address that it came to
def is_loopback(host: str) -> bool:
    """Tell whether ``host``, an IP address or a name, is that of this machine for itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
