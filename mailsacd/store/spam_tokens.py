"""Statements on what the classifier has learned: in how many messages tokens came."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from mailsacd.store.notices import SPAM, give_notice
from mailsacd.store.sql import Executor, many, maybe, none, one

MESSAGES: Final = -1
"""The bucket that counts the messages themselves."""


@dataclass(frozen=True, slots=True)
class Seen:
    """In how many messages something came that were spam, and that were not."""

    spam: int
    ham: int


def _at_least_0(spam: int, ham: int) -> Seen:
    return Seen(max(spam, 0), max(ham, 0))


# In one order everywhere: who learns at the same time waits, without deadlock. What is taken back
# may go below 0, where all was forgotten before; readers take that for 0.
_NEW: Final = """(select * from unnest(%(buckets)s::integer[], %(spam)s::integer[],
        %(ham)s::integer[]) as given (bucket, spam, ham) order by bucket) as given"""
_ADD: Final = "do update set spam = seen.spam + excluded.spam, ham = seen.ham + excluded.ham"
_learn_shared = none(
    f"""insert into spam_token as seen (bucket, spam, ham) select bucket, spam, ham from {_NEW}
        on conflict (bucket) {_ADD}"""  # noqa: S608  parts of SQL, no input
)
_learn_own = none(
    f"""insert into account_spam_token as seen (account, bucket, spam, ham)
        select %(account)s, bucket, spam, ham from {_NEW}
        on conflict (account, bucket) {_ADD}"""  # noqa: S608  as above
)
_Row = tuple[bool, int, Seen]
_seen: many[_Row] = many(
    lambda own, bucket, spam, ham: (own, bucket, _at_least_0(spam, ham)),
    """select false, bucket, spam, ham from spam_token where bucket = any(%(buckets)s::integer[])
       union all
       select true, bucket, spam, ham from account_spam_token
       where account = %(account)s::text and bucket = any(%(buckets)s::integer[])""",
)
_learned: one[tuple[bool, bool]] = one(
    lambda shared, own: (shared, own),
    "select exists (select from spam_token), exists (select from account_spam_token)",
)
_messages: maybe[Seen] = maybe(_at_least_0, "select spam, ham from spam_token where bucket = -1")
_own_messages: maybe[Seen] = maybe(
    _at_least_0,
    "select spam, ham from account_spam_token where account = %(account)s and bucket = -1",
)
_forget_shared = none("delete from spam_token")
_forget_own = none("delete from account_spam_token where account = %(account)s")
_mark: maybe[tuple[bool | None]] = maybe(
    lambda before: (before,),
    """with before as (
           select inbox, id, learned from message
           where inbox = %(inbox)s and id = %(id)s
               and (owner = %(account)s or saved_by = %(account)s)
               and learned is distinct from %(is_spam)s::boolean
               and folder = any(%(folders)s::text[])
           for no key update
       )
       update message set learned = %(is_spam)s::boolean from before
       where message.inbox = before.inbox and message.id = before.id
       returning before.learned""",
)


async def add_tokens(db: Executor, account: str | None, tokens: Mapping[int, Seen]) -> None:
    """Add to what is known of ``tokens``, by their buckets; None: to what holds for all accounts.

    Numbers below 0 take back. Nodes are told, in the transaction if it is one.
    """
    params = {
        "buckets": list(tokens),
        "spam": [each.spam for each in tokens.values()],
        "ham": [each.ham for each in tokens.values()],
    }
    if account is None:
        await _learn_shared(db, **params)
    else:
        await _learn_own(db, account=account, **params)
    await give_notice(db, SPAM, "")


async def find_tokens(
    db: Executor, account: str | None, buckets: Collection[int]
) -> tuple[dict[int, Seen], dict[int, Seen]]:
    """Return what is known of tokens by what holds for all, and by what ``account`` has moved."""
    found: tuple[dict[int, Seen], dict[int, Seen]] = ({}, {})
    for own, bucket, seen in await _seen(db, account=account, buckets=list(buckets)):
        found[own][bucket] = seen
    return found


async def what_is_learned(db: Executor) -> tuple[bool, bool]:
    """Return whether anything is learned that holds for all, and by any account."""
    return await _learned(db)


async def count_learned(db: Executor, account: str | None) -> Seen:
    """Return how many messages were learned for all, or for ``account``."""
    if account is None:
        found = await _messages(db)
    else:
        found = await _own_messages(db, account=account)
    return found or Seen(0, 0)


async def forget_tokens(db: Executor, account: str | None) -> None:
    """Forget what holds for all, or what ``account`` has moved."""
    if account is None:
        await _forget_shared(db)
    else:
        await _forget_own(db, account=account)
    await give_notice(db, SPAM, "")


async def mark_learned(
    db: Executor,
    inbox: str,
    message_id: str,
    account: str,
    *,
    is_spam: bool,
    folders: Collection[str],
) -> tuple[bool | None] | None:
    """Note how a message of ``account`` is learned; return how it was before (None: not).

    Returns None when there is no such message, it is learned so already, or it is in none of
    ``folders``, as it was moved once more.
    """
    return await _mark(
        db, inbox=inbox, id=message_id, account=account, is_spam=is_spam, folders=list(folders)
    )
