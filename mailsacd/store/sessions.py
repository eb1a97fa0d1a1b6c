"""Statements on sessions, password resets and invitations. Of tokens only the SHA-256 is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailsacd.core.account import Session
from mailsacd.store.sql import Executor, column, many, maybe, none

MAX_SESSIONS_PER_LOGIN = 100
_MAX_SWEPT = 1_000


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Who has signed in, and until when. ``suspended`` tells whether the account is.

    ``last_used`` is told to an hour. A team user may be elevated, or have been, until a time.
    ``is_operator`` is of an account's own login alone.
    """

    login: str
    account: str
    team: bool
    suspended: bool
    expires: datetime
    id: str
    last_used: datetime
    elevated_until: datetime | None
    is_operator: bool


_find = maybe(
    SessionFacts,
    """select l.name, l.account, l.team, a.suspended or a.removing, s.expires, s.id, s.last_used,
           l.elevated_until, a.operator and not l.team
       from session s join login l on l.name = s.login join account a on a.name = l.account
       where s.token_hash = %(token_hash)s::bytea and s.expires > now()""",
)
_insert = none(
    """insert into session (token_hash, login, expires, peer, agent)
       values (%(token_hash)s::bytea, %(login)s, %(expires)s::timestamptz, %(peer)s, %(agent)s)"""
)
_list = many(
    Session,
    """select id, created, last_used, expires, peer, agent, token_hash = %(token_hash)s::bytea
       from session where login = %(login)s and expires > now() order by created desc, id""",
)
_end_one: maybe[str] = maybe(
    column, "delete from session where login = %(login)s and id = %(id)s returning agent"
)
_end_others = none(
    "delete from session where login = %(login)s and token_hash <> %(token_hash)s::bytea"
)
_used = none(
    """update session set last_used = used.at
       from unnest(%(ids)s::text[], %(times)s::timestamptz[]) as used (id, at)
       where session.id = used.id and session.last_used <= used.at - interval '1 hour'"""
)
_delete_oldest = none(
    f"""delete from session where token_hash in (
           select token_hash from session where login = %(login)s
           order by created desc offset {MAX_SESSIONS_PER_LOGIN - 1})"""  # noqa: S608  no input in it
)
_sweep = none(
    f"""delete from session where token_hash in (
           select token_hash from session where expires < now() limit {_MAX_SWEPT})"""  # noqa: S608  no input in it
)
_delete = none("delete from session where token_hash = %(token_hash)s::bytea")
_delete_all = none("delete from session where login = %(login)s")
_sweep_resets = none("delete from password_reset where expires < now()")
_replace_reset = none("delete from password_reset where login = %(login)s")
_insert_reset = none(
    """insert into password_reset (token_hash, login, expires)
       values (%(token_hash)s::bytea, %(login)s, %(expires)s::timestamptz)"""
)
_take_reset: maybe[str] = maybe(
    column,
    """delete from password_reset where token_hash = %(token_hash)s::bytea and expires > now()
       returning login""",
)
_find_reset: maybe[str] = maybe(
    column,
    """select login from password_reset
       where token_hash = %(token_hash)s::bytea and expires > now()""",
)
_sweep_invitations = none("delete from invitation where expires < now()")
_insert_invitation = none(
    """insert into invitation (token_hash, expires)
       values (%(token_hash)s::bytea, %(expires)s::timestamptz)"""
)
_take_invitation = none(
    "delete from invitation where token_hash = %(token_hash)s::bytea and expires > now()"
)


async def find_session(db: Executor, token_hash: bytes) -> SessionFacts | None:
    """Return the session that belongs to a token's hash, or None when it is over."""
    return await _find(db, token_hash=token_hash)


async def add_session(
    db: Executor,
    token_hash: bytes,
    login: str,
    expires: datetime,
    *,
    peer: str = "",
    agent: str = "",
) -> None:
    """Sign a login in until ``expires``, from an IP address, with a program.

    Its oldest sessions beyond 100 end.
    """
    await _delete_oldest(db, login=login)
    params = {"login": login, "expires": expires, "peer": peer, "agent": agent}
    await _insert(db, token_hash=token_hash, **params)


async def list_sessions(db: Executor, login: str, token_hash: bytes) -> list[Session]:
    """Return the sessions of a login, the newest first; the one of the token's hash is current."""
    return await _list(db, login=login, token_hash=token_hash)


async def end_listed_session(db: Executor, login: str, session_id: str) -> str | None:
    """End a session of a login by its id. Returns its program, or None when there is none."""
    return await _end_one(db, login=login, id=session_id)


async def end_other_sessions(db: Executor, login: str, token_hash: bytes) -> int:
    """End all sessions of a login but the one of the token's hash. Returns how many."""
    return await _end_others(db, login=login, token_hash=token_hash)


async def record_session_use(db: Executor, times: Mapping[str, datetime]) -> None:
    """Record when sessions, by id, were used, unless that is known to an hour already."""
    await _used(db, ids=list(times), times=list(times.values()))


async def end_session(db: Executor, token_hash: bytes) -> bool:
    """End one session. Returns False when there is none."""
    return await _delete(db, token_hash=token_hash) == 1


async def end_sessions(db: Executor, login: str) -> None:
    """End all sessions of a login."""
    await _delete_all(db, login=login)


async def add_reset(db: Executor, token_hash: bytes, login: str, expires: datetime) -> None:
    """Have a token reset a login's password until ``expires``.

    A login has one such token at a time.
    """
    await _replace_reset(db, login=login)
    await _insert_reset(db, token_hash=token_hash, login=login, expires=expires)


async def find_reset(db: Executor, token_hash: bytes) -> str | None:
    """Return the login whose password a token may reset, or None when it is not good."""
    return await _find_reset(db, token_hash=token_hash)


async def take_reset(db: Executor, token_hash: bytes) -> str | None:
    """Use a token up.

    Returns the login whose password it may reset, or None when it is not good.
    """
    return await _take_reset(db, token_hash=token_hash)


async def add_invitation(db: Executor, token_hash: bytes, expires: datetime) -> None:
    """Have a token sign one person up until ``expires``."""
    await _insert_invitation(db, token_hash=token_hash, expires=expires)


async def forget_expired(db: Executor) -> None:
    """Delete the sessions, password resets and invitations whose time is over."""
    while await _sweep(db) == _MAX_SWEPT:
        pass
    await _sweep_resets(db)
    await _sweep_invitations(db)


async def take_invitation(db: Executor, token_hash: bytes) -> bool:
    """Use an invitation up. Returns False when it is not good, or no more."""
    return await _take_invitation(db, token_hash=token_hash) == 1
