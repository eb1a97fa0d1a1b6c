"""Puts the operations on Klein and Klein on a site: the way of a request and of its answer."""

from collections.abc import Iterable
from typing import Final, Protocol

from twisted.internet.interfaces import IReactorTime

from mailsacd.http.api.credentials import Callers
from mailsacd.http.api.dispatch import Dispatch
from mailsacd.http.api.openapi import specification
from mailsacd.http.api.operation import Operation
from mailsacd.http.api.routes import Routes
from mailsacd.http.calls.attachments import AttachmentCalls
from mailsacd.http.calls.documentation import Documentation
from mailsacd.http.calls.messages import MessageCalls
from mailsacd.http.calls.service import ServiceCalls
from mailsacd.http.calls.websocket import PATH, WebSockets, WebSocketUpgrade
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
        """Declare all calls of the group."""


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
        documentation = Documentation(lambda: specification(self._listed(), version))
        self.operations: Final[tuple[Operation, ...]] = (
            *MessageCalls(mailbox).operations(),
            *AttachmentCalls(mailbox).operations(),
            *ServiceCalls(mailbox, version, reactor).operations(),
            *documentation.operations(),
            *(operation for group in groups for operation in group.operations()),
        )
        self._mailbox = mailbox
        self._authenticator = authenticator
        self._proxies = proxies or Proxies()

    def routes(self) -> Routes:
        """What a site serves: the handlers of all operations, at their paths."""
        dispatch = Dispatch(self._authenticator, self._proxies, self._mailbox.lane)
        return Routes(self.operations, dispatch)

    def _listed(self) -> list[Operation]:
        return [operation for operation in self.operations if operation.listed]


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
    return HttpSite(api.routes(), bounds, reactor, channel=Channel, request=Request)


def put_websockets(site: HttpSite, websockets: WebSockets, settings: HttpSettings) -> None:
    """Have ``site`` serve WebSockets, too, in the root beside the routes."""
    upgrade = WebSocketUpgrade(websockets, Proxies(settings.proxy_networks), settings.public_url)
    site.resource.putChild(PATH, upgrade)
