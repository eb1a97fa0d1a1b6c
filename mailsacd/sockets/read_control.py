"""Whether a connection is read from: while what came is kept up with, and in fair turns."""

from typing import Final

from twisted.internet import tcp

from mailsacd.sockets.fair_queue import FairQueue

LITTLE_BYTES: Final = 512
"""To read less than this of a message is an effort, as is to read or carry out commands."""
FREE_EFFORTS: Final = 24
"""So many there may be from one message to the next; then see FairQueue."""
COMMANDS_BYTES: Final = 8_192
MESSAGE_BYTES: Final = 65_536
"""So much is read at a time, and written ahead of a peer's reading: little but for a message."""


class ReadControl:
    """Turns the reading from one connection off and on. It is on from the beginning."""

    __slots__ = (
        "_efforts",
        "_ended",
        "_expects_message",
        "_fair_queue",
        "_is_on",
        "_keeps_up",
        "_resting",
        "_tcp",
    )

    def __init__(self, fair_queue: FairQueue) -> None:
        self._fair_queue = fair_queue
        self._tcp: tcp.Server
        self._is_on = self._keeps_up = True
        self._resting = self._ended = self._expects_message = False
        self._efforts = 0

    def begin(self, transport: tcp.Server) -> None:
        """Take the ``transport`` of the connection, which is made."""
        self._tcp = transport
        transport.bufferSize = COMMANDS_BYTES

    def expect(self, *, message: bool) -> None:
        """Set how much is read at a time, by whether (the rest of) a ``message`` comes next."""
        self._expects_message = message
        self._tcp.bufferSize = MESSAGE_BYTES if message else COMMANDS_BYTES

    def end(self) -> None:
        """Never turn reading on again: nothing more can come."""
        self._ended = True

    def came(self, count: int) -> None:
        """Take note that ``count`` bytes were read: an effort, unless many, and of a message."""
        if count < LITTLE_BYTES or not self._expects_message:
            self._efforts += 1

    def worked(self, commands: int, *, keeps_up: bool) -> None:
        """Take note that ``commands`` were carried out; ``keeps_up`` tells if more may come now.

        Each is an effort. After more than FREE_EFFORTS to no effect, others come first.
        """
        self._efforts += commands
        if self._efforts > FREE_EFFORTS and not self._resting:
            self._resting = True
            self._turn()
            self._fair_queue.wait(self._rested)
        if keeps_up is not self._keeps_up:
            self._keeps_up = keeps_up
            self._turn()

    def effect(self) -> None:
        """Forget the efforts so far: a message has come, or gone, whole."""
        self._efforts = 0

    def _rested(self) -> None:
        self._resting = False
        self._turn()

    def _turn(self) -> None:
        is_on = self._keeps_up and not self._resting and not self._ended
        if is_on is not self._is_on:
            self._is_on = is_on
            if is_on:
                self._tcp.resumeProducing()
            else:
                self._tcp.pauseProducing()
