"""Links by which others read an inbox: made, looked through, and ended all together."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from mailsacd.core.actor import Actor, Scope, unlimited_account, viewing_account
from mailsacd.core.address import parse_address
from mailsacd.core.audit import Act, author_of
from mailsacd.core.errors import BadAddressError, MailsacdError, NotFoundError
from mailsacd.core.inbox_link import InboxLink, read_token
from mailsacd.mail.reading.access import AccessControl
from mailsacd.mail.records.audit import audit
from mailsacd.store.link_secrets import (
    LinkSecret,
    find_link_secret,
    forget_link_secret,
    link_secret_of,
)
from mailsacd.store.pool import Database
from mailsacd.store.transaction import Transaction

MAX_HOURS: Final = 720
"""So long may a link be good."""

_SECRET_BYTES: Final = 32


class InboxLinks:
    """Whoever may read an inbox as its own may let others read it. Raises UnavailableError."""

    def __init__(self, database: Database, access_control: AccessControl) -> None:
        self._database = database
        self._access_control = access_control

    async def make(self, actor: Actor, email: str, hours: int) -> tuple[InboxLink, str]:
        """A link to an inbox that is good for so many ``hours``, and its token.

        Raises BadAddressError; UnauthenticatedError for an inbox that is not the account's own;
        ForbiddenError for a team user who is not elevated, and outside of a run with its key.
        """
        inbox = await self._access_control.owned_inbox(actor, email)
        account = viewing_account(actor) if actor.scope else unlimited_account(actor)
        expires = datetime.now(UTC) + timedelta(hours=hours)
        fresh = LinkSecret(account, secrets.token_hex(8), secrets.token_bytes(_SECRET_BYTES))

        async def work(transaction: Transaction) -> LinkSecret:
            if actor.scope is None:  # what a run's key does is not the account's own doing
                act = Act("address", "shared", inbox, f"until {expires:%Y-%m-%d %H:%M} UTC")
                await audit(transaction, account, author_of(actor), act)
            return await link_secret_of(transaction, fresh)

        secret = await self._database.transaction(work)
        link = InboxLink(secret_id=secret.id, expires=int(expires.timestamp()), inbox=inbox)
        return link, link.token(secret.value)

    async def look_through(self, token: str) -> tuple[Actor, str]:
        """The inbox that a link leads to, and as whom it is read: its owner, there alone.

        Raises NotFoundError for what is no link, or is good no more: its time is over, all links
        were ended, or the inbox is another's.
        """
        link = read_token(token)
        if link is None or link.expires <= datetime.now(UTC).timestamp():
            raise _not_good()
        secret = await find_link_secret(self._database, link.secret_id)
        if secret is None or not link.is_signed(token, secret.value):
            raise _not_good()
        try:
            scope = Scope(domain=parse_address(link.inbox).domain)
            actor = Actor(account=secret.account, scope=scope)
            return actor, await self._access_control.owned_inbox(actor, link.inbox)
        except BadAddressError as e:
            raise _not_good() from e
        except MailsacdError as e:
            if e.temporary:
                raise
            raise _not_good() from e

    async def end_all(self, actor: Actor) -> None:
        """Have no link of the account be good any more.

        Raises UnauthenticatedError, and ForbiddenError for a team user who is not elevated.
        """
        account = unlimited_account(actor)

        async def work(transaction: Transaction) -> None:
            await forget_link_secret(transaction, account)
            act = Act("account", "unshared", account)
            await audit(transaction, account, author_of(actor), act)

        await self._database.transaction(work)


def _not_good() -> NotFoundError:
    return NotFoundError("This link is not good, or no more")
