"""All the mail of an account at once: its lists, its search, and the mail of its domains."""

from dataclasses import dataclass, replace
from typing import Final

from mailsacd.core.actor import Actor, account_of
from mailsacd.core.address import normal_domain
from mailsacd.core.errors import BadAddressError, Fault
from mailsacd.core.search import Terms
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.reading.mailbox import Page
from mailsacd.store import inbox
from mailsacd.store.counts import count_of, count_of_domain
from mailsacd.store.erasures import erase_domain
from mailsacd.store.pool import Database
from mailsacd.store.reading import Reader
from mailsacd.store.search import search
from mailsacd.store.sql import Executor

MAX_FOUND: Final = 100
"""How many messages a search answers at most: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMailPage:
    """``messages`` is the text of a JSON array; ``unread`` counts in all the account's mail."""

    messages: str
    unread: int


class AccountMail:
    """Each call is for an account, and raises UnauthenticatedError for an actor without one.

    Lists are texts of JSON arrays, newest first. All raise UnavailableError.
    """

    def __init__(
        self, database: Database, access_control: AccessControl, reads: Reader | None = None
    ) -> None:
        """``reads`` is where is listed and searched; None: in ``database``."""
        self._database = database
        self._access_control = access_control
        self._reads: Final[Reader] = reads or database

    async def list(
        self, actor: Actor, page: Page, *, folder: str | None = None, label: str | None = None
    ) -> AccountMailPage:
        """What came to the account's private addresses and verified domains.

        With ``folder`` what is in it, with ``label`` what has it.
        """
        account = account_of(actor)

        async def read(db: Executor) -> AccountMailPage:
            counts = await count_of(db, account)
            bounds = _bounded(page, counts.owned).bounds()
            if folder is None and label is None:
                listed = await inbox.list_owned(db, account, **bounds)
            else:
                listed = await inbox.list_filed(db, account, folder, label, **bounds)
            return AccountMailPage(messages=listed, unread=counts.unread)

        return await self._reads.reading(read)

    async def starred(self, actor: Actor, page: Page) -> str:
        """What the account has starred, wherever it is."""
        account = account_of(actor)
        return await self._reads.reading(
            lambda db: inbox.list_starred(db, account, **page.bounds())
        )

    async def search(self, actor: Actor, terms: Terms) -> str:
        """Of what `list` lists the newest MAX_FOUND that have all of ``terms``.

        A text is found in any part of what it is searched in, without regard to case.
        """
        account = account_of(actor)
        return await self._reads.reading(lambda db: search(db, account, terms, limit=MAX_FOUND))

    async def of_domain(self, actor: Actor, domain: str, page: Page) -> str:
        """What came to a verified domain of the account. Raises ForbiddenError for any other."""
        name = named_domain(domain)
        account = await self._access_control.owned_domain(actor, name)

        async def read(db: Executor) -> str:
            counts = await count_of_domain(db, account, name)
            bounds = _bounded(page, counts.owned).bounds()
            return await inbox.list_of_domain(db, account, name, **bounds)

        return await self._reads.reading(read)

    async def purge_domain(self, actor: Actor, domain: str) -> None:
        """Delete all of that, starred messages too. Raises ForbiddenError.

        All of it is gone then, but rows beyond the first few hundred are removed later.
        """
        name = named_domain(domain)
        account = await self._access_control.owned_domain(actor, name)
        if await inbox.purge_domain(self._database, name, account):
            await erase_domain(self._database, name, account)


def _bounded(page: Page, count: int) -> Page:
    """The page of a list of ``count`` messages: nothing is looked for that cannot be there.

    While very much is being removed (store.erasures), that might be far behind.
    """
    return replace(page, limit=max(min(page.limit, count - page.skip), 0))


def named_domain(domain: str) -> str:
    """Return the normal form of what a caller calls a domain. Raises BadAddressError."""
    try:
        return normal_domain(domain)
    except BadAddressError as e:
        raise BadAddressError(e.public, (Fault(field="domain", problem=e.public),)) from e
