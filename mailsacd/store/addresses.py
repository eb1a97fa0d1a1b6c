"""Statements on private addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mailsacd.core.ownership import PrivateAddress
from mailsacd.store.sql import Executor, column, many, maybe, none, one

MAX_LISTED: Final = 10_000

_COLUMNS = (
    "email, domain, owner, info, forward, enablews, webhook, webhook_slack, webhook_slack_to_from, "
    "transcript, password_hash is not null, catch_all, created, updated"
)
_NAMES = tuple(PrivateAddress.__dataclass_fields__)
_WRITTEN: Final = (
    "info", "forward", "enablews", "webhook", "webhook_slack", "webhook_slack_to_from", "transcript"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AddressLogin:
    """Whose an address is, and the argon2id hash of its own password, None when it has none.

    ``suspended`` is whether the account is.
    """

    owner: str
    password_hash: str | None
    suspended: bool


def _address(*columns: Any) -> PrivateAddress:
    return PrivateAddress(**dict(zip(_NAMES, columns, strict=True)))


_find = maybe(_address, f"select {_COLUMNS} from address where email = %(email)s")  # noqa: S608  no input in it
_list = many(
    _address,
    f"""select {_COLUMNS} from address where owner = %(owner)s
        order by email limit {MAX_LISTED}""",  # noqa: S608  no input in it
)
_search = many(
    _address,
    f"""select {_COLUMNS} from address
        where owner = %(owner)s and (position(lower(%(query)s) in email) > 0
            or position(lower(%(query)s) in lower(info)) > 0)
        order by email limit %(limit)s offset %(skip)s""",  # noqa: S608  no input in it
)
_count: one[int] = one(column, "select count(*) from address where owner = %(owner)s")
_owners: many[tuple[str, str]] = many(
    lambda email, owner: (email, owner),
    "select email, owner from address where email = any(%(emails)s::text[])",
)
# In one order everywhere, so that two who reserve the same addresses wait instead of deadlocking;
# whoever comes second waits for the first one's commit, and then finds the address taken.
_reserve = many(
    _address,
    f"""insert into address (email, domain, owner, catch_all)
        select email, split_part(email, '@', -1), %(owner)s::text, starts_with(email, '*@')
        from unnest(%(emails)s::text[]) as email order by email
        on conflict (email) do nothing returning {_COLUMNS}""",  # noqa: S608  no input in it
)
_update = maybe(
    _address,
    f"""update address set info = %(info)s::text, forward = %(forward)s::text,
           enablews = %(enablews)s::boolean, webhook = %(webhook)s::text,
           webhook_slack = %(webhook_slack)s::text,
           webhook_slack_to_from = %(webhook_slack_to_from)s::boolean,
           transcript = %(transcript)s::boolean, updated = now()
        where email = %(email)s and owner = %(owner)s returning {_COLUMNS}""",  # noqa: S608  no input in it
)
_set_password = none(
    """update address set password_hash = %(hash)s::text
       where email = %(email)s and owner = %(owner)s"""
)
_login = maybe(
    AddressLogin,
    """select address.owner, address.password_hash, account.suspended or account.removing
       from address join account on account.name = address.owner
       where address.email = %(email)s""",
)
_set_catch_all = none(
    """update address set catch_all = %(catch_all)s::boolean, updated = now()
       where email = %(email)s and owner = %(owner)s"""
)
_release = none("delete from address where email = %(email)s and owner = %(owner)s")
_unforward: many[str] = many(
    column,
    """update address set forward = null, updated = now()
       where owner = %(owner)s and forward = %(email)s returning email""",
)
# What arrives at a catch-all are its domain's addresses that are not reserved.
_length_behind: one[int] = one(
    column,
    """with recursive behind (email, addresses) as (
           select %(email)s::text collate "C", 1
           union
           select address.email, addresses + 1 from behind join address
               on address.owner = %(owner)s and address.email <> %(email)s and (
                   address.forward = behind.email
                   or (select catch_all from address as one where one.email = behind.email)
                   and split_part(address.forward, '@', -1) = split_part(behind.email, '@', -1)
                   and not exists (select 1 from address as one where one.email = address.forward))
           where addresses < %(most)s
       )
       select max(addresses) from behind""",
)
_evict: many[tuple[str, str]] = many(
    lambda email, owner: (email, owner),
    """delete from address where domain = %(domain)s and owner <> %(owner)s
       returning email, owner""",
)


async def find_address(db: Executor, email: str) -> PrivateAddress | None:
    """Return the private address of that normal form, whoever owns it, or None."""
    return await _find(db, email=email)


async def list_addresses(db: Executor, owner: str) -> list[PrivateAddress]:
    """Return an account's private addresses in the order of their texts, MAX_LISTED at most."""
    return await _list(db, owner=owner)


async def search_addresses(
    db: Executor, owner: str, query: str, *, limit: int, skip: int
) -> list[PrivateAddress]:
    """Return those of `list_addresses` that have a text in address or note, in any case."""
    return await _search(db, owner=owner, query=query, limit=limit, skip=skip)


async def count_addresses(db: Executor, owner: str) -> int:
    """Return how many private addresses an account has."""
    return await _count(db, owner=owner)


async def owners_of(db: Executor, emails: Sequence[str]) -> dict[str, str]:
    """Return the owners of those of ``emails`` that are owned, by address."""
    return dict(await _owners(db, emails=list(emails)))


async def reserve_addresses(
    db: Executor, owner: str, emails: Sequence[str]
) -> list[PrivateAddress]:
    """Reserve those of ``emails`` (normal, each once) that are free. Returns what was reserved."""
    return await _reserve(db, owner=owner, emails=sorted(emails))


async def update_address(
    db: Executor, address: PrivateAddress, settings: Mapping[str, Any]
) -> PrivateAddress | None:
    """Write ``settings`` (names of PrivateAddress to values).

    Returns None when the address is no longer there.
    """
    values = {name: settings.get(name, getattr(address, name)) for name in _WRITTEN}
    return await _update(db, email=address.email, owner=address.owner, **values)


async def set_address_password(
    db: Executor, owner: str, email: str, password_hash: str | None
) -> bool:
    """Set or clear the address's own password. Returns False when it is not the account's."""
    return await _set_password(db, email=email, owner=owner, hash=password_hash) == 1


async def find_address_login(db: Executor, email: str) -> AddressLogin | None:
    """Return who may log in to a private address, and by what password, or None."""
    return await _login(db, email=email)


async def set_catch_all(db: Executor, owner: str, email: str, *, catch_all: bool) -> bool:
    """Switch a catch-all on or off. Returns False when the account has not reserved it."""
    return await _set_catch_all(db, email=email, owner=owner, catch_all=catch_all) == 1


async def release_address(db: Executor, owner: str, email: str) -> list[str] | None:
    """Give an address up, and stop the owner's forwards to it.

    Returns the addresses whose mail went there, or None when it is not the owner's.
    """
    if not await _release(db, email=email, owner=owner):
        return None
    return await _unforward(db, owner=owner, email=email)


async def length_behind(db: Executor, owner: str, email: str, most: int) -> int:
    """Return the length of the longest chain of an account's forwards to ``email``.

    That address counts; chains are followed up to ``most`` addresses.
    """
    return await _length_behind(db, owner=owner, email=email, most=most)


async def evict_addresses(db: Executor, domain: str, owner: str) -> list[tuple[str, str]]:
    """Take the addresses of ``domain`` from all accounts but ``owner``.

    Returns pairs of an address and whose it was.
    """
    return await _evict(db, domain=domain, owner=owner)
