"""Team users: logins below an account's own, for all but account, keys and domains.

The account's own login may elevate one for a while, who manages these too then; what would outlast
that stays with the own login (core.actor.own_account).
"""

from datetime import datetime
from typing import Final

from mailsacd.core.account import TeamUser
from mailsacd.core.actor import Actor, account_of, managed_account, own_account
from mailsacd.core.audit import Act, author_of
from mailsacd.core.errors import ConflictError, Fault, InvalidInputError, NotFoundError
from mailsacd.mail.accounts.accounts import Accounts, normal_name
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.sessions import check_password
from mailsacd.mail.records.audit import audit
from mailsacd.store import accounts as stored
from mailsacd.store.transaction import Transaction

MAX_MINUTES: Final = 1_440
"""For so long may a user be elevated at a time."""


class Team:
    """Every call raises UnauthenticatedError without credentials."""

    def __init__(self, accounts: Accounts, passwords: Passwords) -> None:
        self._accounts = accounts
        self._passwords = passwords

    async def list(self, actor: Actor) -> list[TeamUser]:
        """Return the account's team users, who may see each other, in the order of their names."""
        return await stored.list_team(self._accounts.database, account_of(actor))

    async def add(self, actor: Actor, name: str, password: str) -> str:
        """Make a team user; the name, normalised.

        Raises ForbiddenError unless the actor is the account's own login; InvalidInputError, also
        where the plan has no room; ConflictError for a name that is taken, by an account or a user
        of anybody.
        """
        account = own_account(actor)
        check_password(password)
        try:
            name = normal_name(name)
        except ValueError as e:
            fault = Fault(field="name", problem=str(e))
            raise InvalidInputError(f"name {e}", (fault,)) from e
        password_hash = await self._passwords.hash(password)

        async def work(transaction: Transaction) -> None:
            found = await stored.lock_account(transaction, account)
            if found is None or found.removing:
                raise NotFoundError(f"There is no account {account}")
            room = self._accounts.plans.limits_of(found).users
            if len(await stored.list_team(transaction, account)) >= room:
                raise InvalidInputError(f"The account may have {room} users, and has them")
            if not await stored.add_login(transaction, name, account, password_hash, team=True):
                raise ConflictError(f"There is an account or a user named {name} already")
            await audit(transaction, account, author_of(actor), Act("team", "created", name))

        await self._accounts.database.transaction(work)
        return name

    async def elevate(self, actor: Actor, name: str, minutes: int) -> datetime:
        """Have a user manage the actor's account for so many minutes from now. Returns until when.

        Raises InvalidInputError for too many, ForbiddenError unless the actor is the account's own
        login, and NotFoundError.
        """
        account = own_account(actor)
        if not 1 <= minutes <= MAX_MINUTES:
            problem = f"has to be from 1 to {MAX_MINUTES}"
            fault = Fault(field="minutes", problem=problem)
            raise InvalidInputError(f"minutes {problem}", (fault,))

        async def work(transaction: Transaction) -> datetime:
            until = await stored.elevate(transaction, account, name.lower(), minutes)
            if until is None:
                raise _not_there(name)
            act = Act("team", "elevated", name.lower(), f"for {minutes} minutes")
            await audit(transaction, account, author_of(actor), act)
            return until

        return await self._accounts.changing(account, work)

    async def end_elevation(self, actor: Actor, name: str) -> None:
        """Have a user manage the actor's account no more; nothing happens when it does not.

        Raises ForbiddenError unless the actor is the account's own login, and NotFoundError.
        """
        account = own_account(actor)

        async def work(transaction: Transaction) -> None:
            if name.lower() not in {u.name for u in await stored.list_team(transaction, account)}:
                raise _not_there(name)
            if await stored.end_elevation(transaction, account, name.lower()):
                act = Act("team", "elevation-ended", name.lower())
                await audit(transaction, account, author_of(actor), act)

        await self._accounts.changing(account, work)

    async def remove(self, actor: Actor, name: str) -> None:
        """Delete a team user, whose sessions end at once.

        Raises ForbiddenError unless the actor manages the account, and NotFoundError.
        """
        account = managed_account(actor)

        async def work(transaction: Transaction) -> None:
            if not await stored.remove_team_user(transaction, account, name.lower()):
                raise _not_there(name)
            await audit(
                transaction, account, author_of(actor), Act("team", "removed", name.lower())
            )

        await self._accounts.changing(account, work)


def _not_there(name: str) -> NotFoundError:
    return NotFoundError(f"There is no user {name} of this account")
