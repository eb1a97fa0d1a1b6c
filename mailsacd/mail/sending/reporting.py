"""Reports about mail, signed, as they are queued."""

import secrets
from dataclasses import replace
from typing import Any, Protocol

from twisted.logger import Logger

from mailsacd.core.errors import MailsacdError
from mailsacd.core.outgoing import NewOutgoing
from mailsacd.core.relay import QueuedMessage
from mailsacd.core.token import utc_from_ms
from mailsacd.mail.sending.endings import Consequence
from mailsacd.mail.sending.reports import Event, report

_log = Logger()


class Signing(Protocol):
    """Signs messages (mail.sending.signing)."""

    async def sign(self, header_from_domain: str, content: bytes) -> bytes:
        """Return ``content`` with a signature of that domain, or as it is without a key."""


class Reporting:
    """Writes reports in the name of ``hostname``; without ``signer`` they go out unsigned."""

    def __init__(self, hostname: str, signer: Signing | None, *, reactor: Any) -> None:
        self._hostname = hostname
        self._signer = signer
        self._reactor = reactor

    async def report(self, message: QueuedMessage, told: Consequence) -> NewOutgoing:
        """Return what the sender of ``message`` is told. It is not signed when that fails."""
        assert told.told is not None  # noqa: S101  for mypy: it is asked for
        new = report(
            message,
            Event(
                action=told.told,
                recipient=told.ending.claim.recipient,
                outcome=told.outcome,
                time=utc_from_ms(int(self._reactor.seconds() * 1000)),
                until=told.until,
            ),
            hostname=self._hostname,
            token=secrets.token_hex(12),
        )
        return new if self._signer is None else await self._signed(new, self._signer)

    async def _signed(self, new: NewOutgoing, signer: Signing) -> NewOutgoing:
        try:
            return replace(new, content=await signer.sign(self._hostname, new.content))
        except MailsacdError as e:
            _log.warn("a report goes out unsigned: {why}", why=e.public)
            return new
