"""How bytes get onto a connection: at once where they can, and no faster than its client reads."""

from collections.abc import Callable
from typing import Any

from twisted.internet import tcp

from mailsacd.core.outflow import PIECE_BYTES


class Outlet:
    """Of one connection. ``transport`` is a TCP or TLS transport.

    ``hold`` is told, whenever that changes, how many bytes are in memory that the client has not
    read.
    """

    def __init__(self, transport: Any, hold: Callable[[int], None]) -> None:
        self._transport = transport
        self._hold = hold
        self._left = memoryview(b"")  # what the transport has not got yet of an answer
        self._paused = False
        self._directly = isinstance(transport, tcp.Server)  # and not by TLS

    @property
    def is_behind(self) -> bool:
        """Whether the client has yet to read what was sent."""
        return self._paused or bool(self._left)

    def write(self, data: bytes) -> None:
        """Send ``data`` after all that was sent before."""
        self._directly = False  # from here on, for nobody tells when all is sent
        self._transport.write(data)

    def send(self, data: bytes) -> None:
        """Send a whole answer: at once, where nothing waits to be sent before it.

        Twisted's transport would wait for the next turn to find out that there is room for it.
        """
        if self._directly:
            sent = self._transport.writeSomeData(data)
            if sent == len(data):
                return
            data = data[sent:] if isinstance(sent, int) else data
        self.write(data)

    def send_large(self, head: bytes, body: bytes) -> None:
        """Send a whole answer piece by piece, as its client reads; no copy of it is made."""
        self.write(head)
        self._left = memoryview(body)
        self._send_more()

    def pause(self) -> None:
        """Send nothing for now: the transport has much to send."""
        self._paused = True
        self._hold(len(self._left) + PIECE_BYTES)

    def resume(self) -> None:
        """Go on sending: the transport has sent all that it had."""
        self._paused = False
        self._send_more()

    def drop(self) -> None:
        """Forget what is left of an answer: its client is gone, or is not to have it."""
        self._left = memoryview(b"")

    def _send_more(self) -> None:
        while self._left and not self._paused:
            piece, self._left = self._left[:PIECE_BYTES], self._left[PIECE_BYTES:]
            self._transport.write(bytes(piece))
        self._hold(len(self._left) + (PIECE_BYTES if self._paused else 0))
