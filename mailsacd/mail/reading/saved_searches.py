"""Searches that an account has given a name: `tag:name` in a query stands for them."""

import re
from typing import Final

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.errors import ConflictError, Fault, InvalidInputError, NotFoundError
from mailsacd.core.query import parse
from mailsacd.store import saved_searches as store
from mailsacd.store.accounts import lock_account
from mailsacd.store.pool import Database
from mailsacd.store.saved_searches import SavedSearch
from mailsacd.store.transaction import Transaction

MAX_SAVED: Final = 50
"""So many may an account have."""

_NAME: Final = re.compile(r"[\w.-]{1,50}\Z")


class SavedSearches:
    """Every call raises UnauthenticatedError for an actor without an account, UnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, actor: Actor) -> list[SavedSearch]:
        """What the account has saved, by name."""
        return await store.list_searches(self._database, account_of(actor))

    async def save(self, actor: Actor, name: str, query: str) -> str:
        """Give ``query`` a name, which is taken from what had it before. Returns it, in lower case.

        Names have 1 to 50 letters, digits, dots, dashes and underscores. A query that is saved has
        no ``tag:`` in it. Raises InvalidInputError, and ConflictError for one too many.
        """
        account, name = account_of(actor), name.lower()
        if not _NAME.match(name):
            problem = "has to be 1 to 50 letters, digits, dots, dashes or underscores"
            raise InvalidInputError(f"name {problem}", (Fault(field="name", problem=problem),))
        parse(query)

        async def work(transaction: Transaction) -> None:
            await lock_account(transaction, account)
            saved = await store.queries_of(transaction, account)
            if name not in saved and len(saved) >= MAX_SAVED:
                raise ConflictError(f"The account may save {MAX_SAVED} searches, and has them")
            await store.save_search(transaction, account, name, query)

        await self._database.transaction(work)
        return name

    async def remove(self, actor: Actor, name: str) -> None:
        """Forget it. Raises NotFoundError."""
        if not await store.remove_search(self._database, account_of(actor), name.lower()):
            raise NotFoundError("There is no saved search of that name")
