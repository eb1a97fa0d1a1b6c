"""API keys of an account: made, listed, taken back. A key's value is told once."""

import re
import secrets
from typing import Final

from mailsacd.core.account import ApiKey, new_key
from mailsacd.core.actor import Actor, managed_account, own_account
from mailsacd.core.audit import Act, author_of
from mailsacd.core.errors import ConflictError, Fault, InvalidInputError, NotFoundError
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.records.audit import audit
from mailsacd.store import keys
from mailsacd.store.accounts import lock_account
from mailsacd.store.transaction import Transaction

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,100}\Z")


class Keys:
    """Every call raises UnauthenticatedError, or ForbiddenError for who manages no account.

    Making a key takes the account's own login: a key stays when an elevation has ended.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def add(self, actor: Actor, name: str | None = None) -> tuple[ApiKey, str]:
        """A new key, and its value, which nobody can tell again.

        Raises NotFoundError for an unknown account, InvalidInputError for a bad name or when the
        plan has no room for another key, ConflictError for a name that is taken.
        """
        account = own_account(actor)
        key_id = secrets.token_hex(12)
        name = _checked_name(f"key-{key_id[:8]}" if name is None else name)
        value = new_key()

        async def work(transaction: Transaction) -> ApiKey:
            found = await lock_account(transaction, account)
            if found is None or found.removing:
                raise NotFoundError(f"There is no account {account}")
            room = self._accounts.plans.limits_of(found).keys
            if len(await keys.list_keys(transaction, account)) >= room:
                raise InvalidInputError(f"The account may have {room} API keys, and has them")
            if not await keys.add_key(transaction, key_id, account, name, hash_of(value)):
                raise ConflictError(f"There is an API key named {name!r} already")
            await audit(transaction, account, author_of(actor), Act("key", "created", name, key_id))
            made = await keys.list_keys(transaction, account)
            return next(key for key in made if key.id == key_id)

        return await self._accounts.database.transaction(work), value

    async def list(self, actor: Actor) -> list[ApiKey]:
        """The account's keys, oldest first, without their values. Raises NotFoundError."""
        account = managed_account(actor)
        await self._accounts.get(account)
        return await keys.list_keys(self._accounts.database, account)

    async def remove(self, actor: Actor, key_id: str) -> None:
        """Take a key back: it is good for nothing at once, on every node. Raises NotFoundError."""
        account = managed_account(actor)

        async def work(transaction: Transaction) -> None:
            name = await keys.delete_key(transaction, account, key_id)
            if name is None:
                raise NotFoundError("There is no such API key")
            await audit(transaction, account, author_of(actor), Act("key", "removed", name, key_id))

        await self._accounts.changing(account, work)


def _checked_name(name: str) -> str:
    if not _NAME.match(name):
        problem = "has to be 1 to 100 characters, none of them a control character"
        raise InvalidInputError(f"name {problem}", (Fault(field="name", problem=problem),))
    return name
