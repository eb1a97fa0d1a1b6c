"""The header fields that the operator has set in what accounts send.

What stands for the account in them tells the operator whose it is. Nobody else finds that out, and
nobody makes one up: it is a keyed hash (HMAC-SHA-256 cut to 128 bits).
"""

import hashlib
import hmac
from typing import Final

from mailsacd.mail.sending.completing import ABUSE_CONTACT, ABUSE_REFERENCE, UNSUBSCRIBE
from mailsacd.settings import SendingSettings
from mailsacd.store.alternates import server_secret
from mailsacd.store.pool import Database

_PURPOSE: Final = b"sender\0"


class OwnFields:
    """``database`` has the server's secret."""

    def __init__(self, database: Database, settings: SendingSettings) -> None:
        self._database = database
        self._settings = settings
        self._secret: bytes | None = None

    async def of(self, account: str) -> tuple[tuple[str, str], ...]:
        """Names and values of the fields in what ``account`` sends. Raises UnavailableError."""
        fields = []
        if self._settings.abuse_contact:
            fields.append((ABUSE_CONTACT, self._settings.abuse_contact))
            fields.append((ABUSE_REFERENCE, await self.reference(account)))
        if self._settings.unsubscribe:
            fields.append((UNSUBSCRIBE, f"<{self._settings.unsubscribe}>"))
        return tuple(fields)

    async def reference(self, account: str) -> str:
        """What stands for ``account``, 32 hex digits: the same at any time. UnavailableError."""
        if self._secret is None:
            self._secret = await server_secret(self._database)
        return hmac.new(self._secret, _PURPOSE + account.encode(), hashlib.sha256).hexdigest()[:32]
