"""Where a connection to one IP address is opened; all that goes out by TCP begins here."""

from dataclasses import dataclass
from typing import Any, NoReturn, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IStreamClientEndpoint)
@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """``port`` of ``address``, an IPv4 or IPv6 address. A connection may take ``timeout_s`` seconds
    to be opened.
    """

    reactor: Any
    address: str
    port: int
    timeout_s: float

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[Any]":  # noqa: N803  Twisted's
        """Connect, and return what fires with the factory's protocol.

        It fails with OSError or Twisted's ConnectError, and with CancelledError when it is
        cancelled: Twisted's own endpoints fail with ConnectingCancelledError, which `addTimeout`
        does not take for a timeout, nor anybody else for the end that was asked for.
        """
        kind = TCP6ClientEndpoint if ":" in self.address else TCP4ClientEndpoint
        endpoint = kind(self.reactor, self.address, self.port, timeout=self.timeout_s)
        connecting = cast("Deferred[Any]", endpoint.connect(protocolFactory))
        return connecting.addErrback(_raise)


def _raise(failure: Failure) -> NoReturn:
    error = failure.value
    if isinstance(error, ConnectingCancelledError):
        raise CancelledError from error
    failure.raiseException()
