"""Who is behind a reverse proxy, and what it asked for.

X-Forwarded-For, -Proto, -Host and -Port are believed of listed proxies alone.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from twisted.web.http import Request

from mailsacd.core.errors import ConfigurationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED_FOR: Final = b"X-Forwarded-For"
_FORWARDED_HOST: Final = b"X-Forwarded-Host"
_FORWARDED_PORT: Final = b"X-Forwarded-Port"
_HOST: Final = re.compile(r"(\[[^\]\s]*\]|[^:\s]*)(?::([0-9]{1,5}))?\Z")
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
        return forwarded == b"https" and self.includes_sender(request)

    def host(self, request: Request) -> tuple[str, str]:
        """The host that the client asked, and the port as it wrote it, empty where it did not."""
        given = (request.getHeader(b"Host") or b"").decode("latin-1")
        port = ""
        if self.includes_sender(request):
            forwarded = request.getHeader(_FORWARDED_HOST)
            if forwarded:
                given = forwarded.decode("latin-1").rpartition(",")[2]
            port = (request.getHeader(_FORWARDED_PORT) or b"").decode("latin-1").strip()
        found = _HOST.match(given.strip())
        host, written = found.groups("") if found else ("", "")
        return host, written or port

    def includes_sender(self, request: Request) -> bool:
        """Whether ``request`` was sent by a proxy of ours, for somebody else."""
        return self.includes(_direct(request))

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
