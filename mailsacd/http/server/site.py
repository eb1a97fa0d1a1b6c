"""Makes the connections of the ports for HTTP, and turns those away that are too many."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime, ISSLTransport
from twisted.internet.protocol import Protocol
from twisted.web import http, server
from twisted.web.resource import IResource

from mailsacd.http.server.answer import Problem, Response, last_answer
from mailsacd.http.server.bounds import Bounds

Explain = Callable[[Any, Problem], Response]
"""Takes a request, and an error as the API writes it."""


class _Refused(Protocol):
    """Turns a connection away that is one too many."""

    def __init__(self, refusal: Response) -> None:
        self._refusal = refusal

    def connectionMade(self) -> None:
        if ISSLTransport.providedBy(self.transport):  # it would have to be waited for to hear it
            self.transport.abortConnection()
            return
        assert self.transport is not None  # noqa: S101  for mypy: it is set before this is called
        self.transport.write(last_answer(self._refusal))
        self.transport.loseConnection()


class HttpSite(server.Site):
    """Listens for the API. An access log would cost a third of the speed, and show keys: none."""

    noisy = False

    def __init__(
        self,
        resource: IResource,
        bounds: Bounds,
        clock: IReactorTime,
        *,
        channel: Callable[[], http.HTTPChannel],
        request: type[http.Request],
    ) -> None:
        """``channel`` makes a connection's protocol, ``request`` what its requests are."""
        super().__init__(
            resource,
            requestFactory=request,
            parsePOSTFormSubmission=False,
            timeout=bounds.idle_timeout_s,
            reactor=clock,
        )
        self.bounds = bounds
        self.explain: Explain | None = None
        """Makes the answer of an error: a page for people, where one is wanted."""
        self.is_for_any_page = True
        """Whether pages of other sites may read what reading calls answer."""
        self.protocol = channel  # type: ignore[assignment]  # Twisted's adds HTTP/2, not wanted here

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """The protocol of a new connection from ``addr``: a channel, or a refusal."""
        refusal = self.bounds.refusal(getattr(addr, "host", ""))
        if refusal is not None:
            return _Refused(refusal)
        channel: Any = super().buildProtocol(addr)
        channel.bounds = self.bounds
        return channel

    def startFactory(self) -> None:
        """Do without Twisted's clock for the access log, which ticks each second."""

    def stopFactory(self) -> None:
        """Stop nothing, as `startFactory` starts nothing."""

    def log(self, request: http.Request) -> None:
        """Write no access log: Twisted calls this for every request."""
