"""From a request's method and path to its handler, by Klein's table of routes."""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from klein import Klein
from twisted.logger import Logger
from twisted.web import server
from twisted.web.resource import Resource
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from mailsacd.http.api.dispatch import Dispatch
from mailsacd.http.api.operation import MAX_BODY_BYTES, Handler, Operation
from mailsacd.http.api.paths import Paths
from mailsacd.http.server.answer import Response, problem
from mailsacd.http.server.request import Request

# Any page may read what its user gives it a key for, or what needs none; none may write, and
# cookies are never taken from elsewhere.
_PREFLIGHT: Final = (
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Access-Control-Allow-Methods", b"GET, HEAD"),
    (b"Access-Control-Allow-Headers", b"Mailsac-Key, Content-Type, Last-Event-ID"),
    (b"Access-Control-Max-Age", b"86400"),
)

_Found = tuple[str, Mapping[str, str]]  # an endpoint, and its parameters

_log = Logger()


class Routes(Resource):
    """Klein's routes and handlers, without what Klein does around each request.

    That is a chain of Deferreds, which costs a third of a request. A leaf to Twisted, so that the
    routes see the whole path. A resource for another protocol, a leaf, is put beside them with
    putChild.
    """

    isLeaf = True

    def __init__(self, operations: Iterable[Operation], dispatch: Dispatch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        klein = Klein()
        klein.url_map.strict_slashes = False  # one slash too many at the end does no harm
        klein.url_map.merge_slashes = False  # `encoded_segments` has done it: no redirects
        self._max_body_bytes: dict[str, int] = {}
        for operation in operations:
            if operation.handler is not None:
                _put(klein, operation, operation.handler, dispatch)
                self._max_body_bytes[operation.id] = operation.max_body_bytes
        self._paths = Paths(klein.url_map.iter_rules())
        self._match = klein.url_map.bind("").match
        self._execute = klein.execute_endpoint

    def max_body_bytes(self, method: bytes, segments: list[bytes]) -> int:
        """How long the body of a request for that path, still encoded, may be at most."""
        try:
            endpoint, _ = self._find(method, segments)
        except HTTPException:
            return MAX_BODY_BYTES
        return self._max_body_bytes[endpoint]

    def render(self, request: Request) -> int:
        """Have ``request`` answered, sooner or later. Returns NOT_DONE_YET."""
        assert request.postpath is not None  # noqa: S101  for mypy: our request always sets it
        child = self.children.get(request.postpath[0])
        if child is not None:
            del request.postpath[0]
            return cast(int, child.render(request))
        try:
            endpoint, segments = self._find(request.method, request.postpath)
        except HTTPException as e:
            request.answer(_not_routed(request.method, e))
            return server.NOT_DONE_YET
        request.call = endpoint
        answered: Any = self._execute(endpoint, request, **segments)
        answered.addErrback(lambda f: _log.failure("cannot answer {call}", f, call=endpoint))
        return server.NOT_DONE_YET

    def _find(self, method: bytes, segments: list[bytes]) -> _Found:
        """Raises what werkzeug does where there is nothing."""
        found = self._paths.find(segments, method)
        if found is not None:
            return found
        path = b"/".join([b"", *segments]).decode("ascii")
        matched: _Found = self._match(path, method.decode("ascii"))
        return matched


def _put(klein: Klein, operation: Operation, handler: Handler, dispatch: Dispatch) -> None:
    async def answer(request: Request, **segments: str) -> None:
        await dispatch.answer(operation, handler, request, segments)

    route: Callable[..., Any] = klein.route(
        operation.rule, methods=[operation.method], endpoint=operation.id
    )
    route(answer)


def _not_routed(method: bytes, error: HTTPException) -> Response:
    """No operation has this path, or none with this method."""
    if not isinstance(error, MethodNotAllowed):
        return problem(HTTPStatus.NOT_FOUND, "There is nothing at this URL")
    methods = ", ".join(sorted({*(error.valid_methods or ()), "OPTIONS"}))
    allow = (b"Allow", methods.encode("ascii"))
    if method == b"OPTIONS":
        return Response(status=HTTPStatus.NO_CONTENT, headers=(allow, *_PREFLIGHT))
    message = f"This URL takes {methods} alone"
    return problem(HTTPStatus.METHOD_NOT_ALLOWED, message, headers=(allow,))
