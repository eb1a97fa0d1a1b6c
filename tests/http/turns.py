"""How long the reactor stands: the CPU time that its thread takes from one turn to the next.

CPU time, since how long a turn takes by the clock is also a matter of what else the machine does.
"""

import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import thread_time
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.threads import deferToThread

from tests.patience import PATIENCE_S

reactor: Any = the_reactor


class Turns:
    """``longest_s`` is the longest turn so far, in seconds of CPU."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._last_s = thread_time()
        self._next = reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        now_s = thread_time()
        self.longest_s = max(self.longest_s, now_s - self._last_s)
        self._last_s = now_s
        self._next = reactor.callLater(0, self._turn)

    def stop(self) -> None:
        """Watch no longer."""
        self._next.cancel()


@contextmanager
def watched() -> Iterator[Turns]:
    """Watch the turns of the reactor, but for those that Python's collector takes."""
    gc.collect()
    gc.disable()
    turns = Turns()
    try:
        yield turns
    finally:
        turns.stop()
        gc.enable()


async def exchange(port: int, sent: bytes, *, leaves: bool = False) -> bytes:
    """Send ``sent`` on a connection of its own, and read until the server closes it.

    The client ``leaves`` once all is sent, or waits. It is in another thread: what it takes does
    not count.
    """
    answer: bytes = await deferToThread(_exchange, port, sent, leaves)
    return answer


def _exchange(port: int, sent: bytes, leaves: bool) -> bytes:
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        try:
            client.sendall(sent)
            if leaves:
                client.shutdown(socket.SHUT_WR)
            while piece := client.recv(1 << 20):
                received += piece
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough
    return bytes(received)
