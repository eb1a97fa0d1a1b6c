"""Statements by which very much mail is gone at once, and removed bit by bit after that.

An erasure says which messages they are: from its commit on nobody sees them, wherever he looks
(store.views has the condition), and they count for nobody. What is stored later is not among them,
whatever its id is: an erasure knows the snapshot that it was made in.
"""

from dataclasses import dataclass
from typing import Final

from mailsacd.store.commit_order import CURRENT
from mailsacd.store.counts import COLUMNS, THERE_OF_DOMAIN
from mailsacd.store.deletion import Deletion, wait_for_no_disk
from mailsacd.store.inbox import OWNED
from mailsacd.store.locks import Job, take_turn
from mailsacd.store.sql import Executor, column, maybe, none, one
from mailsacd.store.transaction import Transaction
from mailsacd.store.views import ABOVE_ALL_IDS, VISIBLE

BATCH: Final = 500
"""How many messages are removed at a time."""

_NO_LIMIT: Final = 2**53

_INTO: Final = f"""insert into erasure (account, in_domain, in_inbox, first_id, last_id,
    takes_starred, takes_private, seen, {COLUMNS})"""
_domain = none(
    f"""{_INTO}
        select %(viewer)s::text, %(domain)s::text, null, '', newest.id, true, true,
            {CURRENT}, counted.*
        from (select id from message where domain = %(domain)s and {OWNED}
              order by id desc limit 1) newest, ({THERE_OF_DOMAIN}) counted"""  # noqa: S608  parts of SQL, no input
)


_BYTES: Final = "coalesce(sum(message_bytes(bytes, facts)), 0)::bigint"
# COLUMNS of rows that are all of one owner
_COUNTED: Final = f"""count(*), count(saved_by), count(*), count(*) filter (where read is not true),
    {_BYTES}, {_BYTES}"""


def _inbox(condition: str, *, takes_starred: bool) -> none:
    """All of an inbox that meets ``condition`` (SQL), or the newest ``limit``, below ``before``.

    There is an erasure for each owner of such messages: of others what everybody sees is taken.
    """
    return none(
        f"""{_INTO}
            select coalesce(owner, ''), min(domain), %(inbox)s::text, min(id), max(id),
                {takes_starred}, owner is not distinct from %(viewer)s::text,
                {CURRENT}, {_COUNTED}
            from (
                select * from message
                where inbox = %(inbox)s and id < %(before)s and {condition}
                order by id desc limit %(limit)s::bigint
            ) message
            group by owner"""  # noqa: S608  as above
    )


_unstarred_of_inbox = _inbox(f"saved_by is null and {VISIBLE}", takes_starred=False)
_all_of_inbox = _inbox(OWNED, takes_starred=True)
_account = none(
    f"""insert into erasure (account, first_id, last_id, takes_starred, takes_private)
        values (%(account)s, '', '{ABOVE_ALL_IDS}', true, true)"""  # noqa: S608  as above
)
_forget_account = none("delete from erasure where account = %(account)s")


@dataclass(frozen=True, slots=True)
class _Erasure:
    id: str
    domain: str
    inbox: str | None
    first_id: str
    last_id: str


# One after the other, for one may name what another one names. Those of accounts that are removed
# are seen to by that.
_oldest = maybe(
    _Erasure,
    """select id::text, in_domain, in_inbox, first_id, last_id from erasure
       where in_domain is not null order by begun, id limit 1""",
)
_any: one[bool] = one(column, "select exists (select from erasure where in_domain is not null)")


def _removal(place: str) -> Deletion[tuple[str | None, tuple[int, ...]]]:
    """Remove the first rows of an erasure; ``place`` (SQL) has an index find them."""
    return Deletion(
        lambda last, *counts: (last, counts),
        f"""where (inbox, id) in (
                select inbox, id from message
                where {place} and id between %(first)s::text and %(last)s::text
                    and is_erased(owner, saved_by, private, inbox, domain, id, xid,
                                  %(erasure)s::text::uuid)
                order by id limit {BATCH})""",  # noqa: S608  as above
        f"max(id), {_COUNTED}",
        "id, saved_by, read, bytes, facts",
    )


_remove_of_domain = _removal("domain = %(domain)s and owner is not null")
_remove_of_inbox = _removal("inbox = %(inbox)s")
_NAMES: Final = tuple(COLUMNS.split(", "))
_go_on = none(
    f"""update erasure set first_id = %(last)s,
            {", ".join(f"{name} = {name} - %({name})s::bigint" for name in _NAMES)}
        where id = %(erasure)s::text::uuid"""  # noqa: S608  as above
)
_end = none("delete from erasure where id = %(erasure)s::text::uuid")


async def erase_domain(db: Executor, domain: str, account: str) -> None:
    """Have all be gone that the account owns of a domain's mail, starred messages, too."""
    await _domain(db, domain=domain, account=account, viewer=account)


async def erase_unstarred(
    db: Executor, inbox: str, account: str, before_id: str | None, limit: int | None
) -> None:
    """Have those messages be gone that `store.inbox.purge_inbox` would delete: all of them."""
    await _unstarred_of_inbox(
        db,
        inbox=inbox,
        viewer=account,
        before=before_id or ABOVE_ALL_IDS,
        limit=_NO_LIMIT if limit is None else limit,
    )


async def erase_owned(db: Executor, inbox: str, account: str) -> None:
    """Have all be gone that the account owns in an inbox, starred messages, too."""
    await _all_of_inbox(db, inbox=inbox, viewer=account, before=ABOVE_ALL_IDS, limit=_NO_LIMIT)


async def erase_account(db: Executor, account: str) -> None:
    """Have all be gone that the account owns, now and later, until `forget_erasures`."""
    await _account(db, account=account)


async def forget_erasures(db: Executor, account: str) -> None:
    """Forget what of an account was to be removed: it is."""
    await _forget_account(db, account=account)


async def anything_erased(db: Executor) -> bool:
    """Return whether there is anything for `remove_erased` to do."""
    return await _any(db)


async def remove_erased(transaction: Transaction) -> bool:
    """Remove the rows of some messages that are gone, BATCH at most.

    Returns whether there may be more of them; not while another node is at it. That the
    transaction is committed is not waited for: what a crash undoes is done again.
    """
    if not await take_turn(transaction, Job.ERASING):
        return False
    erasure = await _oldest(transaction)
    if erasure is None:
        return False
    await wait_for_no_disk(transaction)
    remove = _remove_of_domain if erasure.inbox is None else _remove_of_inbox
    last, counts = await remove(
        transaction,
        erasure=erasure.id,
        domain=erasure.domain,
        inbox=erasure.inbox,
        first=erasure.first_id,
        last=erasure.last_id,
    )
    if last is None:
        await _end(transaction, erasure=erasure.id)
    else:
        removed = dict(zip(_NAMES, counts, strict=True))
        await _go_on(transaction, erasure=erasure.id, last=last, **removed)
    return True
