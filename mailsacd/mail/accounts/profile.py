"""What an account is told of itself, what it may set, and its end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mailsacd.core.account import Account
from mailsacd.core.actor import Actor, account_of, own_account
from mailsacd.core.audit import author_of
from mailsacd.core.errors import ForbiddenError, UnauthenticatedError
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.proofs import LOGIN_WRONG, Proofs, lock_proven
from mailsacd.plan_settings import PlanSettings
from mailsacd.store.accounts import find_account
from mailsacd.store.counts import Counts, count_of
from mailsacd.store.profile import Stored, Used, stored_for, used_by
from mailsacd.store.sql import Executor
from mailsacd.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An account with its limits and what it has used of them.

    ``ops`` are the operations of this month, those included that are not written down yet.
    """

    account: Account
    limits: PlanSettings
    used: Used
    ops: int


class Profiles:
    """Every call raises UnauthenticatedError without credentials."""

    def __init__(
        self, accounts: Accounts, proofs: Proofs, unwritten: Callable[[str], int] = lambda _: 0
    ) -> None:
        """``unwritten`` tells how many operations of an account are not written down yet."""
        self._accounts = accounts
        self._proofs = proofs
        self._unwritten = unwritten

    async def of(self, actor: Actor) -> Profile:
        """Return the profile of the account that ``actor`` stands for."""
        name = account_of(actor)
        account = await find_account(self._accounts.database, name)
        if account is None:  # gone since the actor was known
            raise UnauthenticatedError("The API key is not known here")
        limits = self._accounts.plans.limits_of(account)
        used = await used_by(self._accounts.database, name)
        ops = used.ops_this_month + self._unwritten(name)
        return Profile(account=account, limits=limits, used=used, ops=ops)

    async def stored(self, actor: Actor) -> tuple[Stored, Counts]:
        """Return what is stored for the account that ``actor`` stands for, and how much mail."""
        account = account_of(actor)

        async def read(db: Executor) -> tuple[Stored, Counts]:
            return await stored_for(db, account), await count_of(db, account)

        return await self._accounts.reads.reading(read)

    async def change(
        self, actor: Actor, changes: dict[str, Any], password: str | None = None
    ) -> Profile:
        """Set ``labels``, ``recents``, ``capture_private``, ``disable_spam`` or ``email``.

        A lost password is set anew by the mail address, so another one takes a session of the
        account's own login and its ``password``: ForbiddenError without, as from `Proofs.check`.
        Raises InvalidInputError, ConflictError.
        """
        if "email" in changes and changes["email"] == (await self.of(actor)).account.email:
            changes = {name: value for name, value in changes.items() if name != "email"}
        if "email" in changes:
            await self._change_proven(actor, changes, password)
        else:
            await self._accounts.change(account_of(actor), changes, author_of(actor))
        return await self.of(actor)

    async def _change_proven(
        self, actor: Actor, changes: dict[str, Any], password: str | None
    ) -> None:
        name = own_account(actor)
        if not password:
            raise ForbiddenError("Another mail address takes the password")
        login = await self._proofs.check(actor, password)

        async def first(transaction: Transaction) -> None:
            if not await lock_proven(transaction, login):
                raise ForbiddenError(LOGIN_WRONG)

        await self._accounts.change(name, changes, author_of(actor), first)

    async def remove(self, actor: Actor, password: str, code: str | None) -> str:
        """Delete the account with all that it owns, as `Accounts.remove` does. Returns its name.

        Raises ForbiddenError unless the actor is its own login, and as `Proofs.prove`.
        """
        name = own_account(actor)
        await self._proofs.prove(actor, password, code)
        await self._accounts.remove(name)
        return name
