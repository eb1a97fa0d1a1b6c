"""Takes note of each answer: in figures, by route and status, and by a line in the log.

Routes are those that are declared: what a path has for its parameters is in no figure.
"""

import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from twisted.web import http

from mailsacd.core.figures import Count, Figures, Histogram
from mailsacd.http.server.proxies import Proxies
from mailsacd.mail.records.telemetry import Telemetry
from mailsacd.mail.records.traffic_log import milliseconds, printable

NO_ROUTE: Final = ""
"""The call of what came to no route: there was none, or the request was none."""

OTHER: Final = "other"
"""The status of an answer that has another than HTTP declares."""

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_REQUEST: Final = (
    "http {method} {route} {code}, {size} bytes in {duration_ms} ms, request {request} of {peer}"
)
_STATUSES: Final = tuple(
    status.value
    for status in HTTPStatus
    if status.name
    in {
        "SWITCHING_PROTOCOLS", "OK", "CREATED", "ACCEPTED", "NO_CONTENT", "FOUND", "NOT_MODIFIED",
        "BAD_REQUEST", "UNAUTHORIZED", "PAYMENT_REQUIRED", "FORBIDDEN", "NOT_FOUND",
        "METHOD_NOT_ALLOWED", "REQUEST_TIMEOUT", "CONFLICT", "GONE", "REQUEST_ENTITY_TOO_LARGE",
        "UPGRADE_REQUIRED", "TOO_MANY_REQUESTS", "REQUEST_HEADER_FIELDS_TOO_LARGE",
        "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE",
    }
)  # fmt: skip
"""Those that are told apart."""


class _RouteFigures:
    def __init__(self, figures: Figures, method: str, route: str) -> None:
        self.path = route
        self._by_status: dict[int, Count] = {
            status: self._count(figures, method, route, str(status)) for status in _STATUSES
        }
        self._others = self._count(figures, method, route, OTHER)
        self.seconds: Histogram = figures.histogram(
            "mailsacd_http_request_seconds",
            "From when a request was whole to its answer, or the beginning of one without an end",
            method=method,
            route=route,
        )

    def count(self, status: int) -> None:
        self._by_status.get(status, self._others).add()

    @staticmethod
    def _count(figures: Figures, method: str, route: str, status: str) -> Count:
        return figures.counter(
            "mailsacd_http_requests_total",
            "Requests that were answered",
            method=method,
            route=route,
            status=status,
        )


class Notes:
    """``seconds`` is a clock; ``proxies`` tell whose a request is, and may name it."""

    def __init__(self, proxies: Proxies, seconds: Callable[[], float]) -> None:
        self.seconds = seconds
        self.calls: dict[str, tuple[str, str]] = {}
        """The names of calls that are told apart, with their methods and paths."""
        self.unlogged: frozenset[str] = frozenset()
        """Those of them that have no line in the log unless they are refused or slow."""
        self.waiting: frozenset[str] = frozenset()
        """Those of them that wait for what their callers say: how long they take is not told, and
        that it has not come is no refusal."""
        self._proxies = proxies
        self.declare(Telemetry())

    def declare(self, telemetry: Telemetry) -> None:
        """Have ``telemetry`` tell of the `calls`."""
        self._log = telemetry.log
        self._routes = {
            call: _RouteFigures(telemetry.figures, method, path)
            for call, (method, path) in {NO_ROUTE: ("any", "none"), **self.calls}.items()
        }

    def id_for(self, request: http.Request) -> str:
        """Return by what name a request is known: its ``X-Request-Id`` if a proxy of ours gave it.

        It is 1 to 64 letters, digits, and ``._-``; what is not so is not taken.
        """
        if self._proxies.includes_sender(request):
            given = (request.getHeader(b"X-Request-Id") or b"").decode("latin-1")
            if _ID.match(given):
                return given
        return secrets.token_hex(8)

    def answered(self, request: Any, status: int, size: int) -> None:
        """``request`` is answered with ``size`` bytes, or its answer begins."""
        route = self._routes.get(request.call) or self._routes[NO_ROUTE]
        took_s = self.seconds() - request.began_s
        route.count(status)
        waited = request.call in self.waiting
        if not waited:
            route.seconds.observe(took_s)
        is_refused = status >= HTTPStatus.BAD_REQUEST
        if waited and status == HTTPStatus.REQUEST_TIMEOUT:
            is_refused = False
        is_slow_s, is_quiet = 0.0 if waited else took_s, request.call in self.unlogged
        if self._log.wants(refused=is_refused, took_s=is_slow_s, quiet=is_quiet):
            self._log.line(
                _REQUEST,
                method=printable(request.method.decode("latin-1")),
                route=route.path,
                call=request.call,
                code=status,
                size=size,
                duration_ms=milliseconds(took_s),
                request=request.id,
                peer=self._proxies.peer(request),
            )

    def refused(self, status: int) -> None:
        """What is no request, or none that is read, is answered with ``status``."""
        self._routes[NO_ROUTE].count(status)
