"""Alternates and the secret that they are made with."""

import secrets
from collections.abc import Mapping
from typing import Final

from mailsacd.store.sql import Executor, column, maybe, none, one

KEPT_DAYS: Final = 180
"""So long after it was last asked for or mailed to is one kept, by the database's clock."""

SOME: Final = 1_000
"""So many rows at most does one of the statements that forget delete."""

_RESERVED: Final = 'exists (select from address where email = alternate.address collate "C")'

_remember = none(
    """insert into alternate (local, address)
       select * from unnest(%(locals)s::text[], %(addresses)s::text[]) as new (local, address)
       order by new.local collate "C"
       on conflict (local) do update set last_asked = current_date
           where alternate.last_asked < current_date"""
)
_known: one[bool] = one(column, "select exists (select from alternate where local = %(local)s)")
_find: maybe[str] = maybe(
    column,
    """with asked as (
           update alternate set last_asked = current_date
           where local = %(local)s and last_asked < current_date
       )
       select address from alternate where local = %(local)s""",
)
_renew = none(
    f"""update alternate set last_asked = current_date
        where last_asked < current_date - {KEPT_DAYS} and {_RESERVED}"""  # noqa: S608  no input in it
)
_forget_old = none(
    f"""delete from alternate where local in (
            select local from alternate
            where last_asked < current_date - {KEPT_DAYS} and not {_RESERVED} limit {SOME})"""  # noqa: S608  as above
)
_forget_oldest = none(
    f"""delete from alternate where local in (
            select local from alternate where not {_RESERVED}
            order by last_asked limit least(%(count)s::integer, {SOME}))"""  # noqa: S608  as above
)
_count: one[int] = one(
    column, "select count(*) from (select from alternate limit %(most)s::integer) counted"
)
_offer_secret = none(
    "insert into server_secret (value) values (%(value)s) on conflict (single) do nothing"
)
_secret = one(bytes, "select value from server_secret")


async def remember_alternate(db: Executor, local: str, address: str) -> None:
    """Have mail for ``local`` at any domain go to ``address``. Doing it again renews it."""
    await remember_alternates(db, {local: address})


async def remember_alternates(db: Executor, addresses: Mapping[str, str]) -> None:
    """Remember many alternates, or renew them.

    The keys of ``addresses`` are local parts, the values what they stand for.
    """
    await _remember(db, locals=list(addresses), addresses=list(addresses.values()))


async def knows_alternate(db: Executor, local: str) -> bool:
    """Return whether an alternate is remembered."""
    return await _known(db, local=local)


async def find_alternate(db: Executor, local: str) -> str | None:
    """Return the address that an alternate's local part stands for, or None; and renew it."""
    return await _find(db, local=local)


async def forget_old_alternates(db: Executor) -> bool:
    """Delete some of those that nobody needed for KEPT_DAYS. Returns whether there may be more.

    Those of reserved addresses are renewed instead.
    """
    await _renew(db)
    return await _forget_old(db) == SOME


async def count_alternates(db: Executor, *, most: int) -> int:
    """Return how many alternates there are, or ``most`` if there are more."""
    return await _count(db, most=most)


async def forget_oldest_alternates(db: Executor, count: int) -> int:
    """Delete up to ``count``, and up to SOME, alternates: those asked for the longest time ago.

    Those of reserved addresses stay. Returns how many were deleted.
    """
    return await _forget_oldest(db, count=count)


async def server_secret(db: Executor) -> bytes:
    """Return the 32 random bytes that all nodes share. The first call makes them."""
    await _offer_secret(db, value=secrets.token_bytes(32))
    return await _secret(db)
