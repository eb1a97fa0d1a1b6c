"""A factory for one connection."""

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol


class OneShot(Factory):
    """Gives ``protocol`` to the one connection. Twisted's own tells the log of each."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Protocol:  # noqa: ARG002
        """The protocol of the one connection."""
        return self._protocol
