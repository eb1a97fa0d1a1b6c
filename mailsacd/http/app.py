"""Puts the operations on Klein and Klein on a site: the way of a request and of its answer."""

from collections.abc import Iterable
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime

from mailsacd import __version__
from mailsacd.core.errors import ConfigurationError
from mailsacd.http.api.credentials import Callers
from mailsacd.http.api.dispatch import Dispatch
from mailsacd.http.api.openapi import specification
from mailsacd.http.api.operation import Operation
from mailsacd.http.api.rate_headers import ThrottlesCalls
from mailsacd.http.api.routes import Routes
from mailsacd.http.calls.documentation import Documentation
from mailsacd.http.calls.websocket import PATH, WebSockets, WebSocketUpgrade
from mailsacd.http.server.bounds import Bounds
from mailsacd.http.server.channel import Channel
from mailsacd.http.server.request import Request
from mailsacd.http.server.site import HttpSite
from mailsacd.settings import HttpSettings
from mailsacd.work.threads import Lane


class Group(Protocol):
    """Handlers that belong together, with the table of their operations."""

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls of the group."""


class Api:
    """The REST API: one table of operations, from which routes and specification are made."""

    def __init__(self, groups: Iterable[Group], version: str) -> None:
        """``groups`` have all calls but those that document them."""
        documentation = Documentation(lambda: specification(self._listed(), version))
        self.operations: Final[tuple[Operation, ...]] = tuple(
            operation for group in (*groups, documentation) for operation in group.operations()
        )

    def _listed(self) -> list[Operation]:
        return [operation for operation in self.operations if operation.listed]


def make_site(
    groups: Iterable[Group],
    authenticator: Callers,
    settings: HttpSettings,
    lane: Lane,
    reactor: IReactorTime,
    *,
    throttle: ThrottlesCalls | None = None,
) -> HttpSite:
    """The site to listen with, for the calls of ``groups``.

    Large answers are compressed in ``lane``. Without a ``throttle`` nobody calls too fast.
    Raises ConfigurationError for settings that do not fit.
    """
    operations = Api(groups, __version__).operations
    bounds = Bounds(settings, reactor)
    _refuse_ambiguous(bounds.proxies.public.prefix, operations)
    dispatch = Dispatch(authenticator, bounds.proxies, lane, throttle)
    bounds.notes.calls = {each.id: (each.method, each.path) for each in operations}
    bounds.notes.unlogged = frozenset(each.id for each in operations if each.open)
    bounds.notes.waiting = frozenset(each.id for each in operations if each.waits)
    routes = Routes(operations, dispatch)
    return HttpSite(routes, bounds, reactor, channel=Channel, request=Request)


def _refuse_ambiguous(prefix: str, operations: Iterable[Operation]) -> None:
    """A prefix that begins as a path of ours would be taken off where a proxy has done so."""
    first = prefix[1:].partition("/")[0]
    if first and any(each.path[1:].partition("/")[0] == first for each in operations):
        raise ConfigurationError(f"http.public_url: /{first} is a path of the server's own")


def put_websockets(site: HttpSite, websockets: WebSockets) -> None:
    """Have ``site`` serve WebSockets, too, in the root beside the routes."""
    site.resource.putChild(PATH, WebSocketUpgrade(websockets, site.bounds.proxies))
