"""Team users: logins below an account's own, for all but account, keys and domains."""

from mailsacd.core.audit import OPERATOR, Act, Author
from mailsacd.core.errors import ConflictError, Fault, InvalidInputError, NotFoundError
from mailsacd.mail.accounts.accounts import Accounts, normal_name
from mailsacd.mail.accounts.passwords import Passwords
from mailsacd.mail.accounts.sessions import check_password
from mailsacd.mail.records.audit import audit
from mailsacd.store import accounts as stored
from mailsacd.store.notices import ACCOUNTS, give_notice
from mailsacd.store.transaction import Transaction


class Team:
    """Who may ask is checked before: it takes a session of the account's own login."""

    def __init__(self, accounts: Accounts, passwords: Passwords) -> None:
        self._accounts = accounts
        self._passwords = passwords

    async def list(self, account: str) -> list[str]:
        """Return the names of the account's team users."""
        return await stored.list_team(self._accounts.database, account)

    async def add(self, account: str, name: str, password: str, by: Author = OPERATOR) -> str:
        """Make a team user; the name, normalised.

        Raises InvalidInputError, also where the plan has no room; ConflictError for a name that
        is taken, by an account or a user of anybody.
        """
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
            await audit(transaction, account, by, Act("team", "created", name))

        await self._accounts.database.transaction(work)
        return name

    async def remove(self, account: str, name: str, by: Author = OPERATOR) -> None:
        """Delete a team user, whose sessions end at once. Raises NotFoundError."""

        async def work(transaction: Transaction) -> None:
            if not await stored.remove_team_user(transaction, account, name.lower()):
                raise NotFoundError(f"There is no user {name} of this account")
            await audit(transaction, account, by, Act("team", "removed", name.lower()))
            await give_notice(transaction, ACCOUNTS, account)

        await self._accounts.database.transaction(work)
        self._accounts.forget(account)
