"""The answers to RETR and TOP, made from what is stored."""

from functools import partial

from mailsacd.core.maildrop import StoredMessage
from mailsacd.pop3.action import Retrieve
from mailsacd.pop3.framing import retrieved, top
from mailsacd.pop3.services import OpenMaildrop
from mailsacd.store.compression import expand
from mailsacd.work.threads import LARGE_BYTES


class Messages:
    """Makes the answers to RETR and TOP from a maildrop.

    Of one that is fetched in order the next answer is made while the peer reads the last one.
    """

    def __init__(self, maildrop: OpenMaildrop) -> None:
        self._maildrop = maildrop
        self._prepared: tuple[StoredMessage | None, bytes] = (None, b"")

    def size(self, place: int) -> int:
        """Return the octets of a message on the wire."""
        return self._maildrop.listing.sizes[place]

    def at_once(self, asked: Retrieve) -> bytes | None:
        """Return the whole answer, if the message is at hand; else None."""
        message = self._maildrop.take(asked.place)
        if message is None:
            return None
        prepared, answer = self._prepared
        self._prepared = (None, b"")
        if prepared is message and asked.lines is None:
            return answer
        return _answer(asked.lines, message)

    async def read(self, asked: Retrieve) -> bytes:
        """Return the whole answer.

        Raises NotFoundError when the message is gone, and UnavailableError.
        """
        message = await self._maildrop.read(asked.place)
        work = partial(_answer, asked.lines, message)
        return await self._maildrop.run(self.size(asked.place), work)

    def prepare(self, place: int) -> None:
        """Make the answer to RETR of ``place``, which may come next, if its message is at hand."""
        if place < len(self._maildrop.listing.ids):
            message = self._maildrop.peek(place)
            if message is not None and self.size(place) <= LARGE_BYTES:
                self._prepared = (message, _answer(None, message))


def _answer(lines: int | None, message: StoredMessage) -> bytes:
    raw = expand(message.body)
    if lines is not None:
        return top(raw, lines)
    return retrieved(raw, plain=message.plain)
