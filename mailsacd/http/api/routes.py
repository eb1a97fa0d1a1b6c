"""From a request's method and path to its handler, by Klein's table of routes."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from klein import Klein
from twisted.logger import Logger
from twisted.web import server
from twisted.web.resource import Resource
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from mailsacd.http.api.paths import Paths
from mailsacd.http.server.answer import Response, problem
from mailsacd.http.server.request import Request

# Any page may read what its user gives it a key for, or what needs none; none may write, and
# cookies are never taken from elsewhere.
_PREFLIGHT: Final = (
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Access-Control-Allow-Methods", b"GET, HEAD"),
    (b"Access-Control-Allow-Headers", b"Mailsac-Key, Content-Type"),
    (b"Access-Control-Max-Age", b"86400"),
)

_Found = tuple[str, Mapping[str, str]]  # an endpoint, and its parameters

_log = Logger()


def root(klein: Klein) -> Resource:
    """What a site serves: the routes for everything.

    A resource for another protocol, a leaf, is put beside them with putChild.
    """
    return _Routes(klein)


class _Routes(Resource):
    """Klein's routes and handlers, without what Klein does around each request.

    That is a chain of Deferreds, which costs a third of a request, and cancels the handler when
    the client goes away, which breaks off a statement in the middle. A leaf to Twisted, so that
    the routes see the whole path.
    """

    isLeaf = True

    def __init__(self, klein: Klein) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._find = Paths(klein.url_map.iter_rules()).find
        self._match = klein.url_map.bind("").match
        self._execute = klein.execute_endpoint

    def render(self, request: Request) -> int:
        """Has the request answered, sooner or later."""
        assert request.postpath is not None  # noqa: S101  for mypy: our request always sets it
        child = self.children.get(request.postpath[0])
        if child is not None:
            del request.postpath[0]
            return cast(int, child.render(request))
        found: _Found | None = self._find(request.postpath, request.method)
        if found is None:
            path = b"/".join([b"", *request.postpath]).decode("ascii")
            try:
                found = self._match(path, request.method.decode("ascii"))
            except HTTPException as e:
                request.answer(_not_routed(request.method, e))
                return server.NOT_DONE_YET
        endpoint, segments = found
        answered: Any = self._execute(endpoint, request, **segments)
        answered.addErrback(lambda f: _log.failure("cannot answer {call}", f, call=endpoint))
        return server.NOT_DONE_YET


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
