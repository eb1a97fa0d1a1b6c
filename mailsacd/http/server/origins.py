"""Which pages are our own: the Origin of a request beside the places that the server is found at.

An origin is scheme, host and port (RFC 6454 section 4). One that is written out with its default
port, or with a slash at its end, is the same.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from twisted.web.http import Request

from mailsacd.core.peer import is_loopback
from mailsacd.http.server.proxies import Proxies

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]]+)(?::([0-9]{1,5}))?/*\Z")


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
    """Knows the pages that may use a browser's connection: ``allowed`` ones, and our own."""

    def __init__(self, allowed: Iterable[str], proxies: Proxies) -> None:
        self._allowed = frozenset(map(parse_origin, allowed)) - {None}
        self._proxies = proxies

    def is_foreign(self, request: Request) -> bool:
        """Whether a page of somebody else's makes ``request``.

        Programs send no Origin; browsers always do, and pages cannot forge it.
        """
        origins = request.requestHeaders.getRawHeaders(b"Origin") or []
        return not all(self._is_ours(parse_origin(o.decode("latin-1")), request) for o in origins)

    def _is_ours(self, origin: Origin | None, request: Request) -> bool:
        if origin is None:
            return False
        if origin in self._allowed:
            return True
        scheme = "https" if self._proxies.is_secure(request) else "http"
        host, port = self._proxies.host(request)
        own = parse_origin(f"{scheme}://{host}{port and f':{port}'}")
        if own is None or origin.scheme != own.scheme:
            return False
        if is_loopback(origin.host.strip("[]")):  # this machine's page, on whichever port
            return is_loopback(own.host.strip("[]"))
        # A proxy that passes on no port hides it: then any port of the host is its own
        hidden = not port and self._proxies.includes_sender(request)
        return origin.host == own.host and (hidden or origin.port == own.port)
