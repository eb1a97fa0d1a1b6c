"""Statements on what an account's links to inboxes are signed with."""

from dataclasses import dataclass

from mailsacd.store.sql import Executor, maybe, none


@dataclass(frozen=True, slots=True)
class LinkSecret:
    """``value`` is what links are signed with that name the secret's ``id``."""

    account: str
    id: str
    value: bytes


_offer = none(
    """insert into link_secret (account, id, value)
       values (%(account)s, %(id)s, %(value)s::bytea) on conflict (account) do nothing"""
)
_of_account = maybe(
    LinkSecret, "select account, id, value from link_secret where account = %(account)s"
)
_find = maybe(
    LinkSecret,
    """select account, id, value from link_secret
       where id = %(id)s and exists (
           select from account where name = account and not suspended and not removing)""",
)
_forget = none("delete from link_secret where account = %(account)s")


async def link_secret_of(db: Executor, fresh: LinkSecret) -> LinkSecret:
    """Return the secret of an account that is there: ``fresh`` where it has none yet."""
    await _offer(db, account=fresh.account, id=fresh.id, value=fresh.value)
    return await _of_account(db, account=fresh.account) or fresh


async def find_link_secret(db: Executor, secret_id: str) -> LinkSecret | None:
    """Return a secret by its id; None when it was replaced, or the account may do nothing."""
    return await _find(db, id=secret_id)


async def forget_link_secret(db: Executor, account: str) -> None:
    """Forget an account's secret: no link that it signed is good any more."""
    await _forget(db, account=account)
