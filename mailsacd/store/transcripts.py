"""Statements on transcripts: of stored messages, and of what was refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mailsacd.store.sql import Executor, column, many, maybe, none, one
from mailsacd.store.transaction import Transaction
from mailsacd.store.views import KEPT, REACHABLE

MAX_OF_ACCOUNT: Final = 1_000
"""So many refused transactions are kept of an account, and so many of nobody."""


@dataclass(frozen=True, slots=True)
class StoredTranscript:
    """The ``transcript`` of a message in its stored form, None without one; and its ``facts``."""

    facts: str
    transcript: bytes | None


@dataclass(frozen=True, slots=True)
class RefusedTranscript:
    """The ``transcript``, in its stored form, of mail for ``inbox`` that was refused.

    ``account`` is whose the inbox is, empty for nobody's.
    """

    id: str
    inbox: str
    account: str
    received: datetime
    transcript: bytes


_ONE = f"from message where inbox = %(inbox)s and id = %(id)s and {REACHABLE} and {KEPT}"
_find = maybe(StoredTranscript, f"select facts, transcript {_ONE}")
_has: one[bool] = one(column, f"select exists (select {_ONE} and transcript is not null)")
_owned: many[str] = many(
    column,
    """select message.id
       from unnest(%(inboxes)s::text[], %(ids)s::text[]) as named (inbox, id)
       join message on message.inbox = named.inbox collate "C"
           and message.id = named.id collate "C"
       where message.owner = %(viewer)s::text or message.saved_by = %(viewer)s::text""",
)
_add = none(
    """insert into refused_transcript (id, inbox, account, received, transcript)
       select * from unnest(%(ids)s::text[], %(inboxes)s::text[], %(accounts)s::text[],
           %(times)s::timestamptz[], %(transcripts)s::bytea[])"""
)
_prune_inboxes = none(
    """delete from refused_transcript where id in (
           select id from (
               select id, row_number() over (partition by inbox, account order by id desc) as place
               from refused_transcript where inbox = any(%(inboxes)s::text[])
           ) ranked where place > %(most)s::int)"""
)
_prune_accounts = none(
    f"""delete from refused_transcript where id in (
            select id from (
                select id, row_number() over (partition by account order by id desc) as place
                from refused_transcript where account = any(%(accounts)s::text[])
            ) ranked where place > {MAX_OF_ACCOUNT})"""  # noqa: S608  no input in it
)
_forget_old = none(
    """delete from refused_transcript where id in (
           select id from refused_transcript
           where received < now() - %(days)s::int * interval '1 day' limit 1000)"""
)
_list = many(
    RefusedTranscript,
    """select id, inbox, account, received, transcript from refused_transcript
       where inbox = %(inbox)s and (account = %(account)s::text or %(account)s::text is null)
       order by id desc limit %(limit)s""",
)
_any_wanted: one[bool] = one(column, "select exists (select from address where transcript)")


async def find_transcript(
    db: Executor, inbox: str, message_id: str, viewer: str | None, *, is_open: bool
) -> StoredTranscript | None:
    """Return what is kept of a message, on the terms of `store.messages.find_message`."""
    return await _find(db, inbox=inbox, id=message_id, viewer=viewer, open=is_open)


async def has_transcript(
    db: Executor, inbox: str, message_id: str, viewer: str | None, *, is_open: bool
) -> bool:
    """Return whether a transcript is kept of a message, on the same terms."""
    return await _has(db, inbox=inbox, id=message_id, viewer=viewer, open=is_open)


async def owned_copies(db: Executor, viewer: str, copies: Sequence[tuple[str, str]]) -> set[str]:
    """Return the ids of those ``copies``, pairs of inbox and id, that are the account's."""
    if not copies:
        return set()
    inboxes, ids = zip(*copies, strict=True)
    return set(await _owned(db, viewer=viewer, inboxes=list(inboxes), ids=list(ids)))


async def add_refused(
    transaction: Transaction, refused: Sequence[RefusedTranscript], *, per_inbox: int
) -> None:
    """Store them; of each inbox the newest ``per_inbox`` stay, of an account MAX_OF_ACCOUNT."""
    await _add(
        transaction,
        ids=[each.id for each in refused],
        inboxes=[each.inbox for each in refused],
        accounts=[each.account for each in refused],
        times=[each.received for each in refused],
        transcripts=[each.transcript for each in refused],
    )
    inboxes, accounts = ({each.inbox for each in refused}, {each.account for each in refused})
    await _prune_inboxes(transaction, inboxes=sorted(inboxes), most=per_inbox)
    await _prune_accounts(transaction, accounts=sorted(accounts))


async def forget_old_refused(db: Executor, days: int) -> int:
    """Delete some of those that are older than so many days; how many that were."""
    return await _forget_old(db, days=days)


async def list_refused(
    db: Executor, inbox: str, account: str | None, limit: int
) -> list[RefusedTranscript]:
    """Return the newest of an inbox: those of ``account``, or all of them (None)."""
    return await _list(db, inbox=inbox, account=account, limit=limit)


async def any_wanted(db: Executor) -> bool:
    """Return whether there is an address whose owner wants transcripts."""
    return await _any_wanted(db)
