"""Alternates and the secret that they are made with."""

import secrets
from collections.abc import Mapping

from mailsacd.store.sql import Executor, column, maybe, none, one

_remember = none(
    """insert into alternate (local, address) values (%(local)s, %(address)s)
       on conflict (local) do nothing"""
)
_remember_many = none(
    """insert into alternate (local, address)
       select * from unnest(%(locals)s::text[], %(addresses)s::text[]) as new (local, address)
       order by new.local collate "C"
       on conflict (local) do nothing"""
)
_find: maybe[str] = maybe(column, "select address from alternate where local = %(local)s")
_offer_secret = none(
    "insert into server_secret (value) values (%(value)s) on conflict (single) do nothing"
)
_secret = one(bytes, "select value from server_secret")


async def remember_alternate(db: Executor, local: str, address: str) -> None:
    """Have mail for ``local`` at any domain go to ``address``. Doing it again changes nothing."""
    await _remember(db, local=local, address=address)


async def remember_alternates(db: Executor, addresses: Mapping[str, str]) -> None:
    """Remember many alternates.

    The keys of ``addresses`` are local parts, the values what they stand for.
    """
    await _remember_many(db, locals=list(addresses), addresses=list(addresses.values()))


async def find_alternate(db: Executor, local: str) -> str | None:
    """Return the address that an alternate's local part stands for, or None."""
    return await _find(db, local=local)


async def server_secret(db: Executor) -> bytes:
    """Return the 32 random bytes that all nodes share. The first call makes them."""
    await _offer_secret(db, value=secrets.token_bytes(32))
    return await _secret(db)
