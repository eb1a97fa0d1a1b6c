"""Decides which addresses what users wish for may be sent to: the public Internet's alone.

Without it a webhook would be a way into the network that the daemon stands in.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

from mailsacd.core.dns import Dns
from mailsacd.core.errors import ConfigurationError, ForbiddenError
from mailsacd.core.public_internet import IpAddress, IpNetwork, is_public

_LOCAL_NAMES: Final = ("localhost", ".localhost")  # RFC 6761 section 6.3: never asked for
_LOOPBACK: Final = "127.0.0.1"


class Guard:
    """``allowed_networks`` are networks beyond the public Internet that may be talked to."""

    def __init__(self, dns: Dns, allowed_networks: Iterable[str] = ()) -> None:
        """Raises ConfigurationError for what is no network."""
        self._dns = dns
        self._allowed = [_network(text) for text in allowed_networks]

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The IP addresses of ``host``, all of which may be talked to; at least one.

        ``host`` is a normal domain or an IP address. To be called for each connection, which then
        has to go to one of them: a name may stand for something else a moment later. Raises
        ForbiddenError when one is not allowed and, in the same words, when there is none: which
        names there are within is nobody's business. Raises LookupFailedError without an answer.
        """
        found = await self._look_up(host)
        if not found or not all(self.allows(ipaddress.ip_address(text)) for text in found):
            raise ForbiddenError(f"{host} is not on the public Internet")
        return found

    def allows(self, address: IpAddress) -> bool:
        """Whether ``address`` may be talked to: it is public, or of an allowed network."""
        return is_public(address) or any(address in network for network in self._allowed)

    async def _look_up(self, host: str) -> tuple[str, ...]:
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            pass
        if host == _LOCAL_NAMES[0] or host.endswith(_LOCAL_NAMES[1]):
            return (_LOOPBACK,)
        return (await self._dns.addresses(host)).records


def _network(text: str) -> IpNetwork:
    try:
        return ipaddress.ip_network(text)
    except ValueError as e:
        raise ConfigurationError(f"webhook.allowed_networks: {e}") from e
