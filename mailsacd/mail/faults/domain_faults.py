"""Faults as the owner of a domain sets them up, and is told of them."""

from dataclasses import dataclass
from typing import Final

from mailsacd.core.actor import Actor, account_of, unlimited_account
from mailsacd.core.audit import Act, author_of
from mailsacd.core.errors import ConflictError, NotFoundError
from mailsacd.core.fault_plan import FaultPlan
from mailsacd.mail.faults.notes import ProvokedNotes
from mailsacd.mail.faults.plans import FaultPlans
from mailsacd.mail.ownership.domains import normal_name
from mailsacd.mail.ownership.reservation import begin
from mailsacd.mail.records.audit import audit
from mailsacd.store import faults as store
from mailsacd.store.domains import find_domain, lock_domain
from mailsacd.store.faults import ProvokedFault
from mailsacd.store.notices import FAULTS, give_notice
from mailsacd.store.ownership import has_others_addresses
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

MAX_PLANS_OF_ACCOUNT: Final = 100
"""So many of all plans (store.MAX_PLANS) may be of one account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFaultsView:
    """The ``plan`` of a ``domain``, how many faults were provoked by it, and the last of them."""

    domain: str
    plan: FaultPlan
    count: int
    provoked: list[ProvokedFault]


class DomainFaults:
    """Every call takes a domain as the caller wrote it.

    Raises BadAddressError for what is none, UnauthenticatedError for an actor without an account,
    NotFoundError for a domain that the account has not claimed; those that change something raise
    ForbiddenError for a team user who is not elevated.
    """

    def __init__(self, database: Database, plans: FaultPlans, notes: ProvokedNotes) -> None:
        self._notes = notes
        self._database = database
        self._plans = plans

    async def get(self, actor: Actor, name: str) -> DomainFaultsView:
        """Return what is set up for a domain, and what was done."""
        account, domain = account_of(actor), normal_name(name)
        if await find_domain(self._database, account, domain) is None:
            raise _not_there(domain)
        return await self._view(domain, account)

    async def set(self, actor: Actor, name: str, plan: FaultPlan) -> DomainFaultsView:
        """Have mail for the domain meet the faults of ``plan`` from now on, and count anew.

        Raises ConflictError for a domain that is not verified, where others have addresses, and
        when there are too many plans.
        """
        account, domain = unlimited_account(actor), normal_name(name)

        async def work(transaction: Transaction) -> None:
            await begin(transaction, account)
            await lock_domain(transaction, domain)
            await self._check(transaction, account, domain)
            await store.set_plan(transaction, domain, account, plan)
            how = f"faults by address: {plan.byAddress}, by rules: {len(plan.rules)}"
            act = Act("domain", "changed", domain, how)
            await audit(transaction, account, author_of(actor), act)
            await give_notice(transaction, FAULTS, domain)

        await self._database.transaction(work)
        await self._plans.read_now(domain)
        return await self._view(domain, account)

    async def remove(self, actor: Actor, name: str) -> None:
        """Have no mail fail any more, and forget what was done."""
        account, domain = unlimited_account(actor), normal_name(name)

        async def work(transaction: Transaction) -> None:
            await begin(transaction, account)
            if await find_domain(transaction, account, domain) is None:
                raise _not_there(domain)
            if await store.remove_plan(transaction, domain, account):
                act = Act("domain", "changed", domain, "no faults")
                await audit(transaction, account, author_of(actor), act)
                await give_notice(transaction, FAULTS, domain)

        await self._notes.write_now()
        await self._database.transaction(work)
        await self._plans.read_now(domain)

    async def forget_old(self) -> None:
        """Delete what was counted long ago."""
        await store.forget_old_counts(self._database)

    async def _check(self, transaction: Transaction, account: str, domain: str) -> None:
        claim = await find_domain(transaction, account, domain)
        if claim is None:
            raise _not_there(domain)
        if not claim.verified:
            raise ConflictError(f"{domain} is not verified")
        if await has_others_addresses(transaction, domain, account):
            raise ConflictError(f"Others have addresses of {domain}, whose mail would fail")
        is_new = await store.find_plan(transaction, domain, account) is None
        if not is_new:
            return
        total, own = await store.count_plans(transaction, account)
        if own >= MAX_PLANS_OF_ACCOUNT:
            raise ConflictError(f"{own} domains of the account have faults, and no more may")
        if total >= store.MAX_PLANS:
            raise ConflictError(f"{total} domains have faults already, and no more may")

    async def _view(self, domain: str, account: str) -> DomainFaultsView:
        await self._notes.write_now()
        found = await store.find_plan(self._database, domain, account)
        plan, count = found or (FaultPlan(), 0)
        provoked = await store.list_provoked(self._database, domain, account)
        return DomainFaultsView(domain=domain, plan=plan, count=count, provoked=provoked)


def _not_there(domain: str) -> NotFoundError:
    return NotFoundError(f"The account has no domain {domain}")
