"""The way from HTTP to WebSocket: checks the opening handshake and hands the connection over.

What is said after the upgrade is not this module's: it knows neither frames nor who may listen.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from typing import Protocol as TypingProtocol

from twisted.internet.protocol import Protocol
from twisted.web import server
from twisted.web.resource import Resource

from mailsacd.http.api.codec import Response, problem
from mailsacd.http.api.credentials import KEY_FIELD, KEY_HEADER
from mailsacd.http.api.operation import Answer, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.calls.events import SINCE_SEQUENCE
from mailsacd.http.server.proxies import Proxies
from mailsacd.http.server.request import Request

PATH: Final = b"incoming-messages"
VERSION: Final = b"13"  # RFC 6455 section 4.1
_NONCE_BYTES: Final = 16
_MAX_EXTENSIONS_BYTES: Final = 1_000
# A window of 8 bits, which zlib cannot have: RFC 7692 lets a server pass over such an offer.
_WINDOW_OF_8: Final = re.compile(rb"window_bits\s*=\s*\"?8\b")
_PRINTABLE: Final = re.compile(rb"[\x20-\x7e]*\Z")


class Accept(TypingProtocol):
    """Makes the protocol that goes on with the connection (ws.factory)."""

    def __call__(
        self, peer: str, key: str | None, query: Mapping[bytes, Sequence[bytes]]
    ) -> Protocol:
        """``peer`` is the client's IP address; ``key`` is not checked yet."""


@dataclass(frozen=True, slots=True)
class WebSockets:
    """Who takes connections over. Pages of ``allowed_origins`` may listen beside our own."""

    accept: Accept
    allowed_origins: tuple[str, ...] = ()


class WebSocketCalls:
    """What the specification can say of it."""

    def operations(self) -> tuple[Operation, ...]:
        """The one call."""
        told = "Frames follow: JSON objects with a `status`. Who may not listen is told so in one"
        return (
            Operation(
                method="GET",
                path=f"/{PATH.decode()}",
                id="listenByWebSocket",
                tag="Messages",
                summary="Mail as it comes, by WebSocket",
                description="The opening handshake (RFC 6455). One frame for each message has it "
                "in the pushed form, beside `status` and once more as `email`.",
                parameters=(
                    _query("key", "An API key; it may also come as everywhere."),
                    _query("_id", "The account that the key belongs to."),
                    _query(
                        "addresses",
                        "Addresses and domains, with commas between them. "
                        "None: all that the account owns; `*`: all public mail.",
                    ),
                    SINCE_SEQUENCE,
                ),
                answers=(Answer(status=101, description=told, schemas={}),),
                refusals=(400, 403, 426),
                open=True,
                handler=None,
            ),
        )


def _query(name: str, description: str) -> Parameter:
    return Parameter(
        name=name, where="query", description=description, schema={"type": "string"}, convert=str
    )


class WebSocketUpgrade(Resource):
    """What is at `/incoming-messages`."""

    isLeaf = True

    def __init__(self, websockets: WebSockets, proxies: Proxies, public_url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._accept = websockets.accept
        self._proxies = proxies
        own = (public_url,) if public_url else ()
        origins = (*own, *websockets.allowed_origins)
        self._origins = frozenset(origin.rstrip("/").lower().encode() for origin in origins)

    def render(self, request: Request) -> int:
        """Refuses in HTTP what is no upgrade, or comes from another site's page."""
        refusal = _malformed(request) or self._foreign(request)
        if refusal is not None:
            request.answer(refusal)
            return server.NOT_DONE_YET
        query: dict[bytes, list[bytes]] = request.args or {}
        successor = self._accept(self._proxies.peer(request), _key(request, query), query)
        request.channel.hand_over(successor, _opening(request))
        return server.NOT_DONE_YET

    def _foreign(self, request: Request) -> Response | None:
        """Programs send no Origin; browsers always do, and pages cannot forge it."""
        origins = request.requestHeaders.getRawHeaders(b"Origin") or []
        host = (request.getHeader(b"Host") or b"").lower()
        for origin in origins:
            lowered = origin.lower()
            if lowered not in self._origins and lowered.partition(b"://")[2] != host:
                message = "Pages of other sites may not listen here: see websocket.allowed_origins"
                return problem(HTTPStatus.FORBIDDEN, message)
        return None


def _malformed(request: Request) -> Response | None:
    """RFC 6455 section 4.2.1."""
    if request.postpath not in ([], [b""]):
        return problem(HTTPStatus.NOT_FOUND, "There is nothing at this URL")
    if request.method != b"GET":
        message = "This URL takes GET alone"
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, message, headers=((b"Allow", b"GET"),))
    if not _asks_for_upgrade(request):
        headers = ((b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", VERSION))
        message = "This URL is for WebSockets of version 13, by HTTP/1.1"
        return problem(HTTPStatus.UPGRADE_REQUIRED, message, headers=headers)
    keys = request.requestHeaders.getRawHeaders(b"Sec-WebSocket-Key") or []
    if len(keys) != 1 or not _is_nonce(keys[0]):
        return problem(HTTPStatus.BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in base64")
    if len(request.requestHeaders.getRawHeaders(b"Host") or []) != 1:
        return problem(HTTPStatus.BAD_REQUEST, "There has to be one Host")
    return None


def _asks_for_upgrade(request: Request) -> bool:
    return (
        b"websocket" in _tokens(request, b"Upgrade")
        and b"upgrade" in _tokens(request, b"Connection")
        and request.clientproto == b"HTTP/1.1"
        and request.requestHeaders.getRawHeaders(b"Sec-WebSocket-Version") == [VERSION]
    )


def _tokens(request: Request, name: bytes) -> set[bytes]:
    values = request.requestHeaders.getRawHeaders(name) or []
    return {token.strip().lower() for token in b",".join(values).split(b",")}


def _is_nonce(text: bytes) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _NONCE_BYTES
    except (binascii.Error, ValueError):
        return False


def _key(request: Request, query: Mapping[bytes, Sequence[bytes]]) -> str | None:
    for given in (
        request.getHeader(KEY_HEADER.encode()),
        *(query[name][-1] for name in (b"key", KEY_FIELD.encode()) if name in query),
    ):
        if given:
            return given.decode("utf-8", "replace")
    return None


def _opening(request: Request) -> bytes:
    """The handshake once more for the successor, with what it needs to answer it and no more."""
    lines = [
        b"GET / HTTP/1.1",
        b"Host: localhost",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: " + VERSION,
        b"Sec-WebSocket-Key: " + (request.getHeader(b"Sec-WebSocket-Key") or b""),
    ]
    offers = b", ".join(request.requestHeaders.getRawHeaders(b"Sec-WebSocket-Extensions") or [])
    usable = 0 < len(offers) <= _MAX_EXTENSIONS_BYTES and _PRINTABLE.match(offers)
    if usable and not _WINDOW_OF_8.search(offers):
        lines.append(b"Sec-WebSocket-Extensions: " + offers)
    return b"\r\n".join([*lines, b"", b""])
