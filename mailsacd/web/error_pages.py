"""An error as a page, for who asked for one: everybody else gets it in JSON."""

import re
from http import HTTPStatus
from typing import Any, Final

from mailsacd.core.actor import ANYONE
from mailsacd.http.api.credentials import session_token
from mailsacd.http.api.operation import Call
from mailsacd.http.server.answer import Problem, Response
from mailsacd.http.server.request import Request
from mailsacd.web.rendering import Rendering
from mailsacd.web.visit import Visit

_FOR_PROGRAMS: Final = frozenset({b"api", b"openapi.json", b"incoming-messages", b"metrics"})
_RANGE: Final = re.compile(rb"\s*([^;,\s]+)\s*(?:;[^,]*?\bq=([01](?:\.\d{0,3})?))?[^,]*")
_HTML: Final = (b"text/html", b"application/xhtml+xml")
_JSON: Final = (b"application/json", b"application/problem+json")


def wants_page(accept: bytes) -> bool:
    """Whether a header field Accept names HTML, and nothing that it likes JSON better than.

    Browsers name it; programs that take anything (``*/*``) do not (RFC 9110 section 12.5.1).
    """
    weights = {found[1].lower(): float(found[2] or b"1") for found in _RANGE.finditer(accept)}
    html = max((weights.get(kind, 0.0) for kind in _HTML), default=0.0)
    return html > 0 and html >= max(weights.get(kind, 0.0) for kind in _JSON)


class ErrorPages:
    """Explains the errors of a site."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def explain(self, request: Request, problem: Problem) -> Response:
        """``problem`` as a page if ``request`` is a browser's, and not one for the API."""
        first = (request.postpath or [b""])[0]
        accept = request.getHeader(b"Accept") or b""
        if first in _FOR_PROGRAMS or not self._rendering.is_ready or not wants_page(accept):
            return problem
        cookie: Any = request.getCookie
        proxies = request.channel.bounds.proxies
        call = Call(
            actor=request.actor or ANYONE,
            values={},
            cookie=cookie,
            header=request.getHeader,
            session=session_token(request),
            secure=proxies.is_secure(request),
            origin=proxies.origin(request),
            prefix=proxies.prefix(request),
        )
        was_got = request.method == b"GET"
        visit = Visit(call=call, page="error", was_got=was_got, render=self._rendering.render)
        shown = visit.shown(
            "error.html",
            problem.status,
            error=HTTPStatus(problem.status),
            message=problem.message,
            faults=problem.faults,
        )
        return Response(
            shown.body, shown.content_type, problem.status, (*shown.headers, *problem.headers)
        )
