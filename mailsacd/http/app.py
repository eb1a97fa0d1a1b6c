"""Puts the operations on Klein and Klein on a site: the way of a request and of its answer."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource

from mailsacd.core.actor import ANYONE
from mailsacd.http.api.bodies import struct_of
from mailsacd.http.api.codec import error_response, read_body
from mailsacd.http.api.credentials import Callers, identify, session_token
from mailsacd.http.api.openapi import specification
from mailsacd.http.api.operation import Call, Handler, Operation
from mailsacd.http.api.routes import root
from mailsacd.http.calls.attachments import Attachments
from mailsacd.http.calls.documentation import Documentation
from mailsacd.http.calls.messages import Messages
from mailsacd.http.calls.service import Service
from mailsacd.http.calls.websocket import PATH, WebSockets, WebSocketUpgrade
from mailsacd.http.server.answer import Response, Streamed
from mailsacd.http.server.bounds import Bounds
from mailsacd.http.server.channel import Channel
from mailsacd.http.server.proxies import Proxies
from mailsacd.http.server.request import Request
from mailsacd.http.server.site import HttpSite
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.settings import HttpSettings


class Group(Protocol):
    """Handlers that belong together, with the table of their operations."""

    def operations(self) -> tuple[Operation, ...]:
        """All calls of the group."""


class Api:
    """The REST API: one table of operations, from which routes and specification are made."""

    def __init__(
        self,
        mailbox: Mailbox,
        authenticator: Callers,
        version: str,
        reactor: IReactorTime,
        groups: Iterable[Group] = (),
        proxies: Proxies | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._proxies = proxies or Proxies()
        documentation = Documentation(lambda: specification(self._listed(), version))
        self.operations: Final[tuple[Operation, ...]] = (
            *Messages(mailbox).operations(),
            *Attachments(mailbox).operations(),
            *Service(mailbox, version, reactor).operations(),
            *documentation.operations(),
            *(operation for group in groups for operation in group.operations()),
        )
        self._klein = Klein()
        self._klein.url_map.strict_slashes = False  # one slash too many at the end does no harm
        self._klein.url_map.merge_slashes = False  # and one too many within finds nothing
        for operation in self.operations:
            if operation.handler is not None:
                self._route(operation, operation.handler)

    def resource(self) -> Resource:
        """What Twisted's site serves."""
        return root(self._klein)

    def _listed(self) -> list[Operation]:
        return [operation for operation in self.operations if operation.listed]

    def _route(self, operation: Operation, handler: Handler) -> None:
        async def answer(request: Request, **segments: str) -> None:
            response: Response | Streamed
            try:
                call = await self._read(operation, request, segments)
                response = await handler(call)
            except Exception as e:  # noqa: BLE001  the end of the line: every error is answered
                response = error_response(e, operation.id)
            request.answer(response)

        route: Callable[..., Any] = self._klein.route(
            operation.rule, methods=[operation.method], endpoint=operation.id
        )
        route(answer)

    async def _read(self, operation: Operation, request: Request, segments: dict[str, str]) -> Call:
        query: dict[bytes, list[bytes]] = request.args or {}
        peer = self._proxies.peer(request)
        actor, key = ANYONE, None
        body: dict[str, Any] = {}
        if not operation.open:
            if request.body_bytes:
                body = read_body(request.content.read(), request.getHeader(b"Content-Type"))
            actor, key = await identify(self._authenticator, request, query, body, peer)
        values = operation.read(segments, query, request.getHeader)
        given = None if operation.body is None else struct_of(operation.body, body)
        return Call(
            actor,
            values,
            given,
            peer=peer,
            session=session_token(request),
            secure=self._proxies.is_secure(request),
            key=key,
        )


def make_site(
    mailbox: Mailbox,
    authenticator: Callers,
    settings: HttpSettings,
    version: str,
    reactor: IReactorTime,
    groups: Iterable[Group] = (),
) -> HttpSite:
    """The site to listen with, for the calls about messages and those of ``groups``."""
    proxies = Proxies(settings.proxy_networks)
    api = Api(mailbox, authenticator, version, reactor, groups, proxies)
    bounds = Bounds(settings, reactor)
    return HttpSite(api.resource(), bounds, reactor, channel=Channel, request=Request)


def put_websockets(site: HttpSite, websockets: WebSockets, settings: HttpSettings) -> None:
    """Have ``site`` serve WebSockets, too, in the root beside the routes."""
    upgrade = WebSocketUpgrade(websockets, Proxies(settings.proxy_networks), settings.public_url)
    site.resource.putChild(PATH, upgrade)
