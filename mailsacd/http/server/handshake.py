"""The opening handshake of a WebSocket (RFC 6455 section 4), up to where frames begin.

What is said after the upgrade is not this module's: it knows neither frames nor who may listen.
"""

import base64
import binascii
import re
from http import HTTPStatus
from typing import Final

from twisted.web import http

from mailsacd.http.server.answer import Response, problem

VERSION: Final = b"13"  # RFC 6455 section 4.1
_NONCE_BYTES: Final = 16
_MAX_EXTENSIONS_BYTES: Final = 1_000
# A window of 8 bits, which zlib cannot have: RFC 7692 lets a server pass over such an offer.
_WINDOW_OF_8: Final = re.compile(rb"window_bits\s*=\s*\"?8\b")
_PRINTABLE: Final = re.compile(rb"[\x20-\x7e]*\Z")


def refusal_of(request: http.Request) -> Response | None:
    """What ``request`` is refused with that is no opening handshake (RFC 6455 section 4.2.1).

    None for one as it should be. Who asks, and from which page, is not looked at.
    """
    if request.method != b"GET":
        message = "This URL takes GET alone"
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, message, headers=((b"Allow", b"GET"),))
    if not _asks_for_upgrade(request):
        headers = ((b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", VERSION))
        message = "This URL is for WebSockets of version 13, by HTTP/1.1"
        return problem(HTTPStatus.UPGRADE_REQUIRED, message, headers=headers)
    keys = _values(request, b"Sec-WebSocket-Key")
    if len(keys) != 1 or not _is_nonce(keys[0]):
        return problem(HTTPStatus.BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in base64")
    if len(_values(request, b"Host")) != 1:
        return problem(HTTPStatus.BAD_REQUEST, "There has to be one Host")
    return None


def opening(request: http.Request) -> bytes:
    """The handshake of ``request`` once more for who goes on with the connection.

    It has what is needed to answer it and no more.
    """
    lines = [
        b"GET / HTTP/1.1",
        b"Host: localhost",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: " + VERSION,
        b"Sec-WebSocket-Key: " + _values(request, b"Sec-WebSocket-Key")[0],
    ]
    offers = b", ".join(_values(request, b"Sec-WebSocket-Extensions"))
    usable = 0 < len(offers) <= _MAX_EXTENSIONS_BYTES and _PRINTABLE.match(offers)
    if usable and not _WINDOW_OF_8.search(offers):
        lines.append(b"Sec-WebSocket-Extensions: " + offers)
    return b"\r\n".join([*lines, b"", b""])


def _asks_for_upgrade(request: http.Request) -> bool:
    return (
        b"websocket" in _tokens(request, b"Upgrade")
        and b"upgrade" in _tokens(request, b"Connection")
        and request.clientproto == b"HTTP/1.1"
        and _values(request, b"Sec-WebSocket-Version") == [VERSION]
    )


def _values(request: http.Request, name: bytes) -> list[bytes]:
    return list(request.requestHeaders.getRawHeaders(name) or ())


def _tokens(request: http.Request, name: bytes) -> set[bytes]:
    return {token.strip().lower() for token in b",".join(_values(request, name)).split(b",")}


def _is_nonce(text: bytes) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _NONCE_BYTES
    except (binascii.Error, ValueError):
        return False
