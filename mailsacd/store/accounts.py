"""Statements on accounts and those who sign in to them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mailsacd.core.account import Account, Login, TeamUser
from mailsacd.store.locks import Job, wait_for_turn
from mailsacd.store.sql import Executor, column, many, maybe, none, one

_COLUMNS = (
    "name, email, plan, overrides::text, labels, recents, capture_private, disable_spam, "
    "suspended, removing, operator, created, updated"
)
_MAX_LISTED = 10_000


def _account(name: str, email: str, plan: str, overrides: str, *rest: Any) -> Account:
    (
        labels,
        recents,
        capture_private,
        disable_spam,
        suspended,
        removing,
        operator,
        created,
        updated,
    ) = rest
    return Account(
        name=name,
        email=email,
        plan=plan,
        overrides=json.loads(overrides),
        labels=tuple(labels),
        recents=tuple(recents),
        capture_private=capture_private,
        disable_spam=disable_spam,
        suspended=suspended,
        removing=removing,
        operator=operator,
        created=created,
        updated=updated,
    )


def _login(
    name: str, account: str, team: bool, password_hash: str | None, suspended: bool
) -> Login:
    return Login(
        name=name, account=account, team=team, password_hash=password_hash, suspended=suspended
    )


_find = maybe(_account, f"select {_COLUMNS} from account where name = %(name)s")  # noqa: S608  no input in it
_lock = maybe(_account, f"select {_COLUMNS} from account where name = %(name)s for update")  # noqa: S608  as above
_list = many(
    _account,
    f"select {_COLUMNS} from account order by name limit {_MAX_LISTED}",  # noqa: S608  no input in it
)
_search = many(
    _account,
    f"""select {_COLUMNS} from account
        where position(lower(%(query)s) in name) > 0
            or position(lower(%(query)s) in lower(email)) > 0
        order by name limit %(limit)s offset %(skip)s""",  # noqa: S608  no input in it
)
_insert = none(
    """insert into account (name, email, plan, overrides)
       values (%(name)s, %(email)s, %(plan)s, %(overrides)s::jsonb)
       on conflict do nothing"""
)
_insert_login = none(
    """insert into login (name, account, team, password_hash)
       values (%(name)s, %(account)s, %(team)s, %(password_hash)s)
       on conflict do nothing"""
)
_update = none(
    """update account
       set email = coalesce(%(email)s::text, email), plan = coalesce(%(plan)s::text, plan),
           overrides = coalesce(%(overrides)s::jsonb, overrides),
           labels = coalesce(%(labels)s::text[], labels),
           recents = coalesce(%(recents)s::text[], recents),
           capture_private = coalesce(%(capture_private)s::boolean, capture_private),
           disable_spam = coalesce(%(disable_spam)s::boolean, disable_spam),
           suspended = coalesce(%(suspended)s::boolean, suspended),
           operator = coalesce(%(operator)s::boolean, operator), updated = now()
       where name = %(name)s"""
)
_email_taken = one(
    bool,
    """select exists (
           select 1 from account where lower(email) = lower(%(email)s) and name <> %(name)s)""",
)
_largest: one[int] = one(
    column, "select coalesce(max((overrides ->> %(limit)s)::bigint), 0) from account"
)
_count: one[int] = one(column, "select count(*) from account")
_any: one[bool] = one(bool, "select exists (select 1 from account)")
_login_named = maybe(
    _login,
    """select l.name, l.account, l.team, l.password_hash, a.suspended or a.removing
       from login l join account a on a.name = l.account
       where l.name = %(name)s""",
)
_lock_login = maybe(
    _login,
    """select l.name, l.account, l.team, l.password_hash, a.suspended or a.removing
       from login l join account a on a.name = l.account
       where l.name = %(name)s for update of l""",
)
_login_with_email = maybe(
    _login,
    """select l.name, l.account, l.team, l.password_hash, a.suspended or a.removing
       from login l join account a on a.name = l.account
       where lower(a.email) = lower(%(email)s) and not l.team""",
)
_team = many(
    TeamUser,
    """select name, case when elevated_until > now() then elevated_until end
       from login where account = %(account)s and team order by name""",
)
_elevate: maybe[datetime] = maybe(
    column,
    """update login set elevated_until = now() + make_interval(mins => %(minutes)s::int)
       where name = %(name)s and account = %(account)s and team returning elevated_until""",
)
_end_elevation = none(
    """update login set elevated_until = null
       where name = %(name)s and account = %(account)s and team and elevated_until > now()"""
)
_delete_team_user = none(
    "delete from login where name = %(name)s and account = %(account)s and team"
)
_set_password = none("update login set password_hash = %(password_hash)s where name = %(name)s")

_CHANGES = (
    "email",
    "plan",
    "overrides",
    "labels",
    "recents",
    "capture_private",
    "disable_spam",
    "suspended",
    "operator",
)


async def find_account(db: Executor, name: str) -> Account | None:
    """Return the account named ``name``, or None when there is none."""
    return await _find(db, name=name)


async def lock_account(db: Executor, name: str) -> Account | None:
    """Return the account as `find_account` does, and lock it until the transaction ends.

    Others who lock it wait. So limits hold: who adds to what an account owns locks it before
    counting.
    """
    return await _lock(db, name=name)


async def list_accounts(db: Executor) -> list[Account]:
    """Return all accounts in the order of their names, 10,000 at most."""
    return await _list(db)


async def search_accounts(db: Executor, query: str, *, limit: int, skip: int) -> list[Account]:
    """Return accounts by name, of whose name or mail address ``query`` is a part."""
    return await _search(db, query=query, limit=limit, skip=skip)


async def any_account(db: Executor) -> bool:
    """Return whether there is any account."""
    return await _any(db)


async def largest_override(db: Executor, limit: str) -> int:
    """Return the largest number that an account has for a limit of its own, 0 without any."""
    return await _largest(db, limit=limit)


async def count_accounts(db: Executor) -> int:
    """Return how many accounts there are."""
    return await _count(db)


async def lock_accounts(db: Executor) -> None:
    """Keep everybody else who calls this waiting until the transaction ends.

    Whoever makes an account, or gives one a mail address, calls it first.
    """
    await wait_for_turn(db, Job.MAKING_ACCOUNTS)


async def add_account(
    db: Executor, name: str, email: str, plan: str, password_hash: str | None
) -> bool:
    """Make an account and its own login.

    Returns False when the name or the mail address is taken; the transaction is to be undone then.
    """
    overrides = json.dumps({})
    added = await _insert(db, name=name, email=email, plan=plan, overrides=overrides)
    return added == 1 and await add_login(db, name, name, password_hash, team=False)


async def update_account(db: Executor, name: str, changes: Mapping[str, Any]) -> bool:
    """Change the columns that ``changes`` names (see _CHANGES).

    Returns False when there is no such account.
    """
    params: dict[str, Any] = {**dict.fromkeys(_CHANGES), **changes}
    if params["overrides"] is not None:
        params["overrides"] = json.dumps(dict(params["overrides"]))
    return await _update(db, name=name, **params) == 1


async def email_taken(db: Executor, email: str, *, but_by: str) -> bool:
    """Return whether another account than ``but_by`` has the mail address. Case does not count."""
    return await _email_taken(db, email=email, name=but_by)


async def find_login(db: Executor, name_or_email: str) -> Login | None:
    """Return who signs in by that name, or the own login of the account with that mail address.

    None means that nobody does.
    """
    if "@" in name_or_email:
        return await _login_with_email(db, email=name_or_email)
    return await _login_named(db, name=name_or_email)


async def lock_login(db: Executor, name: str) -> Login | None:
    """Return the login named ``name`` and lock it until the transaction ends.

    None means that there is none.
    """
    return await _lock_login(db, name=name)


async def add_login(
    db: Executor, name: str, account: str, password_hash: str | None, *, team: bool
) -> bool:
    """Let somebody sign in to an account by ``name``. Returns False when the name is taken."""
    params = {"name": name, "account": account, "team": team, "password_hash": password_hash}
    return await _insert_login(db, **params) == 1


async def set_password(db: Executor, login: str, password_hash: str | None) -> bool:
    """Give a login another password, by its argon2id hash.

    Returns False when there is no such login.
    """
    return await _set_password(db, name=login, password_hash=password_hash) == 1


async def list_team(db: Executor, account: str) -> list[TeamUser]:
    """Return an account's team users in the order of their names."""
    return await _team(db, account=account)


async def elevate(db: Executor, account: str, name: str, minutes: int) -> datetime | None:
    """Have a team user manage the account for so long.

    Returns until when, or None when the account has none of that name.
    """
    return await _elevate(db, account=account, name=name, minutes=minutes)


async def end_elevation(db: Executor, account: str, name: str) -> bool:
    """Have a team user manage the account no more. Returns False when it does not."""
    return await _end_elevation(db, account=account, name=name) == 1


async def remove_team_user(db: Executor, account: str, name: str) -> bool:
    """Delete a team user. Returns False when the account has none of that name."""
    return await _delete_team_user(db, account=account, name=name) == 1
