"""Who is behind a reverse proxy, what it asked for, and where it sees the server.

X-Forwarded-For, -Proto, -Host, -Port and -Prefix are believed of listed proxies alone. Of several
values the last one counts: the word of the nearest proxy, and not what it let pass.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from twisted.web.http import Request

from mailsacd.core.errors import ConfigurationError
from mailsacd.core.public_url import PublicUrl, parse_prefix, parse_public_url

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED_FOR: Final = b"X-Forwarded-For"
_FORWARDED_HOST: Final = b"X-Forwarded-Host"
_FORWARDED_PORT: Final = b"X-Forwarded-Port"
_FORWARDED_PREFIX: Final = b"X-Forwarded-Prefix"
_FORWARDED_PROTO: Final = b"X-Forwarded-Proto"
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?\Z")
_PORT: Final = re.compile(r"[0-9]{1,5}\Z")
_WITH_TLS: Final = {"https", "wss"}  # Traefik says the latter of WebSockets


class Proxies:
    """The operator's proxies: ``networks`` and ``public_url`` as in the settings."""

    def __init__(self, networks: Iterable[str] = (), public_url: str = "") -> None:
        """Raises ConfigurationError for what is no network, ValueError for what is no URL."""
        self.public: Final = parse_public_url(public_url) if public_url else PublicUrl("", "")
        """Where the operator says that the server is found; empty if nowhere."""
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
        return request.isSecure() or self._forwarded(request, _FORWARDED_PROTO) in _WITH_TLS

    def host(self, request: Request) -> tuple[str, str]:
        """The host that the client asked, and the port as it wrote it, empty where it did not.

        Both are empty where it named none, or what cannot be one.
        """
        found = _HOST.match(self._forwarded(request, _FORWARDED_HOST)) or _HOST.match(
            _asked(request)
        )
        if found is None:
            return "", ""
        port = self._forwarded(request, _FORWARDED_PORT)
        return found[1], found[2] or (port if _PORT.match(port) else "")

    def hosts(self, request: Request) -> tuple[str, ...]:
        """Each host that ``request`` names: as it came, and as a proxy of ours says.

        Empty is what cannot be one. A page that is open on the proxy's machine can write the
        proxy's field, but never Host: who must not be deceived looks at both.
        """
        forwarded = self._forwarded(request, _FORWARDED_HOST)
        found = (
            _HOST.match(each) for each in (_asked(request), *([forwarded] if forwarded else ()))
        )
        return tuple("" if each is None else each[1] for each in found)

    def prefix(self, request: Request) -> str:
        """What every URL of the server begins with for the client, behind the host.

        Empty, or as ``/mail``, without a slash at its end: it is in front of a path as the
        operations have it, in links, redirects and the cookie's path.
        """
        return self._place(request).prefix

    def origin(self, request: Request) -> str:
        """Scheme, host and port by which the client finds the server, as ``https://mail.example``.

        To be shown; whether a page is ours is for http.server.origins to say.
        """
        place = self._place(request)
        if place.origin:
            return place.origin
        host, port = self.host(request)
        if not host:
            here = request.getHost()
            host, port = str(getattr(here, "host", "")), str(getattr(here, "port", ""))
            host = f"[{host}]" if ":" in host else host
        scheme = "https" if self.is_secure(request) else "http"
        return f"{scheme}://{host.lower()}{port and f':{port}'}"

    def _place(self, request: Request) -> PublicUrl:
        """Of both what is known without asking the host: what a proxy says, then the setting."""
        prefix = parse_prefix(self._forwarded(request, _FORWARDED_PREFIX))
        if prefix is None or prefix == self.public.prefix:
            return self.public
        return PublicUrl("", prefix)

    def _forwarded(self, request: Request, name: bytes) -> str:
        """The last value that a proxy of ours gave the header ``name``, empty if none did."""
        given = request.getHeader(name) if self._networks else None
        if not given or not self.includes_sender(request):
            return ""
        return given.decode("latin-1").rpartition(",")[2].strip()

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


def _asked(request: Request) -> str:
    return (request.getHeader(b"Host") or b"").decode("latin-1").strip()


def _direct(request: Request) -> str:
    return str(getattr(request.getClientAddress(), "host", ""))
