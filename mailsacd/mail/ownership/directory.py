"""Who holds an address or a domain, and where its mail goes on to.

Asked for every recipient and every reader, so remembered. What changes is forgotten on every node
as soon as the change has committed (see store.notices). While a node does not hear of changes it
remembers nothing, and asks the database each time.
"""

from typing import Final, TypeVar

from mailsacd.core.address import Address
from mailsacd.core.cache import UNKNOWN, Recent, Unknown
from mailsacd.core.ownership import (
    CATCH_ALL_LOCAL,
    PUBLIC,
    AddressFacts,
    DomainFacts,
    Holding,
)
from mailsacd.store.notices import DIRECTORY, Notices, give_notice
from mailsacd.store.ownership import address_facts, domain_facts
from mailsacd.store.pool import Database
from mailsacd.store.sql import Executor

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED_DOMAINS: Final = 50_000
REMEMBERED_ADDRESSES: Final = 50_000


class _Memory:
    """What was found, as long as nothing of it can have changed unheard."""

    def __init__(self, notices: Notices) -> None:
        self.domains: Recent[str, DomainFacts | None] = Recent(REMEMBERED_DOMAINS)
        self.addresses: Recent[str, AddressFacts | None] = Recent(REMEMBERED_ADDRESSES)
        self.changes = 0
        self._notices = notices
        notices.subscribe(DIRECTORY, self._came, self.forget_all)

    def remember(self, values: Recent[K, V], key: K, value: V, changes: int) -> None:
        """Keep what was read when there had been so many ``changes``: not after a further one."""
        if self._notices.listening and changes == self.changes:
            values.remember(key, value)

    def forget(self, name: str) -> None:
        """Forget what is known of ``name``, an address or a domain (Directory.forget)."""
        self.changes += 1
        self.addresses.forget(name)
        self.domains.forget(name.rpartition("@")[2])

    def forget_all(self) -> None:
        """Forget everything that is known (Directory.forget_all)."""
        self.changes += 1
        self.addresses.clear()
        self.domains.clear()

    def _came(self, name: str) -> None:
        if name:
            self.forget(name)
        else:
            self.forget_all()


class Directory:
    """Answers out of memory where it can. Raises UnavailableError when the database is away."""

    def __init__(self, database: Database, notices: Notices, memory: _Memory | None = None) -> None:
        """Ask ``database`` for what is not known, and hear of changes by ``notices``."""
        self._database = database
        self._notices = notices
        self._memory = memory or _Memory(notices)

    def asking(self, database: Database) -> "Directory":
        """A directory with the same memory that asks ``database`` for what is not known."""
        return Directory(database, self._notices, self._memory)

    async def holder(self, address: Address) -> Holding:
        """Who holds the inbox of a normal address."""
        owner = await self.owner(str(address))
        if owner is not None:
            return Holding(owner=owner, implicit=False)
        facts = await self.domain(address.domain)
        if facts is None or facts.owner is None or not facts.is_private:
            return PUBLIC
        return Holding(owner=facts.owner, implicit=True)

    async def owner(self, email: str) -> str | None:
        """Who reserved an address (normal form)."""
        facts = await self.address(email)
        return facts.owner if facts else None

    async def address(self, email: str) -> AddressFacts | None:
        """What is known of an address (normal form); None when nobody reserved it."""
        memory = self._memory
        known = memory.addresses.get(email)
        if known is not UNKNOWN:
            return known
        changes = memory.changes
        found = await address_facts(self._database, email)
        memory.remember(memory.addresses, email, found, changes)
        return found

    async def inbox_at(self, address: Address) -> Address:
        """Where mail for a normal address arrives: there, or at its domain's catch-all."""
        facts = await self.domain(address.domain)
        if facts is None or not facts.catch_all or await self.owner(str(address)) is not None:
            return address
        return Address(CATCH_ALL_LOCAL, address.domain)

    async def domain(self, name: str) -> DomainFacts | None:
        """What is known of a domain (normal form); None when nobody owns anything of it."""
        memory = self._memory
        known = memory.domains.get(name)
        if known is not UNKNOWN:
            return known
        changes = memory.changes
        found = await domain_facts(self._database, name)
        memory.remember(memory.domains, name, found, changes)
        return found

    def known_domain(self, name: str) -> DomainFacts | Unknown | None:
        """As `domain`, without asking the database: UNKNOWN when that would be needed."""
        return self._memory.domains.get(name)

    def forget(self, name: str) -> None:
        """An address or a domain has changed. A catch-all is its domain's affair, too."""
        self._memory.forget(name)

    def forget_all(self) -> None:
        """Forget everything: anything may have changed."""
        self._memory.forget_all()


async def announce(db: Executor, *names: str) -> None:
    """Tell all nodes, when the transaction commits, that these addresses or domains changed."""
    for name in names:
        await give_notice(db, DIRECTORY, name)
