"""Statements on what an account's webhooks are signed with."""

from datetime import datetime

from mailsacd.store.sql import Executor, maybe, none

_offer_secret = none(
    """insert into webhook_secret (account, value) values (%(account)s, %(value)s::bytea)
       on conflict (account) do nothing"""
)
_secrets: maybe[tuple[bytes, bytes | None]] = maybe(
    lambda value, previous: (value, previous),
    """select value, case when rotated > %(since)s::timestamptz then previous end
       from webhook_secret where account = %(account)s""",
)
_rotate = none(
    """update webhook_secret set previous = value, value = %(value)s::bytea,
           rotated = greatest(now(), %(now)s::timestamptz)
       where account = %(account)s"""
)


async def of_account(
    db: Executor, account: str, since: datetime, *, fresh: bytes
) -> tuple[bytes, bytes | None]:
    """Return what an account signs with, and what it signed with before.

    The latter is None when it was replaced before ``since``. ``fresh`` becomes the first one.
    Raises StatementError for an account that is not there.
    """
    found = await _secrets(db, account=account, since=since)
    if found is None:
        await _offer_secret(db, account=account, value=fresh)
        found = await _secrets(db, account=account, since=since)
    assert found is not None  # noqa: S101  it is there, or the insert has raised
    return found


async def rotate(db: Executor, account: str, now: datetime, *, fresh: bytes) -> None:
    """Have the account sign with ``fresh`` from now on.

    Its secret before signs along for a while.
    """
    await _rotate(db, account=account, now=now, value=fresh)
