"""Decides which addresses what users wish for may be sent to: the public Internet's alone.

Without it a webhook would be a way into the network that the daemon stands in.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

from mailsacd.core.dns import Dns
from mailsacd.core.errors import ForbiddenError
from mailsacd.core.networks import networks_of_setting
from mailsacd.core.public_internet import IpAddress, is_public

_LOCAL_NAMES: Final = ("localhost", ".localhost")  # RFC 6761 section 6.3: never asked for
_LOOPBACK: Final = "127.0.0.1"


class Guard:
    """``allowed_networks`` are networks beyond the public Internet that may be talked to."""

    def __init__(
        self,
        dns: Dns,
        allowed_networks: Iterable[str] = (),
        *,
        setting: str = "webhook.allowed_networks",
    ) -> None:
        """Raises ConfigurationError, which names ``setting``, for what is no network."""
        self._dns = dns
        self._allowed = networks_of_setting(allowed_networks, setting)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The IP addresses of ``host``, all of which may be talked to; at least one.

        ``host`` is a normal domain or an IP address. To be called for each connection, which then
        has to go to one of them: a name may stand for something else a moment later. Raises
        ForbiddenError when one is not allowed and, in the same words, when there is none: which
        names there are within is nobody's business. Raises LookupFailedError without an answer.
        """
        found = await self.look_up(host)
        if not found or not all(self.allows(ipaddress.ip_address(text)) for text in found):
            raise ForbiddenError(f"{host} is not on the public Internet")
        return found

    def allows(self, address: IpAddress) -> bool:
        """Whether ``address`` may be talked to: it is public, or of an allowed network."""
        return is_public(address) or address in self._allowed

    async def look_up(self, host: str) -> tuple[str, ...]:
        """The IP addresses of ``host``, whatever they are. Raises LookupFailedError."""
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            pass
        if host == _LOCAL_NAMES[0] or host.endswith(_LOCAL_NAMES[1]):
            return (_LOOPBACK,)
        return (await self._dns.addresses(host)).records
