"""Statements on the keys that outgoing mail is signed with."""

from collections.abc import Sequence
from typing import Any, Final

from mailsacd.core.dkim import DkimKey
from mailsacd.store.locks import Kind, lock_name
from mailsacd.store.sql import Executor, column, many, maybe, none

MAX_LISTED: Final = 20_000

_NAMES: Final = (
    "domain", "owner", "selector", "algorithm", "public", "created", "active_since", "retired",
    "published",
)  # fmt: skip
_COLUMNS: Final = ", ".join(f"key.{name}" for name in _NAMES)
_OWNERS: Final = "owner is not distinct from %(owner)s::text"


def _key(*columns: Any) -> DkimKey:
    return DkimKey(**dict(zip(_NAMES, columns, strict=True)))


_add = none(
    """insert into dkim_key (domain, selector, owner, algorithm, public, sealed)
       values (%(domain)s, %(selector)s, %(owner)s, %(algorithm)s, %(public)s::bytea,
           %(sealed)s::bytea)"""
)
_keep_claim: maybe[str] = maybe(
    column,
    "select name from domain where name = %(domain)s and owner = %(owner)s for key share",
)
_of_domain = many(
    _key,
    f"""select {_COLUMNS} from dkim_key key where domain = %(domain)s and {_OWNERS}
        order by created, algorithm desc""",  # noqa: S608  no input in it
)
_of_owner = many(
    _key,
    f"""select {_COLUMNS} from dkim_key key where owner = %(owner)s
        order by created, algorithm desc limit {MAX_LISTED}""",  # noqa: S608  no input in it
)
# Of the operator's keys for a domain and of those of who has proved a claim to it
_signing: many[tuple[DkimKey, bytes]] = many(
    lambda sealed, *columns: (_key(*columns), sealed),
    f"""select key.sealed, {_COLUMNS} from dkim_key key
        left join domain on domain.name = key.domain and domain.owner = key.owner
        where key.domain = %(domain)s and (key.owner is null or domain.verified)
            and active_since is not null and retired is null
        order by algorithm desc, active_since desc""",  # noqa: S608  no input in it
)
_seen = none(
    """update dkim_key set published = %(published)s::boolean,
           active_since = case when %(activate)s::boolean then coalesce(active_since, now())
               else active_since end
       where domain = %(domain)s and selector = %(selector)s"""
)
_retire = none(
    f"""update dkim_key old set retired = now()
        where domain = %(domain)s and {_OWNERS} and retired is null and exists (
            select from dkim_key new where new.domain = old.domain
                and new.owner is not distinct from old.owner and new.algorithm = old.algorithm
                and new.retired is null and new.active_since is not null
                and (new.created, new.selector) > (old.created, old.selector))"""  # noqa: S608  no input in it
)
_forget_retired = none(
    "delete from dkim_key where retired < now() - make_interval(days => %(days)s::int)"
)
# New keys are looked for soon after they were made, and ever later; the others once a day.
_claim_due: many[tuple[str, str | None]] = many(
    lambda domain, owner: (domain, owner),
    """update dkim_key key set next_look = now() + case when active_since is null
           then least(greatest((now() - created) / 4, interval '5 minutes'), interval '1 day')
           else interval '1 day' end
       where (domain, selector) in (
           select domain, selector from dkim_key where next_look <= now()
           order by next_look limit %(limit)s::int for update skip locked)
       returning domain, owner""",
)
_without: many[tuple[str, str]] = many(
    lambda name, owner: (name, owner),
    """select name, owner from domain
       where verified and not of_run and name not like %(lent)s and not exists (
           select from dkim_key key where key.domain = domain.name and key.owner = domain.owner)
       limit %(limit)s::int""",
)


async def lock_keys(db: Executor, domain: str, owner: str | None) -> bool:
    """Have nobody else add keys of ``domain`` until the transaction ends.

    Returns False when ``owner`` is an account that has no claim to the domain.
    """
    await lock_name(db, Kind.DKIM_KEYS, domain)
    return owner is None or await _keep_claim(db, domain=domain, owner=owner) is not None


async def add_key(db: Executor, key: DkimKey, sealed: bytes) -> None:
    """Add a key, its private half ``sealed``. It waits for its DNS record."""
    await _add(
        db,
        domain=key.domain,
        selector=key.selector,
        owner=key.owner,
        algorithm=key.algorithm,
        public=key.public,
        sealed=sealed,
    )


async def keys_of_domain(db: Executor, domain: str, owner: str | None) -> list[DkimKey]:
    """Return the keys of an account's claim, or the operator's (None), the oldest first."""
    return await _of_domain(db, domain=domain, owner=owner)


async def keys_of_owner(db: Executor, owner: str) -> list[DkimKey]:
    """Return the keys of all domains of an account, the oldest first, MAX_LISTED at most."""
    return await _of_owner(db, owner=owner)


async def signing_keys(db: Executor, domain: str) -> list[tuple[DkimKey, bytes]]:
    """Return the keys that sign for ``domain``, with their sealed private halves.

    Those are of who has proved a claim to the domain, and the operator's. RSA keys come first, and
    of each algorithm the key that was made active last.
    """
    return await _signing(db, domain=domain)


async def record_look(db: Executor, key: DkimKey, *, published: bool, activate: bool) -> None:
    """Write down whether the DNS has a key's record; ``activate`` has it sign from now on."""
    await _seen(
        db, domain=key.domain, selector=key.selector, published=published, activate=activate
    )


async def retire_older(db: Executor, domain: str, owner: str | None) -> bool:
    """Retire each key that a newer active one of its kind stands beside. Returns if any was."""
    return await _retire(db, domain=domain, owner=owner) > 0


async def forget_retired(db: Executor, *, days: int) -> int:
    """Delete the keys that were retired more than ``days`` days ago. Returns how many."""
    return await _forget_retired(db, days=days)


async def claim_due_looks(db: Executor, *, limit: int) -> Sequence[tuple[str, str | None]]:
    """Return (domain, owner) of keys whose records it is time to look for, ``limit`` at most.

    A domain may come several times. No other node gets them before the next time.
    """
    return await _claim_due(db, limit=limit)


async def domains_without_keys(db: Executor, *, lent: str, limit: int) -> list[tuple[str, str]]:
    """Return (domain, owner) of proved claims that have no keys, ``limit`` at most.

    Domains below ``lent``, the operator's hosting domain, need none.
    """
    return await _without(db, lent=f"%.{lent}" if lent else "", limit=limit)
