"""Puts a façade on a site of its own: the way of a request past the door to its call."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.web import server
from twisted.web.resource import Resource

from mailsacd.core.actor import Actor
from mailsacd.facades.door import Door
from mailsacd.http.api.credentials import Callers
from mailsacd.http.api.dispatch import Dispatch
from mailsacd.http.api.operation import Operation
from mailsacd.http.api.rate_headers import ThrottlesCalls
from mailsacd.http.api.routes import Routes
from mailsacd.http.calls.websocket import WebSockets, WebSocketUpgrade
from mailsacd.http.server.answer import TEXT, Problem, Response, text_bytes
from mailsacd.http.server.bounds import Bounds
from mailsacd.http.server.channel import Channel
from mailsacd.http.server.request import Request
from mailsacd.http.server.site import HttpSite
from mailsacd.settings import HttpSettings
from mailsacd.work.threads import Lane

_BASIC: Final = (b"WWW-Authenticate", b'Basic realm="mailsacd", charset="UTF-8"')

Sockets = Mapping[tuple[bytes, ...], WebSockets]
"""Who takes WebSockets over, by the segments of the path."""


class KeysAlone:
    """Knows callers by their API keys.

    A session's cookie counts for nothing: browsers send it to all ports of a host.
    """

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def authenticate(self, key: str, peer: str = "") -> Actor:
        """As the Callers that it stands before."""
        return await self._callers.authenticate(key, peer)

    async def session(self, token: str) -> Actor | None:  # noqa: ARG002  what Callers are asked
        """Return None: nobody has signed in here."""
        return None


class Front(Resource):
    """The root of a façade's site. A leaf to Twisted: it sees the whole path."""

    isLeaf = True

    def __init__(self, routes: Routes, sockets: Sockets, bounds: Bounds) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._routes = routes
        self._door = Door(bounds.proxies)
        self._upgrades = {
            path: WebSocketUpgrade(each, bounds.proxies) for path, each in sockets.items()
        }
        self.max_body_bytes = routes.max_body_bytes

    def render(self, request: Request) -> int:
        """Have ``request`` answered, sooner or later. Returns NOT_DONE_YET."""
        upgrade = self._upgrades.get(tuple(request.postpath or ()))
        # A WebSocket's says itself which pages may listen
        refusal = self._door.refusal_of_page(request) if upgrade is None else None
        refusal = refusal or self._door.refusal(request)
        if refusal is not None:
            request.answer(refusal)
            return server.NOT_DONE_YET
        if upgrade is None:
            return self._routes.render(request)
        request.postpath = []
        return upgrade.render(request)


@dataclass(frozen=True, slots=True)
class Tool:
    """A façade, ready to be put on a site. ``drain`` sends its listeners away."""

    operations: tuple[Operation, ...]
    sockets: Sockets
    drain: Callable[[], Awaitable[None]]


def make_facade(
    tool: Tool,
    callers: Callers,
    settings: HttpSettings,
    lane: Lane,
    reactor: IReactorTime,
    throttle: ThrottlesCalls,
) -> HttpSite:
    """The site to listen with for ``tool``. Large answers are compressed in ``lane``.

    Raises ConfigurationError for settings that do not fit.
    """
    bounds = Bounds(settings, reactor)
    bounds.notes.calls = {each.id: (each.method, each.path) for each in tool.operations}
    bounds.notes.unlogged = frozenset(each.id for each in tool.operations if each.open)
    dispatch = Dispatch(KeysAlone(callers), bounds.proxies, lane, throttle)
    front = Front(Routes(tool.operations, dispatch), tool.sockets, bounds)
    site = HttpSite(front, bounds, reactor, channel=Channel, request=Request)
    site.explain = _explain
    site.is_for_any_page = False
    return site


def _explain(_: Request, problem: Problem) -> Response:
    """An error as the tools have it, which answer with a text."""
    headers: Iterable[tuple[bytes, bytes]] = problem.headers
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers = (*headers, _BASIC)
    return Response(text_bytes(problem.message), TEXT, problem.status, tuple(headers))
