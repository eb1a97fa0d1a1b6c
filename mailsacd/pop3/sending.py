"""Sends messages to one peer, as it keeps up, within the memory for all that is read slowly."""

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsacd.core.budget import ByteBudget
from mailsacd.pop3.action import Retrieve
from mailsacd.pop3.messages import Messages
from mailsacd.pop3.replies import is_expected, not_retrieved
from mailsacd.pop3.unsent_mail import UnsentMail
from mailsacd.sockets.connection import Connection

SLICE_BYTES: Final = 65_536
"""A larger message is handed to the transport piece by piece, one a turn."""

_log = Logger()


class Sending:
    """Sends one message at a time.

    ``sent`` is called when it, or why not, is with the transport; ``broken`` for a defect of ours.
    """

    __slots__ = (
        "_broken",
        "_budget",
        "_clock",
        "_connection",
        "_content",
        "_ended",
        "_is_busy",
        "_paused",
        "_reading",
        "_sent",
        "_unsent_mail",
        "_wanted",
    )

    def __init__(
        self,
        connection: Connection,
        budget: ByteBudget,
        clock: IReactorTime,
        *,
        sent: Callable[[], None],
        broken: Callable[[Failure], None],
    ) -> None:
        self._connection = connection
        self._budget = budget
        self._clock = clock
        self._sent = sent
        self._broken = broken
        self._unsent_mail = UnsentMail(budget, clock)
        self._wanted: tuple[Messages, Retrieve] | None = None
        self._content: memoryview | None = None
        self._reading: Deferred[None] | None = None
        self._is_busy = self._paused = self._ended = False

    @property
    def in_message(self) -> bool:
        """Whether a part of a message is sent, or may be, and the rest is not."""
        return self._content is not None

    def stuck_s(self, now_s: float) -> float:
        """Return how long the peer has read nothing, as Pop3Protocol tells it."""
        return self._unsent_mail.stuck_s(now_s)

    def begin(self, messages: Messages, asked: Retrieve) -> None:
        """Send what is ``asked`` for: a small message at hand now, others when there is room."""
        self._is_busy = True
        if messages.size(asked.place) > SLICE_BYTES or self._budget.exhausted:
            self._wanted = messages, asked
            self._budget.when_open(self._room_came)
            return
        at_hand = messages.at_once(asked)
        if at_hand is None:
            self._read_and_send(messages, asked)
            return
        self._connection.send(at_hand)
        self._finish(len(at_hand))
        if not self._paused:
            messages.prepare(asked.place + 1)

    def pause(self) -> None:
        """Hand no more to the transport: the peer does not read."""
        self._paused = True
        self._unsent_mail.reads(False)

    def resume(self) -> None:
        """Go on with the message under way: the peer has read what it was sent."""
        self._paused = False
        self._unsent_mail.reads(True)
        if self._content is not None:
            self._send_more()
        elif not self._is_busy:
            self._unsent_mail.change(0)

    def end(self) -> None:
        """Hold no message for the peer any more, and wait for none."""
        self._ended = True
        self._content = None
        if self._reading is not None:
            self._reading.cancel()
        if self._wanted is not None:
            self._wanted = None
            self._budget.forget(self._room_came)
        self._unsent_mail.change(0)

    def _room_came(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            messages, asked = wanted
            self._unsent_mail.change(messages.size(asked.place))
            self._read_and_send(messages, asked)

    def _read_and_send(self, messages: Messages, asked: Retrieve) -> None:
        reading = Deferred.fromCoroutine(self._read(messages, asked))
        self._reading = reading.addErrback(self._broken)

    async def _read(self, messages: Messages, asked: Retrieve) -> None:
        try:
            wire = await messages.read(asked)
        except CancelledError:  # nobody waits for it any more
            wire = b""
        except Exception as e:  # noqa: BLE001  whatever it is, the client gets an answer
            if not is_expected(e):
                _log.failure("a message could not be read", Failure(e))
            wire = not_retrieved(e)
        if self._ended:
            self._unsent_mail.change(0)
            return
        self._content = memoryview(wire)
        self._send_more()

    def _send_more(self) -> None:
        """Hand on the next piece, if the peer keeps up; the one after it when others had a turn."""
        if self._content is None or self._paused:
            return
        piece, rest = self._content[:SLICE_BYTES], self._content[SLICE_BYTES:]
        self._content = rest if len(rest) else None
        self._connection.send(bytes(piece))
        if self._content is None:
            self._finish(len(piece))
        elif not self._paused:
            self._clock.callLater(0, self._send_more)

    def _finish(self, last_bytes: int) -> None:
        """A message is handed on whole; the end of it may yet wait in the transport."""
        self._is_busy = False
        self._unsent_mail.change(last_bytes if self._paused else 0)
        self._connection.read_control.effect()
        self._sent()
