"""Statements that delete an account with all that it owned, bit by bit."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Final

from mailsacd.store.erasures import erase_account, forget_erasures
from mailsacd.store.messages import delete_messages
from mailsacd.store.outgoing_queue import forget_account, hold_account
from mailsacd.store.sql import Executor, column, many, maybe, none, one

BATCH: Final = 500

_MOST_PAUSES: Final = 1_500

_mark = none("update account set removing = true, updated = now() where name = %(account)s")
_end_logins = none("delete from login where account = %(account)s")  # sessions go along
_end_keys = none("delete from api_key where account = %(account)s")
_release_addresses = none("delete from address where owner = %(account)s")
_release_domains = none("delete from domain where owner = %(account)s")
_leave_starred = none(
    """update message set owner = null, private = false
       where owner = %(account)s and saved_by <> %(account)s"""
)
_leave_owned = none(
    "update message set saved_by = null where saved_by = %(account)s and owner <> %(account)s"
)
_some = many(
    lambda inbox, message_id: (inbox, message_id),
    f"""(select inbox, id from message where owner = %(account)s limit {BATCH})
        union
        (select inbox, id from message where saved_by = %(account)s limit {BATCH})""",  # noqa: S608  no input in it
)
_forget_activity = none(
    f"""delete from activity where id in (
           select id from activity where account = %(account)s limit {BATCH})"""  # noqa: S608  no input in it
)
_forget_audit = none(
    f"""delete from audit where id in (
           select id from audit where account = %(account)s limit {BATCH})"""  # noqa: S608  no input in it
)
_forget_deliveries = none(
    f"""delete from delivery where id in (
           select id from delivery where account = %(account)s limit {BATCH})"""  # noqa: S608  no input in it
)
_forget_refused = none(
    f"""delete from refused_transcript where id in (
           select id from refused_transcript where account = %(account)s limit {BATCH})"""  # noqa: S608  no input in it
)
_forget_suppressions = none("delete from suppression where account = %(account)s")
_forget_inbound = none("delete from inbound where account = %(account)s")
_delete = none("delete from account where name = %(account)s")
_now: one[datetime] = one(column, "select clock_timestamp()")
# One row, after a pause, while something that began before a time may still write
_pause = maybe(
    lambda _: True,
    """select pg_sleep(0.02) where exists (
           select from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()
               and application_name = current_setting('application_name')
               and xact_start <= %(before)s::timestamptz)""",
)
_claim: maybe[str] = maybe(
    column,
    """update account set removal_claimed = now() + %(lease_s)s::int * interval '1 s'
       where name = (select name from account
                     where removing and (removal_claimed is null or removal_claimed <= now())
                     order by name limit 1 for update skip locked)
       returning name""",
)
_release = none("update account set removal_claimed = null where name = %(account)s")


async def begin_removal(db: Executor, account: str) -> bool:
    """End all that the account can do and owns, but for its mail, within a transaction.

    Returns False when there is no such account.
    """
    if not await _mark(db, account=account):
        return False
    for statement in (_end_logins, _end_keys, _release_addresses, _release_domains):
        await statement(db, account=account)
    await hold_account(db, account)
    await erase_account(db, account)
    return True


async def finish_removal(db: Executor, account: str, most_steps: int | None = None) -> bool:
    """Delete the messages that were its own or starred by it, then its row. May be repeated.

    What others have starred of its mail stays theirs, and what it starred of others' stays too.
    When it returns True nothing is left that the next account of that name could find. It is
    False after ``most_steps`` (None: any number): the rest is for another time.
    """
    steps = count(1)

    def is_enough() -> bool:
        return most_steps is not None and next(steps) >= most_steps

    if not await _settle(db, is_enough):
        return False
    await _leave_starred(db, account=account)
    await _leave_owned(db, account=account)
    for forget in (
        _delete_messages,
        forget_account,
        _forget_deliveries,
        _forget_activity,
        _forget_audit,
        _forget_refused,
    ):
        while await forget(db, account=account):
            if is_enough():
                return False
    await _forget_suppressions(db, account=account)
    await _forget_inbound(db, account=account)
    await forget_erasures(db, account)
    await _delete(db, account=account)
    return True


async def _settle(db: Executor, is_enough: Callable[[], bool]) -> bool:
    """Wait until all have ended who began when the account could still own something.

    Whoever begins later sees that it is being removed. For as long as it is, nobody gets its name.
    """
    began = await _now(db)
    for _ in range(_MOST_PAUSES):
        if await _pause(db, before=began) is None:
            return True
        if is_enough():
            return False
    return True


async def claim_removal(db: Executor, lease_s: int) -> str | None:
    """Return an account whose removal was begun and is not finished, or None.

    No other node gets it within ``lease_s`` seconds, unless `release_removal` says so.
    """
    return await _claim(db, lease_s=lease_s)


async def release_removal(db: Executor, account: str) -> None:
    """Leave the rest of a removal to whoever claims it next."""
    await _release(db, account=account)


async def _delete_messages(db: Executor, *, account: str) -> int:
    """Delete some of the account's messages, and return how many that were."""
    some = await _some(db, account=account)
    inboxes: defaultdict[str, list[str]] = defaultdict(list)
    for inbox, message_id in some:
        inboxes[inbox].append(message_id)
    for inbox, ids in inboxes.items():
        await delete_messages(db, inbox, ids)
    return len(some)
