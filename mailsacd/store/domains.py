"""Statements on domains: claims, the proof of one, and looking at them again in time."""

import json
from typing import Any, Final, TypedDict, Unpack

from mailsacd.core.ownership import Domain
from mailsacd.store.locks import Kind, lock_name, share_name
from mailsacd.store.sql import Executor, column, many, maybe, none, one

MAX_LISTED: Final = 10_000

_COLUMNS = (
    "name, owner, created, updated, enablews, hosted, is_default, is_private, verified, "
    "verified_mx, verification_txt, verification_errors, found::text, checked, missing_since"
)


_BROUGHT: Final = "not of_run"
"""Those of runs are none of an account's claims (store.runs)."""


class Flags(TypedDict, total=False):
    """What its account may set of a domain; None leaves it as it is."""

    enablews: bool | None
    is_default: bool | None
    is_private: bool | None


def _domain(name: str, owner: str, *rest: Any) -> Domain:
    *facts, errors, found, checked, missing_since = rest
    names = tuple(Domain.__dataclass_fields__)[2 : 2 + len(facts)]
    return Domain(
        name=name,
        owner=owner,
        errors=tuple(errors),
        found=json.loads(found),
        checked=checked,
        missing_since=missing_since,
        **dict(zip(names, facts, strict=True)),
    )


_find = maybe(
    _domain,
    f"select {_COLUMNS} from domain where name = %(name)s and owner = %(owner)s and {_BROUGHT}",  # noqa: S608  no input in it
)
_list = many(
    _domain,
    f"""select {_COLUMNS} from domain where owner = %(owner)s and {_BROUGHT}
        order by is_default desc, name limit {MAX_LISTED}""",  # noqa: S608  no input in it
)
_search = many(
    _domain,
    f"""select {_COLUMNS} from domain
        where (position(lower(%(query)s) in name) > 0 or position(lower(%(query)s) in owner) > 0)
            and {_BROUGHT}
        order by name, owner limit %(limit)s offset %(skip)s""",  # noqa: S608  no input in it
)
_holder = maybe(
    _domain,
    f"select {_COLUMNS} from domain where name = %(name)s and verified",  # noqa: S608  no input in it
)
_count: one[int] = one(
    column,
    f"select count(*) from domain where owner = %(owner)s and {_BROUGHT}",  # noqa: S608  no input in it
)
_add = one(
    _domain,
    f"""insert into domain
            (name, owner, hosted, verified, verified_mx, verification_txt, next_check)
        values (%(name)s, %(owner)s, %(hosted)s::boolean, %(hosted)s::boolean, %(hosted)s::boolean,
            %(verification_txt)s,
            case when %(hosted)s::boolean then null else now() + interval '5 minutes' end)
        returning {_COLUMNS}""",  # noqa: S608  no input in it
)
_remove = none(
    f"delete from domain where name = %(name)s and owner = %(owner)s and {_BROUGHT}"  # noqa: S608  no input in it
)
_IS_STALE: Final = (
    "not verified and not hosted and updated < now() - make_interval(days => %(days)s::int)"
)
_unverified: many[tuple[str, str]] = many(
    lambda name, owner: (name, owner),
    f"select name, owner from domain where {_IS_STALE} order by updated limit %(limit)s::int",  # noqa: S608  no input in it
)
_remove_unverified = none(
    f"delete from domain where name = %(name)s and owner = %(owner)s and {_IS_STALE}"  # noqa: S608  as above
)
_set_flags = maybe(
    _domain,
    f"""update domain set enablews = coalesce(%(enablews)s::boolean, enablews),
            is_default = coalesce(%(is_default)s::boolean, is_default),
            is_private = coalesce(%(is_private)s::boolean, is_private), updated = now()
        where name = %(name)s and owner = %(owner)s returning {_COLUMNS}""",  # noqa: S608  no input in it
)
_no_other_default = none(
    """update domain set is_default = false, updated = now()
       where owner = %(owner)s and name <> %(name)s and is_default"""
)
_record = none(
    """update domain set verified = %(verified)s::boolean, verified_mx = %(verified_mx)s::boolean,
           verification_errors = %(errors)s::text[], found = %(found)s::jsonb, checked = now(),
           missing_since = case when %(missing)s::boolean then coalesce(missing_since, now()) end,
           next_check = now() + make_interval(secs => %(again_s)s::int),
           updated = case when verified = %(verified)s::boolean then updated else now() end
       where name = %(name)s and owner = %(owner)s"""
)
_dismiss = none(
    """update domain set verified = false, verified_mx = false, updated = now(),
           verification_errors = array[%(reason)s::text]
       where name = %(name)s and owner = %(owner)s"""
)
# Under a lease: a node that dies with them leaves them to the others when it is over.
_claim_due: many[tuple[str, str]] = many(
    lambda name, owner: (name, owner),
    """update domain set next_check = now() + make_interval(secs => %(lease_s)s::int)
       where (name, owner) in (
           select name, owner from domain where next_check <= now()
           order by next_check limit %(limit)s::int for update skip locked)
       returning name, owner""",
)


async def find_domain(db: Executor, owner: str, name: str) -> Domain | None:
    """Return an account's claim to a domain, or None."""
    return await _find(db, name=name, owner=owner)


async def search_domains(db: Executor, query: str, *, limit: int, skip: int) -> list[Domain]:
    """Return claims by name, of whose name or owner ``query`` is a part."""
    return await _search(db, query=query, limit=limit, skip=skip)


async def list_domains(db: Executor, owner: str) -> list[Domain]:
    """Return an account's claims, the default one first, MAX_LISTED at most."""
    return await _list(db, owner=owner)


async def proved_claim(db: Executor, name: str) -> Domain | None:
    """Return the claim to a domain that is proved, or None."""
    return await _holder(db, name=name)


async def count_domains(db: Executor, owner: str) -> int:
    """Return how many claims an account has."""
    return await _count(db, owner=owner)


async def add_domain(
    db: Executor, owner: str, name: str, verification_txt: str, *, hosted: bool
) -> Domain:
    """Claim a domain that the account has not claimed. One that is ``hosted`` needs no proof."""
    values = {"name": name, "owner": owner, "verification_txt": verification_txt}
    return await _add(db, **values, hosted=hosted)


async def remove_domain(db: Executor, owner: str, name: str) -> bool:
    """Give a claim up. Returns False when the account has none."""
    return await _remove(db, name=name, owner=owner) == 1


async def unverified_domains(db: Executor, *, days: int, limit: int) -> list[tuple[str, str]]:
    """Return (domain, owner) of claims that were neither verified nor changed for ``days`` days.

    Those that waited longest come first, ``limit`` at most.
    """
    return await _unverified(db, days=days, limit=limit)


async def remove_unverified(db: Executor, owner: str, name: str, *, days: int) -> bool:
    """Give up a claim that `unverified_domains` named. Returns False when it is none any more."""
    return await _remove_unverified(db, name=name, owner=owner, days=days) == 1


async def set_domain_flags(db: Executor, domain: Domain, **flags: Unpack[Flags]) -> Domain | None:
    """Set the flags that are given and not None, within a transaction.

    An account has one default domain at most. Returns None when the claim is no longer there.
    """
    if flags.get("is_default"):
        await _no_other_default(db, owner=domain.owner, name=domain.name)
    values = {**dict.fromkeys(Flags.__annotations__), **flags}
    return await _set_flags(db, name=domain.name, owner=domain.owner, **values)


async def record_verification(
    db: Executor, domain: Domain, *, missing: bool, again_s: int | None
) -> None:
    """Write what the last look at the DNS brought, as ``domain`` has it.

    ``missing`` tells that the proof is gone. The next look is due in ``again_s`` seconds, never
    with None.
    """
    await _record(
        db,
        name=domain.name,
        owner=domain.owner,
        verified=domain.verified,
        verified_mx=domain.verified_mx,
        errors=list(domain.errors),
        found=json.dumps(dict(domain.found)),
        missing=missing,
        again_s=again_s,
    )


async def dismiss_claim(db: Executor, domain: Domain, reason: str) -> None:
    """Take back that a claim is proved, for ``reason``."""
    await _dismiss(db, name=domain.name, owner=domain.owner, reason=reason)


async def claim_due_domains(db: Executor, *, limit: int, lease_s: int) -> list[tuple[str, str]]:
    """Return (domain, owner) of claims to look at now, ``limit`` at most.

    No other node gets them within ``lease_s`` seconds.
    """
    return await _claim_due(db, limit=limit, lease_s=lease_s)


async def share_domain(db: Executor, name: str) -> None:
    """Keep the domain from changing hands until the transaction ends."""
    await share_name(db, Kind.DOMAIN, name)


async def lock_domain(db: Executor, name: str) -> None:
    """Keep the domain as `share_domain` does.

    Others may not reserve or release addresses of it either.
    """
    await lock_name(db, Kind.DOMAIN, name)
