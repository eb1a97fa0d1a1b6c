"""Statements on how many messages everybody has: kept up by the schema's triggers, never counted.

A message counts for one account: who starred it, else who owns it. What a statement of anybody's
changes is appended by it; `add_up` puts such changes together from time to time. A count is what
was added up and what was not yet, so it is exact in the snapshot in which it is asked for. What is
beyond an account's limit (see store.retention) is not among what it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from mailsacd.store.locks import ADDING_UP_IS_OURS
from mailsacd.store.retention import rows_of_account
from mailsacd.store.sql import Executor, many, none, one
from mailsacd.store.transaction import Transaction

ADDED_UP_AT_ONCE: Final = 10_000
"""Changes that one statement adds up at most."""

PUBLIC: Final = ""
EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class Counts:
    """What somebody has.

    ``held`` counts against the limit: what came to its own addresses and verified domains
    (``owned``, of which nobody has marked ``unread`` as read), and what it has starred anywhere
    (``starred``, of its own, too). ``bytes`` are of the raw messages that it holds, ``owned_bytes``
    of those that it owns.
    """

    held: int
    starred: int
    owned: int
    unread: int
    bytes: int
    owned_bytes: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A count that is ``kept``, and what is ``counted``. ``domain`` "" stands for all domains."""

    account: str
    domain: str
    kept: Counts
    counted: Counts


_NAMES: Final = tuple(field.name for field in fields(Counts))
COLUMNS: Final = ", ".join(_NAMES)
"""The columns of a count, as they are in the tables."""
_SUMS: Final = ", ".join(f"sum({name})::bigint as {name}" for name in _NAMES)


_ACCOUNT: Final = "%(account)s::text"
_OWN: Final = f"owner = {_ACCOUNT}"
_BYTES: Final = "message_bytes(message.bytes, facts)"


def _counted(sign: str, rows: str) -> str:
    """What is counted of ``rows``, which are looked at one by one."""
    return f"""select {sign}count(*), {sign}count(saved_by), {sign}count(*) filter (where {_OWN}),
        {sign}count(*) filter (where {_OWN} and read is not true), {sign}sum({_BYTES}),
        {sign}sum({_BYTES}) filter (where {_OWN})
    from ({rows}) message where true"""  # noqa: S608  parts of SQL, no input


_BEYOND: Final = _counted("-", rows_of_account(_ACCOUNT, beyond=True))
_WITHIN: Final = _counted("", rows_of_account(_ACCOUNT, beyond=False))
# While a limit that was lowered by very much leaves less than is to be removed
_FEW_LEFT: Final = f"""with few as materialized (
    select exists (select from standing({_ACCOUNT}) where held > 2 * most) as left_over
)"""  # noqa: S608  as above
_FEW: Final = "(select left_over from few)"


def _summed(*parts: str) -> str:
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint as {name}" for name in _NAMES)
    return f"select {sums} from ({' union all '.join(parts)}) counted"  # noqa: S608  as above


def _kept_now(kept: Sequence[str], of: str = "") -> str:
    """What is ``kept`` in counts but for what is beyond, or what is within: whichever is less.

    ``of`` is a further condition of the rows.
    """
    usual = [f"{part} and not {_FEW}" for part in (*kept, _BEYOND + of)]
    return f"{_FEW_LEFT} {_summed(*usual, f'{_WITHIN}{of} and {_FEW}')}"


def _kept(kept: str, changed: str) -> tuple[str, str]:
    return (
        f"select {COLUMNS} from mail_count where {kept}",  # noqa: S608  as above
        f"select {COLUMNS} from count_change where {changed}",  # noqa: S608  as above
    )


def _erased(which: str) -> str:
    return f"select {', '.join(f'-{name}' for name in _NAMES)} from erasure where {which}"  # noqa: S608  as above


_OF_DOMAIN: Final = (
    *_kept(
        f"account = {_ACCOUNT} and domain = %(domain)s",
        f"account = {_ACCOUNT} and domain = %(domain)s",
    ),
    _erased(f"account = {_ACCOUNT} and in_domain = %(domain)s"),
)
THERE_OF_DOMAIN: Final = _summed(*_OF_DOMAIN)
"""COLUMNS of an ``account``'s mail to a ``domain``, what is beyond its limit, too."""

_of_account = one(
    Counts,
    _kept_now(
        (
            *_kept(f"account = {_ACCOUNT} and domain = ''", f"account = {_ACCOUNT}"),
            _erased(f"account = {_ACCOUNT}"),
        )
    ),
)
_of_domain = one(Counts, _kept_now(_OF_DOMAIN, f" and domain = %(domain)s and {_OWN}"))
_public = one(
    Counts, _summed(*_kept(f"account = '{PUBLIC}' and domain = ''", f"account = '{PUBLIC}'"))
)
_everything = one(Counts, _summed(*_kept(f"account = '{EVERYTHING}' and domain = ''", "true")))

# Each account, each domain of it, and all together. In one order everywhere, so that nodes which
# write at the same time wait instead of deadlocking.
_SUMMED: Final = f"""select case when grouping(account) = 1 then '{EVERYTHING}' else account end
        as account, coalesce(domain, '') as domain, {_SUMS}
    from taken
    group by grouping sets ((), (account), (account, domain))
    having count(*) > 0 and (grouping(domain) = 1 or domain is not null)"""  # noqa: S608  as above
_add_up: one[int] = one(
    int,
    f"""with taken as (
            delete from count_change where ctid = any(array(
                select ctid from count_change
                where {ADDING_UP_IS_OURS}
                limit {ADDED_UP_AT_ONCE} for update skip locked))
            returning account, domain, {COLUMNS}
        ), written as (
            insert into mail_count (account, domain, {COLUMNS})
            select * from ({_SUMMED}) summed order by account, domain
            on conflict (account, domain) do update set
                {", ".join(f"{name} = mail_count.{name} + excluded.{name}" for name in _NAMES)}
        )
        select count(*) from taken""",  # noqa: S608  as above
)
_forget_nothing = none("delete from mail_count where held = 0")
_differences = many(
    lambda account, domain, *numbers: Difference(
        account, domain, Counts(*numbers[: len(_NAMES)]), Counts(*numbers[len(_NAMES) :])
    ),
    f"""select account, domain, {", ".join(f"coalesce(kept.{n}, 0)" for n in _NAMES)},
            {", ".join(f"coalesce(anew.{n}, 0)" for n in _NAMES)}
        from (
            select account, domain, {_SUMS} from (
                select account, domain, {COLUMNS} from mail_count
                union all (with taken as (select * from count_change) {_SUMMED})
            ) counted group by account, domain
        ) kept full join counted_anew() anew using (account, domain)
        where {" or ".join(f"coalesce(kept.{n}, 0) <> coalesce(anew.{n}, 0)" for n in _NAMES)}
        order by account, domain""",  # noqa: S608  as above
)


async def count_of(db: Executor, account: str) -> Counts:
    """Return what an account has now."""
    return await _of_account(db, account=account)


async def count_of_domain(db: Executor, account: str, domain: str) -> Counts:
    """Return what an account has now of the mail to a domain."""
    return await _of_domain(db, account=account, domain=domain)


async def public_total(db: Executor) -> Counts:
    """Return how much there is now that is nobody's. Only ``held`` and ``bytes`` say something."""
    return await _public(db)


async def total(db: Executor) -> Counts:
    """Return how much there is now in all: messages, a copy for each recipient, and their bytes."""
    return await _everything(db)


async def add_up(db: Executor) -> int:
    """Put together some of what changed, and return how many changes that were.

    Returns 0, too, while another node is at it.
    """
    return await _add_up(db)


async def forget_nothing(db: Executor) -> int:
    """Delete the counts that are nothing, and return how many those were."""
    return await _forget_nothing(db)


async def count_anew(transaction: Transaction) -> None:
    """Count all messages, and keep that. Others who change messages meanwhile wait."""
    await transaction.run(
        "lock table message in share row exclusive mode;"
        " delete from count_change; delete from mail_count;"
        " insert into mail_count select * from counted_anew()"
    )


async def differences(db: Executor) -> list[Difference]:
    """Return the counts that are not what they have to be. It reads all messages."""
    return await _differences(db)
