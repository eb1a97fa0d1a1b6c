"""Statements on API keys. Only the SHA-256 of a key is ever stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailsacd.core.account import ApiKey
from mailsacd.store.sql import Executor, column, many, maybe, none
from mailsacd.store.usage import fold_key


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """Whose a key is. ``suspended`` tells whether the account is."""

    id: str
    account: str
    name: str
    suspended: bool


def _key(
    id_: str, account: str, name: str, created: datetime, last_used: datetime | None
) -> ApiKey:
    return ApiKey(id=id_, account=account, name=name, created=created, last_used=last_used)


_find = maybe(
    KeyFacts,
    """select k.id, k.account, k.name, a.suspended or a.removing
       from api_key k join account a on a.name = k.account
       where k.hash = %(hash)s::bytea""",
)
_list = many(
    _key,
    """select id, account, name, created, last_used from api_key
       where account = %(account)s order by created, id limit 1000""",
)
_insert = none(
    """insert into api_key (id, account, name, hash)
       values (%(id)s, %(account)s, %(name)s, %(hash)s::bytea)
       on conflict (account, name) do nothing"""
)
_delete: maybe[str] = maybe(
    column, "delete from api_key where account = %(account)s and id = %(id)s returning name"
)
_used = none(
    """update api_key set last_used = used.at
       from unnest(%(ids)s::text[], %(times)s::timestamptz[]) as used (id, at)
       where api_key.id = used.id and (last_used is null or last_used < used.at)"""
)


async def find_key(db: Executor, key_hash: bytes) -> KeyFacts | None:
    """Return whose the key with that SHA-256 is, or None."""
    return await _find(db, hash=key_hash)


async def list_keys(db: Executor, account: str) -> list[ApiKey]:
    """Return an account's keys, oldest first, 1,000 at most."""
    return await _list(db, account=account)


async def add_key(db: Executor, key_id: str, account: str, name: str, key_hash: bytes) -> bool:
    """Store a key by its SHA-256. Returns False when the account has one of that name."""
    return await _insert(db, id=key_id, account=account, name=name, hash=key_hash) == 1


async def delete_key(db: Executor, account: str, key_id: str) -> str | None:
    """Delete a key of an account, within a transaction.

    Returns what it was called, or None when the account has none such.
    """
    await fold_key(db, account, key_id)
    return await _delete(db, account=account, id=key_id)


async def record_use(db: Executor, times: Mapping[str, datetime]) -> None:
    """Record when keys, by id, were last used. A later time that is recorded already stays."""
    await _used(db, ids=list(times), times=list(times.values()))
