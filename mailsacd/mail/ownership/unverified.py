"""Claims to domains that nobody proves: given up in time, so that they do not add up for ever."""

from typing import Final

from mailsacd.core.audit import SERVER, Act
from mailsacd.core.ownership import CATCH_ALL_LOCAL
from mailsacd.mail.ownership.directory import Directory, announce
from mailsacd.mail.records.audit import audit
from mailsacd.store import domains as store
from mailsacd.store.addresses import release_address
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

AT_A_TIME: Final = 100


class UnverifiedDomains:
    """Claims that were neither verified nor changed for ``days`` days."""

    def __init__(self, database: Database, directory: Directory, days: int) -> None:
        self._database = database
        self._directory = directory
        self._days = days

    async def give_up(self) -> None:
        """Give up those whose time is over: as if their accounts had removed them."""
        while True:
            found = await store.unverified_domains(self._database, days=self._days, limit=AT_A_TIME)
            for name, owner in found:
                await self._give_up(name, owner)
            if len(found) < AT_A_TIME:
                return

    async def _give_up(self, domain: str, account: str) -> None:
        async def work(transaction: Transaction) -> list[str]:
            await store.lock_domain(transaction, domain)
            if not await store.remove_unverified(transaction, account, domain, days=self._days):
                return []  # it has been proved, or changed, since
            act = Act("domain", "removed", domain, f"not verified for {self._days} days")
            await audit(transaction, account, SERVER, act)
            return await release_catch_all(transaction, account, domain)

        for changed in await self._database.transaction(work):
            self._directory.forget(changed)


async def release_catch_all(transaction: Transaction, account: str, domain: str) -> list[str]:
    """Release the catch-all of a domain that is given up.

    Returns the names of all domains and addresses that have changed by it: nodes are told of them.
    """
    catch_all = f"{CATCH_ALL_LOCAL}@{domain}"
    sources = await release_address(transaction, account, catch_all)
    changed = [domain, catch_all, *(sources or ())]
    await announce(transaction, *changed)
    return changed
