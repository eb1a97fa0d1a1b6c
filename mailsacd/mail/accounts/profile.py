"""What an account is told of itself, and what it may set."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mailsacd.core.account import Account
from mailsacd.core.actor import Actor, account_of, own_account
from mailsacd.core.audit import author_of
from mailsacd.core.errors import UnauthenticatedError
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.plan_settings import PlanSettings
from mailsacd.store.accounts import find_account
from mailsacd.store.counts import Counts, count_of
from mailsacd.store.profile import Stored, Used, stored_for, used_by
from mailsacd.store.sql import Executor


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

    def __init__(self, accounts: Accounts, unwritten: Callable[[str], int] = lambda _: 0) -> None:
        """``unwritten`` tells how many operations of an account are not written down yet."""
        self._accounts = accounts
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

    async def change(self, actor: Actor, changes: dict[str, Any]) -> Profile:
        """Set ``labels``, ``recents``, ``capture_private``, ``disable_spam`` or ``email``.

        The mail address is where a lost password is set anew, so it takes a session of the
        account's own login to have another: ForbiddenError without one. InvalidInputError,
        ConflictError.
        """
        if "email" in changes and changes["email"] == (await self.of(actor)).account.email:
            changes = {name: value for name, value in changes.items() if name != "email"}
        name = own_account(actor) if "email" in changes else account_of(actor)
        await self._accounts.change(name, changes, author_of(actor))
        return await self.of(actor)
