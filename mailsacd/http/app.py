"""Puts the operations on Klein, and Klein on a site: the whole way of a request and its answer."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.resource import IResource, Resource
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from mailsacd.http.attachments import Attachments
from mailsacd.http.codec import Response, error_response, problem, read_body
from mailsacd.http.connection import HttpSite, Request
from mailsacd.http.credentials import KEY_HEADER, identify
from mailsacd.http.documentation import Documentation
from mailsacd.http.endpoint import Call, Operation
from mailsacd.http.messages import Messages
from mailsacd.http.openapi import specification
from mailsacd.http.service import Service
from mailsacd.http.shield import shielded
from mailsacd.mail.auth import ANYONE, Authenticator
from mailsacd.mail.mailbox import Mailbox
from mailsacd.settings import HttpSettings

_KEY_HEADER: Final = KEY_HEADER.encode()
_READS: Final = frozenset({b"GET", b"HEAD"})

# Any page may read what its user gives it a key for, or what needs none; none may write, and
# cookies are never taken from elsewhere.
_PREFLIGHT: Final = (
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Access-Control-Allow-Methods", b"GET, HEAD"),
    (b"Access-Control-Allow-Headers", b"Mailsac-Key, Content-Type"),
    (b"Access-Control-Max-Age", b"86400"),
)


class Api:
    """The REST API: one table of operations, from which routes and specification are made."""

    def __init__(
        self, mailbox: Mailbox, authenticator: Authenticator, version: str, reactor: IReactorTime
    ) -> None:
        self._authenticator = authenticator
        documentation = Documentation(lambda: specification(self._listed(), version))
        self.operations: Final[tuple[Operation, ...]] = (
            *Messages(mailbox).operations(),
            *Attachments(mailbox).operations(),
            *Service(mailbox, version, reactor).operations(),
            *documentation.operations(),
        )
        self._klein = Klein()
        self._klein.url_map.strict_slashes = False  # one slash too many at the end does no harm
        self._klein.url_map.merge_slashes = False  # and one too many within finds nothing
        for operation in self.operations:
            self._route(operation)
        not_routed: Any = _not_routed  # Klein's type for it wants IRequest, which has no answer
        self._klein.handle_errors(HTTPException)(not_routed)

    def resource(self) -> IResource:
        """What Twisted's site serves."""
        return self._klein.resource()

    def _listed(self) -> list[Operation]:
        return [operation for operation in self.operations if operation.listed]

    def _route(self, operation: Operation) -> None:
        def render(request: Request, **segments: str) -> Deferred[bytes]:
            return shielded(self._render(operation, request, segments))

        route: Callable[..., Any] = self._klein.route(
            operation.rule, methods=[operation.method], endpoint=operation.id
        )
        route(render)

    async def _render(
        self, operation: Operation, request: Request, segments: dict[str, str]
    ) -> bytes:
        try:
            response = await self._respond(operation, request, segments)
        except Exception as e:  # noqa: BLE001  the end of the line: every error gets its answer
            response = error_response(e, operation.id)
        return _written(request, response)

    async def _respond(
        self, operation: Operation, request: Request, segments: dict[str, str]
    ) -> Response:
        query: dict[bytes, list[bytes]] = request.args or {}
        actor = ANYONE
        if not operation.open:
            body = {}
            if request.body_bytes:
                body = read_body(request.content.read(), request.getHeader(b"Content-Type"))
            actor = await identify(self._authenticator, request.getHeader(_KEY_HEADER), query, body)
        return await operation.handler(Call(actor, operation.read(segments, query)))


class _Root(Resource):
    """Klein for everything. A resource for another protocol is put beside it with putChild."""

    def __init__(self, api: IResource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._api = api

    def getChild(self, path: bytes, request: server.Request) -> IResource:
        """Klein, which is to see the whole path."""
        assert request.postpath is not None  # noqa: S101  for mypy: our request always sets it
        request.prepath = []
        request.postpath.insert(0, path)
        return self._api


def make_site(
    mailbox: Mailbox,
    authenticator: Authenticator,
    settings: HttpSettings,
    version: str,
    reactor: IReactorTime,
) -> HttpSite:
    """The site to listen with. WebSocket will have its place beside Klein, in the root."""
    api = Api(mailbox, authenticator, version, reactor)
    return HttpSite(_Root(api.resource()), settings, reactor)


def _not_routed(request: Request, failure: Failure) -> bytes:
    """No operation has this path, or none with this method."""
    error = failure.value
    if not isinstance(error, MethodNotAllowed):
        return _written(request, problem(HTTPStatus.NOT_FOUND, "There is nothing at this URL"))
    methods = ", ".join(sorted({*(error.valid_methods or ()), "OPTIONS"}))
    allow = (b"Allow", methods.encode("ascii"))
    if request.method == b"OPTIONS":
        return _written(request, Response(status=204, headers=(allow, *_PREFLIGHT)))
    return _written(
        request,
        problem(HTTPStatus.METHOD_NOT_ALLOWED, f"This URL takes {methods} alone", headers=(allow,)),
    )


def _written(request: Request, response: Response) -> bytes:
    """The body, after everything else of ``response`` is set on ``request``."""
    if response.status != HTTPStatus.OK:
        request.setResponseCode(response.status)
    put = request.responseHeaders.setRawHeaders
    if response.status != HTTPStatus.NO_CONTENT:
        put(b"Content-Type", [response.content_type])
        put(b"Content-Length", [b"%d" % len(response.body)])
    put(b"Cache-Control", [b"no-store"])
    if request.method in _READS:
        put(b"Access-Control-Allow-Origin", [b"*"])
    for name, value in response.headers:
        put(name, [value])
    return response.body
