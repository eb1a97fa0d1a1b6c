"""Domains that accounts bring: claimed, proved by a TXT record, set up, given up."""

import secrets
import string
from datetime import UTC, datetime
from typing import Final, Unpack

from twisted.logger import Logger

from mailsacd.core.account import Account
from mailsacd.core.actor import Actor, account_of, unlimited_account
from mailsacd.core.address import Address, normal_domain
from mailsacd.core.audit import SERVER, Act, Author, author_of
from mailsacd.core.errors import (
    BadAddressError,
    ConflictError,
    Fault,
    InvalidInputError,
    NotFoundError,
    ThrottledError,
)
from mailsacd.core.ownership import CATCH_ALL_LOCAL, Domain
from mailsacd.core.run import is_of_run
from mailsacd.mail.accounts.plans import Plans
from mailsacd.mail.ownership.address_settings import check_forward
from mailsacd.mail.ownership.address_view import AddressView
from mailsacd.mail.ownership.addresses import Addresses
from mailsacd.mail.ownership.directory import Directory, announce
from mailsacd.mail.ownership.domain_lookup import TOKEN_PREFIX
from mailsacd.mail.ownership.domain_proof import apply_evidence
from mailsacd.mail.ownership.domain_records import DomainRecords, DomainView
from mailsacd.mail.ownership.reservation import begin
from mailsacd.mail.ownership.unverified import release_catch_all
from mailsacd.mail.records.audit import audit
from mailsacd.store import domains as store
from mailsacd.store.addresses import find_address, set_catch_all
from mailsacd.store.counts import count_of_domain
from mailsacd.store.ownership import has_others_addresses, hide_domain_messages
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

MAX_LOOKS: Final = 20
"""Looks at the DNS that people wait for at a time."""

_ALPHABET: Final = string.ascii_letters + string.digits
_TOKEN_CHARACTERS: Final = 32

_log = Logger()


class Domains:
    """Every call takes a domain as the caller wrote it.

    Raises BadAddressError for what is none, UnauthenticatedError for an actor without an account,
    NotFoundError for a domain that the account has not claimed; those that change something raise
    ForbiddenError for a team user who is not elevated.
    """

    def __init__(
        self,
        database: Database,
        addresses: Addresses,
        directory: Directory,
        plans: Plans,
        records: DomainRecords,
    ) -> None:
        self._database = database
        self._addresses = addresses
        self._directory = directory
        self._plans = plans
        self._records = records
        self._rules = records.rules
        self._looking = 0

    async def of_account(self, actor: Actor) -> list[DomainView]:
        """Return the domains that the actor's account claims."""
        account = account_of(actor)
        found = await store.list_domains(self._database, account)
        return await self._records.views(account, found)

    async def get(self, actor: Actor, name: str) -> tuple[DomainView, int, AddressView | None]:
        """A domain, how many messages of it are the account's, and its catch-all."""
        domain = await self._claim(account_of(actor), normal_name(name))
        counts = await count_of_domain(self._database, domain.owner, domain.name)
        catch_all = f"{CATCH_ALL_LOCAL}@{domain.name}"
        reserved = await find_address(self._database, catch_all)
        mine = reserved is not None and reserved.owner == domain.owner
        view = await self._addresses.get(actor, catch_all) if mine else None
        return await self._records.view(domain), counts.owned, view

    async def add(self, actor: Actor, name: str, *, vouched: bool = False) -> DomainView:
        """Claim a domain; below the operator's hosting domain that is all there is to do.

        So it is where the operator has ``vouched`` for it: its DNS is never looked at. Raises
        ConflictError for a claim that the account has already, and for a domain that needs no proof
        and that somebody else uses; InvalidInputError when the plan allows no further one.
        """
        account = unlimited_account(actor)
        domain = self._claimable(name)
        lent = bool(self._rules.hosting) and domain.partition(".")[2] == self._rules.hosting
        hosted = lent or vouched

        async def work(transaction: Transaction) -> Domain:
            owner = await begin(transaction, account)
            await store.lock_domain(transaction, domain)
            if await store.find_domain(transaction, account, domain):
                raise ConflictError(f"The account has {domain} already")
            await self._check_credits(transaction, owner)
            if hosted and await self._is_taken(transaction, account, domain):
                raise ConflictError(f"{domain} is in use by another account")
            token = TOKEN_PREFIX + "".join(
                secrets.choice(_ALPHABET) for _ in range(_TOKEN_CHARACTERS)
            )
            added = await store.add_domain(transaction, account, domain, token, hosted=hosted)
            act = Act("domain", "created", domain, "verified" if hosted else "")
            await audit(transaction, account, author_of(actor), act)
            await announce(transaction, domain)
            return added

        added = await self._database.transaction(work)
        self._directory.forget(domain)
        await self._records.have_keys(added)
        return await self._records.view(added)

    async def remove(self, actor: Actor, name: str) -> str:
        """Give a claim up, with its catch-all; its normal name. Its mail stays the account's."""
        account = unlimited_account(actor)
        domain = normal_name(name)

        async def work(transaction: Transaction) -> list[str]:
            await begin(transaction, account)
            await store.lock_domain(transaction, domain)
            if not await store.remove_domain(transaction, account, domain):
                raise _not_there(domain)
            await audit(transaction, account, author_of(actor), Act("domain", "removed", domain))
            return await release_catch_all(transaction, account, domain)

        for changed in await self._database.transaction(work):
            self._directory.forget(changed)
        return domain

    async def verify(self, actor: Actor, name: str) -> DomainView:
        """Look at the domain's DNS now. Raises ThrottledError when too many do at once."""
        account = unlimited_account(actor)
        claim = await self._claim(account, normal_name(name))
        if self._looking >= MAX_LOOKS:
            raise ThrottledError("Too many domains are being verified", retry_after_s=5)
        self._looking += 1
        try:
            await self._records.have_keys(claim)
            await self._look(claim, author_of(actor))
        finally:
            self._looking -= 1
        return await self._records.view(await self._claim(account, claim.name))

    async def set_privacy(self, actor: Actor, name: str, *, is_private: bool) -> DomainView:
        """Whether the domain's mail is for the account alone. What was private stays so."""
        return await self.change(actor, name, is_private=is_private)

    async def change(
        self,
        actor: Actor,
        name: str,
        *,
        catch_all: bool | None = None,
        **flags: Unpack[store.Flags],
    ) -> DomainView:
        """Set what is not None, all of it or nothing.

        A catch-all that is switched on is reserved, if need be, for which it takes a credit;
        switched off it stays reserved.
        """
        account = unlimited_account(actor)
        inbox = Address(CATCH_ALL_LOCAL, normal_name(name))

        async def work(transaction: Transaction) -> tuple[Domain, bool]:
            await begin(transaction, account)
            await store.lock_domain(transaction, inbox.domain)
            claim = await store.find_domain(transaction, account, inbox.domain)
            if claim is None:
                raise _not_there(inbox.domain)
            if claim.verified and flags.get("is_private"):
                await hide_domain_messages(transaction, claim.name, account)
            given = {"catchAll": catch_all, **flags}
            told = ", ".join(f"{n}: {value}" for n, value in given.items() if value is not None)
            if told:
                act = Act("domain", "changed", claim.name, told)
                await audit(transaction, account, author_of(actor), act)
            takes = catch_all is not None and await self._switch(
                transaction, inbox, actor, on=catch_all
            )
            changed = await store.set_domain_flags(transaction, claim, **flags)
            await announce(transaction, str(inbox), claim.name)
            return changed or claim, takes

        changed, has_taken = await self._database.transaction(work)
        self._directory.forget(str(inbox))
        if has_taken:
            await self._addresses.taken(account, [str(inbox)])
        return await self._records.view(changed)

    async def _switch(
        self, transaction: Transaction, inbox: Address, actor: Actor, *, on: bool
    ) -> bool:
        """Switch a catch-all on or off; whether it was reserved for that."""
        account, email = account_of(actor), str(inbox)
        found = await find_address(transaction, email)
        if on and found is None:
            await self._addresses.take(transaction, account, [inbox], author_of(actor))
        await set_catch_all(transaction, account, email, catch_all=on)
        if on and found is not None and found.forward is not None:
            await check_forward(transaction, found, found.forward)  # more mail comes there now
        return on and found is None

    async def verify_due(self, *, limit: int, lease_s: int) -> int:
        """Look again at up to ``limit`` domains that it is time for; how many there were."""
        due = await store.claim_due_domains(self._database, limit=limit, lease_s=lease_s)
        for name, owner in due:
            claim = await store.find_domain(self._database, owner, name)
            if claim is not None:
                try:
                    await self._look(claim, SERVER)
                except NotFoundError:
                    _log.debug("{name} was given up while it was looked at", name=name)
        return len(due)

    async def _look(self, claim: Domain, by: Author) -> None:
        evidence = await self._records.look(claim)
        if evidence is None:
            return
        now = datetime.now(UTC)
        changed = await self._database.transaction(
            lambda transaction: apply_evidence(
                transaction, claim, evidence, now, self._rules.recheck_s, by
            )
        )
        for name in changed:
            self._directory.forget(name)

    async def _claim(self, account: str, name: str) -> Domain:
        found = await store.find_domain(self._database, account, name)
        if found is None:
            raise _not_there(name)
        return found

    async def _check_credits(self, transaction: Transaction, owner: Account) -> None:
        limit = self._plans.limits_of(owner).domains
        if await store.count_domains(transaction, owner.name) >= limit:
            raise InvalidInputError(f"The account may have {limit} domains, and has them")

    async def _is_taken(self, transaction: Transaction, account: str, domain: str) -> bool:
        holder = await store.proved_claim(transaction, domain)
        if holder is not None and holder.owner != account:
            return True
        return await has_others_addresses(transaction, domain, account)

    def _claimable(self, name: str) -> str:
        domain = normal_name(name)
        problem = ""
        if domain.startswith("["):
            problem = "is an address, not a domain"
        elif "." not in domain:
            problem = "has to have a dot in it"
        elif is_of_run(domain):
            problem = "has the form of a run's"
        elif domain == self._rules.hosting:
            problem = "is the operator's: take a name below it"
        if problem:
            raise InvalidInputError(
                f"{domain} {problem}", (Fault(field="domain", problem=problem),)
            )
        return domain


def normal_name(name: str) -> str:
    """The normal form of a domain. Raises BadAddressError with a fault of ``domain``."""
    try:
        return normal_domain(name)
    except BadAddressError as e:
        raise BadAddressError(e.public, (Fault(field="domain", problem=e.public),)) from e


def _not_there(domain: str) -> NotFoundError:
    return NotFoundError(f"The account has no domain {domain}")
