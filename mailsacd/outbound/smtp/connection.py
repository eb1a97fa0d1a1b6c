"""An open connection to a server, on which one message is sent after the other."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from twisted.internet.defer import ensureDeferred

from mailsacd.core.outcome import Outcome
from mailsacd.outbound.smtp.protocol import SessionProtocol
from mailsacd.outbound.smtp.reencode import CannotEncodeError
from mailsacd.outbound.smtp.transaction import Prepared, are_too_many
from mailsacd.outbound.smtp.transmission import Transmission
from mailsacd.outbound.smtp.wire import has_to_be_encoded, prepared, with_crlf
from mailsacd.work.threads import LARGE_BYTES, Lane

MAX_TRANSACTION_S: Final = 1_800.0
"""`Connection.send` takes no longer, whatever the time limits of its steps add up to."""

MAX_RECIPIENTS: Final = 100
"""In one transaction: so many every server takes (RFC 5321 section 4.5.3.1.8)."""


class Connection:
    """``host`` is whom it leads to, ``is_encrypted`` whether TLS is on.

    Messages are made ready in ``lane`` where that takes long.
    """

    def __init__(self, protocol: SessionProtocol, host: str, lane: Lane, reactor: Any) -> None:
        self._protocol = protocol
        self._lane = lane
        self._reactor = reactor
        self.host = host
        self.is_encrypted = protocol.session.is_encrypted

    @property
    def is_usable(self) -> bool:
        """Whether another message may be sent on it."""
        return self._protocol.session.is_ready

    async def send(self, sent: Transmission) -> tuple[Outcome, ...]:
        """Send a message: an outcome a recipient, in their order, whatever the host does.

        Takes MAX_TRANSACTION_S at most. When it is cancelled while it sends, the connection is
        broken off, and the outcomes tell how far it came. Raises OverloadedError and
        UnavailableError of the lane, before anything is sent.
        """
        try:
            text = await self._prepared(sent.content)
        except CannotEncodeError as e:
            return (self._failed("5.6.3", str(e)),) * len(sent.recipients)
        sending = ensureDeferred(self._send(sent, text))
        sending.addTimeout(MAX_TRANSACTION_S, self._reactor)
        return await sending

    async def close(self) -> None:
        """Take leave of the host, and close the connection."""
        await self._protocol.leave()

    async def _prepared(self, content: bytes) -> bytes:
        offered = self._protocol.session.offered
        # RFC 6531 section 3.1 item 6: who takes such addresses takes 8 bits
        eight_bit = offered.eight_bit or offered.smtputf8
        size = len(content)
        if size <= LARGE_BYTES and not has_to_be_encoded(content, eight_bit=eight_bit):
            return with_crlf(content)
        work = partial(prepared, content, eight_bit=eight_bit)
        return await self._lane.run_in_thread(work, size)

    async def _send(self, sent: Transmission, text: bytes) -> tuple[Outcome, ...]:
        """In as many transactions as it takes: those that a host refuses for their number alone
        follow in the next one (RFC 5321 section 4.5.3.1.10)."""
        outcomes: dict[int, Outcome] = {}
        places = list(range(len(sent.recipients)))
        while places:
            now, places = places[:MAX_RECIPIENTS], places[MAX_RECIPIENTS:]
            told = await self._transact(sent, now, text)
            outcomes.update(zip(now, told, strict=True))
            places = [now[place] for place in are_too_many(told)] + places
        return tuple(outcomes[place] for place in range(len(sent.recipients)))

    async def _transact(
        self, sent: Transmission, places: list[int], text: bytes
    ) -> tuple[Outcome, ...]:
        if not self.is_usable:
            return (self._failed("4.4.2", "The connection was closed"),) * len(places)
        chosen = replace(sent, recipients=tuple(sent.recipients[place] for place in places))
        return await self._protocol.transmit(Prepared(sent=chosen, text=text))

    def _failed(self, status: str, text: str) -> Outcome:
        return Outcome(code=None, status=status, text=text, host=self.host)
