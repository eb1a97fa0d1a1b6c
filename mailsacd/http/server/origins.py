"""Which pages are our own: what a browser says of them beside where the server is found.

It is one rule for writing with a session's cookie and for opening a WebSocket; what any program of
the machine could be talked into (MCP) has a stricter one, `Origins.is_known`.

An origin is scheme, host and port (RFC 6454 section 4). One that is written out with its default
port, or with a slash at its end, is the same.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from twisted.web.http import Request

from mailsacd.core.peer import is_loopback
from mailsacd.http.server.proxies import Proxies

_OWN: Final = {b"same-origin", b"none"}  # a page of ours, or the person, by no page
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)(?::([0-9]{1,5}))?/*\Z")

_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")


class Origin(NamedTuple):
    """Of a page: ``host`` in lower case, an IPv6 address in brackets."""

    scheme: str
    host: str
    port: int


def parse_origin(text: str) -> Origin | None:
    """The origin that ``text`` writes; None for what is none, such as ``null``."""
    found = _ORIGIN.match(text.strip().lower())
    if found is None:
        return None
    scheme, host, port = found.groups()
    return Origin(scheme, host, int(port) if port else _DEFAULT_PORTS[scheme])


class Origins:
    """Knows which pages may do more than read: our own, and those of ``allowed``.

    Our own are where http.public_url says, and where the client has asked for them. With
    ``any_local_port`` each page of this machine is one to a client that has asked this machine.
    """

    def __init__(
        self, proxies: Proxies, allowed: Iterable[str] = (), *, any_local_port: bool = False
    ) -> None:
        self._allowed = frozenset(map(parse_origin, (*allowed, proxies.public.origin))) - {None}
        self._proxies = proxies
        self._any_local_port = any_local_port

    def is_foreign(self, request: Request) -> bool:
        """Whether a page of somebody else's makes ``request``.

        Browsers send Sec-Fetch-Site (Fetch Metadata Request Headers, W3C) over TLS and to their
        own machine, and Origin with whatever is more than reading. Pages cannot forge either;
        programs send neither.
        """
        site = request.getHeader(b"Sec-Fetch-Site")
        if site in _OWN:
            return False
        origins = request.requestHeaders.getRawHeaders(b"Origin") or []
        if site is not None and not origins:
            return True
        return not all(
            self._is_ours(parse_origin(o.decode("latin-1")), request, told_so=site is not None)
            for o in origins
        )

    def is_known(self, request: Request) -> bool:
        """Whether no page makes ``request``, or one whose site is ours by more than the Host field.

        A page can have the name of its own site lead to this machine (DNS rebinding): it asks by
        that name then, and is as little foreign as a page of ours. What it cannot have is a name
        of the settings, that of this machine for itself, or an IP address.
        """
        if self.is_foreign(request):
            return False
        origins = request.requestHeaders.getRawHeaders(b"Origin") or []
        return all(self._has_own_name(parse_origin(o.decode("latin-1"))) for o in origins)

    def _has_own_name(self, origin: Origin | None) -> bool:
        if origin is None:
            return False
        is_address = "[" in origin.host or _IPV4.match(origin.host) is not None
        return is_address or origin in self._allowed or is_loopback(origin.host)

    def _is_ours(self, origin: Origin | None, request: Request, *, told_so: bool) -> bool:
        """``told_so`` is whether the browser says that the page is not where the client asks."""
        if origin is None:
            return False
        if origin in self._allowed:
            return True
        scheme = "https" if self._proxies.is_secure(request) else "http"
        host, port = self._proxies.host(request)
        own = parse_origin(f"{scheme}://{host}{port and f':{port}'}")
        if own is None or origin.scheme != own.scheme:
            return False
        if self._any_local_port and is_loopback(origin.host.strip("[]")):
            return is_loopback(own.host.strip("[]"))
        # A proxy that passes on no port hides it: then any port of the host is its own
        hidden = not port and self._proxies.includes_sender(request)
        return not told_so and origin.host == own.host and (hidden or origin.port == own.port)
