"""Who is behind a reverse proxy: X-Forwarded-For and -Proto, believed of listed proxies alone."""

import ipaddress
from collections.abc import Iterable
from typing import Final

from twisted.web.http import Request

from mailsacd.core.errors import ConfigurationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED_FOR: Final = b"X-Forwarded-For"
_FORWARDED_PROTO: Final = b"X-Forwarded-Proto"


class Proxies:
    """The operator's proxies: ``networks`` as in the settings."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Raises ConfigurationError for what is no network."""
        try:
            self._networks = [ipaddress.ip_network(text, strict=False) for text in networks]
        except ValueError as e:
            raise ConfigurationError(f"http.proxy_networks: {e}") from e

    def peer(self, request: Request) -> str:
        """The client's IP address: the nearest one that is no proxy of ours."""
        address = _direct(request)
        if not self.includes(address):
            return address
        fields = request.requestHeaders.getRawHeaders(_FORWARDED_FOR) or []
        for entry in reversed(b",".join(fields).decode("latin-1").split(",")):
            try:
                given = str(ipaddress.ip_address(entry.strip()))
            except ValueError:
                break
            address = given
            if not self.includes(address):
                break
        return address

    def is_secure(self, request: Request) -> bool:
        """Whether the client came by TLS, to us or to a proxy of ours."""
        if request.isSecure():
            return True
        forwarded = request.getHeader(_FORWARDED_PROTO)
        return forwarded == b"https" and self.includes(_direct(request))

    def includes(self, text: str) -> bool:
        """Whether the IP address ``text`` is one of a proxy."""
        if not self._networks:
            return False
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


def _direct(request: Request) -> str:
    return str(getattr(request.getClientAddress(), "host", ""))
