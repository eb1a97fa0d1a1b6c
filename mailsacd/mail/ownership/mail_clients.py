"""Mail programs that have logged in to send: whose they are, and whether that still holds."""

from dataclasses import replace
from typing import Final

from mailsacd.core.account import Account, AccountIdentity
from mailsacd.core.errors import NotFoundError, UnauthenticatedError
from mailsacd.mail.accounts.accounts import Accounts
from mailsacd.mail.ownership.mail_login import MailLogins

_GONE: Final = "The account is no longer there"


class MailClients:
    """A session may last for long: what held at its login is asked again with each message."""

    def __init__(self, logins: MailLogins, accounts: Accounts) -> None:
        self._logins = logins
        self._accounts = accounts

    async def log_in(self, name: str, secret: str, peer: str) -> AccountIdentity:
        """Return the account that logs in. Raises what MailLogins.log_in does."""
        login = await self._logins.log_in(name, secret, peer)
        identity = (await self._find(login.account)).identity
        return replace(identity, address=login.address) if login.by_password else identity

    async def account(self, identity: AccountIdentity) -> Account:
        """Return the account that ``identity`` has logged in as.

        Raises UnauthenticatedError when it was removed or suspended since, and UnavailableError.
        """
        found = await self._find(identity.name)
        if found.identity != identity:
            raise UnauthenticatedError(_GONE)
        return found

    async def _find(self, name: str) -> Account:
        try:
            account = await self._accounts.get(name)
        except NotFoundError as e:
            raise UnauthenticatedError(_GONE) from e
        if account.suspended or account.removing:
            raise UnauthenticatedError("The account is suspended")
        return account
