"""Accounts and domains, whoever has them, as an operator sees and changes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailsacd.core.account import Account
from mailsacd.core.actor import Actor, operators_account
from mailsacd.core.audit import OPERATOR, Act, author_of
from mailsacd.core.errors import ConflictError
from mailsacd.core.ownership import Domain
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.records.audit import audit
from mailsacd.plan_settings import PlanSettings
from mailsacd.store.accounts import search_accounts
from mailsacd.store.counts import Counts, count_of
from mailsacd.store.domains import search_domains
from mailsacd.store.profile import Used, used_by
from mailsacd.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An account with its limits, what it has used of them, and how much mail it has."""

    account: Account
    limits: PlanSettings
    used: Used
    counts: Counts


class OperatorAccounts:
    """Every call raises UnauthenticatedError or ForbiddenError unless an operator has signed in."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @property
    def plans(self) -> Sequence[str]:
        """The names of all plans."""
        return self._accounts.plans.names

    async def get(self, actor: Actor, name: str) -> Overview:
        """One account. Raises NotFoundError."""
        operators_account(actor)
        return await self._overview(await self._accounts.get(name))

    async def change(self, actor: Actor, name: str, changes: Mapping[str, Any]) -> Overview:
        """Change ``email``, ``plan``, ``overrides`` or ``suspended``, as `Accounts.change` does.

        It is in the audit logs of the account and of the operator's. Raises ConflictError for an
        operator who suspends his own account, and NotFoundError.
        """
        own = operators_account(actor)
        account = await self._accounts.get(name)
        if not changes:
            return await self._overview(account)
        if changes.get("suspended") and account.name == own:
            raise ConflictError("This is your own account: another operator may suspend it")

        async def first(transaction: Transaction) -> None:
            act = Act("operator", "account-changed", account.name, ", ".join(changes))
            await audit(transaction, own, author_of(actor), act)

        return await self._overview(
            await self._accounts.change(account.name, changes, OPERATOR, first)
        )

    async def domains(
        self, actor: Actor, *, query: str = "", limit: int = 100, skip: int = 0
    ) -> list[Domain]:
        """Domains of all accounts by name; ``query`` is a part of the name or the account's."""
        operators_account(actor)
        return await search_domains(self._accounts.database, query, limit=limit, skip=skip)

    async def list(
        self, actor: Actor, *, query: str = "", limit: int = 100, skip: int = 0
    ) -> list[Account]:
        """Accounts by name; ``query`` is a part of the name or the mail address."""
        operators_account(actor)
        return await search_accounts(self._accounts.database, query, limit=limit, skip=skip)

    async def _overview(self, account: Account) -> Overview:
        database = self._accounts.database
        return Overview(
            account=account,
            limits=self._accounts.plans.limits_of(account),
            used=await used_by(database, account.name),
            counts=await count_of(database, account.name),
        )
