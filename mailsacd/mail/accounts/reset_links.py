"""Tokens that go out in links, each good once and for a time. Only their hashes are stored."""

from datetime import UTC, datetime, timedelta

from mailsacd.core.account import new_token
from mailsacd.core.audit import OPERATOR, Act, Author
from mailsacd.core.errors import NotFoundError
from mailsacd.mail.accounts.auth import hash_of
from mailsacd.mail.records.audit import audit
from mailsacd.store.accounts import find_login, lock_login
from mailsacd.store.pool import Database
from mailsacd.store.sessions import add_invitation, add_reset
from mailsacd.store.transaction import Transaction


async def reset_token(
    database: Database, name_or_email: str, hours: int, by: Author | None = OPERATOR
) -> str:
    """A token by which a login's password is set. The one before it is good no more.

    It goes into the audit log, unless nobody knows ``by`` whom it is wanted (None).

    Raises NotFoundError when nobody signs in by that name or mail address.
    """
    token = new_token()
    expires = datetime.now(UTC) + timedelta(hours=hours)

    async def work(transaction: Transaction) -> None:
        login = None
        if name_or_email.isprintable():
            login = await find_login(transaction, name_or_email.lower())
        if login is None:
            raise NotFoundError(f"Nobody signs in as {name_or_email}")
        await lock_login(transaction, login.name)  # two at once: the later one's is the good one
        await add_reset(transaction, hash_of(token), login.name, expires)
        if by is not None:
            act = Act("account", "password-link-made", login.name)
            await audit(transaction, login.account, by, act)

    await database.transaction(work)
    return token


async def invitation_token(database: Database, days: int) -> str:
    """A token by which one person signs up."""
    token = new_token()
    await add_invitation(database, hash_of(token), datetime.now(UTC) + timedelta(days=days))
    return token
