"""Sets of IP networks."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from mailsacd.core.errors import ConfigurationError

Network = IPv4Network | IPv6Network


class Networks:
    """A set of networks that is quick to ask: one look for each prefix length in it."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._by_mask: dict[tuple[int, int], set[int]] = {}
        for network in networks:
            key = (network.version, int(network.netmask))
            self._by_mask.setdefault(key, set()).add(int(network.network_address))

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        number, version = int(address), address.version
        return any(
            number & mask in addresses
            for (of_version, mask), addresses in self._by_mask.items()
            if of_version == version
        )

    def __bool__(self) -> bool:
        return bool(self._by_mask)


def networks_of_setting(texts: Iterable[str], setting: str) -> Networks:
    """Read the networks of a ``setting``. Raises ConfigurationError for a text that is none."""
    try:
        return Networks([ip_network(text) for text in texts])
    except ValueError as e:
        raise ConfigurationError(f"{setting}: {e}") from e
