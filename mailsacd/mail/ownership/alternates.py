"""Which alternate stands for an inbox, for everything that shows many messages.

Mail for an alternate only arrives once it has been remembered in the store, so each inbox that is
shown is, the first time.
"""

from collections.abc import Iterable
from typing import Final

from mailsacd.core.address import Address, alternate_local
from mailsacd.core.cache import UNKNOWN, Recent
from mailsacd.store.alternates import remember_alternates, server_secret
from mailsacd.store.pool import Database

REMEMBERED: Final = 50_000


class Alternates:
    """Answers out of memory where it can. Raises UnavailableError when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._secret: bytes | None = None
        self._known: Recent[str, str] = Recent(REMEMBERED)

    async def local_parts(self, inboxes: Iterable[str]) -> dict[str, str]:
        """The local parts of the alternates of ``inboxes`` (normal addresses)."""
        found: dict[str, str] = {}
        new: dict[str, str] = {}
        for inbox in inboxes:
            known = self._known.get(inbox)
            if known is UNKNOWN:
                new[inbox] = ""
            else:
                found[inbox] = known
        if new:
            secret = self._secret = self._secret or await server_secret(self._database)
            for inbox in new:
                local, _, domain = inbox.rpartition("@")
                new[inbox] = alternate_local(secret, Address(local, domain))
            await remember_alternates(self._database, {new[inbox]: inbox for inbox in new})
            for inbox, local in new.items():
                self._known.remember(inbox, local)
        return found | new
