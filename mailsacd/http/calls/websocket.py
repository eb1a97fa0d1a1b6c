"""`/incoming-messages`: refuses who may not upgrade, and hands the connection over to who may.

Who may listen to what is decided after the upgrade, in frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from typing import Protocol as TypingProtocol

from twisted.internet.protocol import Protocol
from twisted.web import server
from twisted.web.resource import Resource

from mailsacd.http.api.credentials import KEY_FIELD, KEY_HEADER
from mailsacd.http.api.operation import Answer, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.calls.events import SINCE_SEQUENCE
from mailsacd.http.server.answer import Response, problem
from mailsacd.http.server.handshake import opening, refusal_of
from mailsacd.http.server.origins import Origins
from mailsacd.http.server.proxies import Proxies
from mailsacd.http.server.request import Request

PATH: Final = b"incoming-messages"
CALL: Final = "listenByWebSocket"


class AcceptsUpgrade(TypingProtocol):
    """Makes the protocol that goes on with the connection (ws.factory)."""

    def __call__(
        self, peer: str, key: str | None, query: Mapping[bytes, Sequence[bytes]]
    ) -> Protocol:
        """Make the protocol for a client whose upgrade is as it should be.

        ``peer`` is the client's IP address; ``key`` is not checked yet; ``query`` is decoded.
        """


@dataclass(frozen=True, slots=True)
class WebSockets:
    """Who takes connections over. Pages of ``allowed_origins`` may listen beside our own."""

    accept: AcceptsUpgrade
    allowed_origins: tuple[str, ...] = ()


class WebSocketCalls:
    """The declaration of the call, for the specification."""

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call, which Klein does not serve."""
        told = "Frames follow: JSON objects with a `status`. Who may not listen is told so in one"
        return (
            Operation(
                method="GET",
                path=f"/{PATH.decode()}",
                id=CALL,
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
    """The resource at `/incoming-messages`, beside Klein's routes."""

    isLeaf = True

    def __init__(self, websockets: WebSockets, proxies: Proxies) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._accept = websockets.accept
        self._proxies = proxies
        self._origins = Origins(proxies, websockets.allowed_origins, any_local_port=True)

    def render(self, request: Request) -> int:
        """Hand the connection over, or refuse in HTTP; the return value is Twisted's."""
        request.call = CALL
        refusal = self._refusal(request)
        if refusal is not None:
            request.answer(refusal)
            return server.NOT_DONE_YET
        query: dict[bytes, list[bytes]] = request.args or {}
        successor = self._accept(self._proxies.peer(request), _key(request, query), query)
        request.note(HTTPStatus.SWITCHING_PROTOCOLS)
        request.channel.hand_over(successor, opening(request))
        return server.NOT_DONE_YET

    def _refusal(self, request: Request) -> Response | None:
        if request.postpath not in ([], [b""]):
            return problem(HTTPStatus.NOT_FOUND, "There is nothing at this URL")
        refusal = refusal_of(request)
        if refusal is None and self._origins.is_foreign(request):
            message = (
                "Pages of other sites may not listen here: see websocket.allowed_origins. "
                "If it is a page of this server: see http.public_url and http.proxy_networks"
            )
            refusal = problem(HTTPStatus.FORBIDDEN, message)
        return refusal


def _key(request: Request, query: Mapping[bytes, Sequence[bytes]]) -> str | None:
    for given in (
        request.getHeader(KEY_HEADER.encode()),
        *(query[name][-1] for name in (b"key", KEY_FIELD.encode()) if name in query),
    ):
        if given:
            return given.decode("utf-8", "replace")
    return None
