"""Addresses that nothing is sent to for a while, as their account and the operator see them."""

from typing import Final

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.errors import NotFoundError
from mailsacd.store import suppression as store
from mailsacd.store.pool import Database
from mailsacd.store.suppression import Suppression

MAX_LISTED: Final = 1_000


class Suppressions:
    """The suppression list. All calls may raise UnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remove(self, actor: Actor, address: str) -> None:
        """Have the account's mail sent to ``address`` again.

        Raises UnauthenticatedError, and NotFoundError when it is.
        """
        if not await store.remove_suppression(self._database, account_of(actor), address):
            raise NotFoundError("Mail is sent to that address")

    async def list_all(self, account: str | None) -> list[Suppression]:
        """Return an account's, or (None) everybody's: the MAX_LISTED newest."""
        return await store.list_suppressions(self._database, account, limit=MAX_LISTED, skip=0)

    async def remove_for(self, account: str | None, address: str) -> int:
        """Have an account's mail sent to ``address`` again, or (None) everybody's.

        Returns for how many accounts it was not.
        """
        return await store.remove_suppression(self._database, account, address)

    async def list(self, actor: Actor, *, limit: int, skip: int) -> list[Suppression]:
        """Return the account's, newest first. Raises UnauthenticatedError."""
        account = account_of(actor)
        return await store.list_suppressions(self._database, account, limit=limit, skip=skip)
