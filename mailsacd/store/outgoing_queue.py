"""Statements that look at messages on their way out, and change what is to become of them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from mailsacd.core.outgoing import Outgoing, RecipientStanding
from mailsacd.store.sql import Executor, column, many, maybe, none

BATCH: Final = 500
"""So many recipients are changed in one step where there may be any number."""

Change = Literal["cancel", "retry", "hold", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Recipients of one message, or those that an account sends to, or at a domain; None: any."""

    outgoing_id: str | None = None
    account: str | None = None
    domain: str | None = None


def _message(*columns: Any) -> Outgoing:
    names = [name for name in Outgoing.__dataclass_fields__ if name != "recipients"]
    return Outgoing(**dict(zip(names, columns, strict=True)), recipients=())


def _standing(outgoing_id: str, *columns: Any) -> tuple[str, RecipientStanding]:
    fields = dict(zip(RecipientStanding.__dataclass_fields__, columns, strict=True))
    return outgoing_id, RecipientStanding(**fields)


_SHOWN: Final = """id, account, origin, reverse_path, header_from, subject, message_id, size,
    created, ended"""
_list_own = many(
    _message,
    f"""select {_SHOWN} from outgoing_message where account = %(account)s
        order by id desc limit %(limit)s offset %(skip)s""",  # noqa: S608  no input in it
)
_list_open = many(
    _message,
    f"""select {_SHOWN} from outgoing_message message
        where (ended is null or %(ended)s)
            and (%(account)s::text is null or account = %(account)s::text)
            and (%(domain)s::text is null or exists (
                select from outgoing_recipient recipient
                where recipient.message_id = message.id and domain = %(domain)s::text))
        order by id limit %(limit)s offset %(skip)s""",  # noqa: S608  as above
)
_OWN: Final = "(%(account)s::text is null or account = %(account)s::text)"
_find = maybe(
    _message,
    f"select {_SHOWN} from outgoing_message where id = %(id)s and {_OWN}",  # noqa: S608  as above
)
_lock = maybe(
    bool,
    f"""select body is not null from outgoing_message
        where id = %(id)s and {_OWN} for update""",  # noqa: S608  as above
)
_recipients = many(
    _standing,
    """select message_id, place, address, state, claimed_until > now(), attempts,
           case when state = 'queued' and claimed_until is null then due end,
           code, status, reply, host, tried, finished
       from outgoing_recipient where message_id = any(%(ids)s::text[])
       order by message_id, place""",
)

# Whoever is at it is not disturbed. A retry begins the schedule anew.
_CHANGES: Final[dict[Change, tuple[str, str]]] = {
    "cancel": (
        "state in ('queued', 'held')",
        "state = 'cancelled', ready = false, finished = now()",
    ),
    "retry": (
        "(state = 'queued' and not ready or state in ('failed', 'cancelled'))",
        "state = 'queued', ready = true, due = now(), attempts = 0, finished = null",
    ),
    "hold": ("state = 'queued'", "state = 'held', ready = false"),
    "release": ("state = 'held'", "state = 'queued', ready = true, due = now()"),
}
_FREE: Final = "claimed_until is null"
_one_message = {
    change: none(
        f"""update outgoing_recipient set {setting}
            where message_id = %(id)s and {_FREE} and {which}
                and (%(place)s::integer is null or place = %(place)s::integer)"""  # noqa: S608  as above
    )
    for change, (which, setting) in _CHANGES.items()
}
_many_messages: dict[Change, many[str]] = {
    change: many(
        column,
        f"""update outgoing_recipient changed set {setting}
            from (select message_id, place from outgoing_recipient
                  where {_FREE} and {which} and state in ('queued', 'held') and {_OWN}
                      and (%(domain)s::text is null or domain = %(domain)s::text)
                  limit {BATCH} for update skip locked) found
            where changed.message_id = found.message_id and changed.place = found.place
            returning changed.message_id""",  # noqa: S608  as above
    )
    for change, (which, setting) in _CHANGES.items()
}
_hold_all = none(
    """update outgoing_recipient set state = 'held', ready = false, claimed_until = null
       where state = 'queued'"""
)
# What is being sent, too: whoever is at it has no claim any more, and no more attempts come of it
_hold_account = none(
    """update outgoing_recipient recipient
       set state = 'held', ready = false, claimed_until = null
       from outgoing_message message
       where message.account = %(account)s and ended is null
           and recipient.message_id = message.id and state = 'queued'"""
)
# Two that end the last two recipients of a message must see each other
_lock_several: many[str] = many(
    column,
    """select id from outgoing_message where id = any(%(ids)s::text[])
       order by id for no key update""",
)
_end = none(
    """update outgoing_message set body = null, ended = greatest(now(), %(now)s::timestamptz)
       where id = any(%(ids)s::text[]) and ended is null and not exists (
           select from outgoing_recipient
           where message_id = id and state in ('queued', 'held'))"""
)
_forget = none(
    f"""delete from outgoing_message where id in (
            select id from outgoing_message where ended < %(before)s::timestamptz
            limit {BATCH})"""  # noqa: S608  as above
)
_forget_account = none(
    f"""delete from outgoing_message where id in (
            select id from outgoing_message where account = %(account)s limit {BATCH})"""  # noqa: S608  as above
)


async def list_outgoing(db: Executor, account: str, *, limit: int, skip: int) -> list[Outgoing]:
    """Return what an account has sent, the newest first."""
    found = await _list_own(db, account=account, limit=limit, skip=skip)
    return await _with_recipients(db, found)


async def list_queue(
    db: Executor, which: Selection, *, ended: bool, limit: int, skip: int = 0
) -> list[Outgoing]:
    """Return messages with an open recipient, or all that are kept, the oldest first."""
    found = await _list_open(
        db, account=which.account, domain=which.domain, ended=ended, limit=limit, skip=skip
    )
    return await _with_recipients(db, found)


async def find_outgoing(db: Executor, outgoing_id: str, account: str | None) -> Outgoing | None:
    """Return a message of ``account``'s, None: of anybody's; or None."""
    found = await _find(db, id=outgoing_id, account=account)
    return None if found is None else (await _with_recipients(db, [found]))[0]


async def lock_outgoing(db: Executor, outgoing_id: str, account: str | None) -> bool | None:
    """Lock a message of ``account``'s, None: of anybody's, until the transaction ends.

    Returns whether its content is still there, and None when there is no such message.
    """
    return await _lock(db, id=outgoing_id, account=account)


async def change_recipients(
    db: Executor, change: Change, outgoing_id: str, place: int | None
) -> int:
    """Change the recipient at ``place``, None: each, of a message that is locked.

    Returns how many were changed: none that is being sent to, or is no longer to be.
    """
    return await _one_message[change](db, id=outgoing_id, place=place)


async def change_some(db: Executor, change: Change, which: Selection) -> list[str]:
    """Change some of the open recipients that are selected by account and domain.

    Returns the ids of their messages, one for each; none when there is nothing more to change.
    """
    return await _many_messages[change](db, account=which.account, domain=which.domain)


async def hold_account(db: Executor, account: str) -> int:
    """Hold whatever of an account's waits or is being sent. Returns how many recipients."""
    return await _hold_account(db, account=account)


async def hold_all(db: Executor) -> int:
    """Hold whatever waits or is being sent, of a queue that nobody works at. Returns how many."""
    return await _hold_all(db)


async def lock_messages(db: Executor, ids: Collection[str]) -> None:
    """Lock messages until the transaction ends, as `end_messages` wants them."""
    await _lock_several(db, ids=sorted(set(ids)))


async def end_messages(db: Executor, ids: Collection[str], now: datetime | None = None) -> None:
    """Give up the content of those messages that have no open recipient any more.

    The transaction has locked them, so that none is overlooked of which another one ends a
    recipient. ``now`` is the node's clock; the database's counts where it is ahead of that.
    """
    if ids:
        await _end(db, ids=sorted(set(ids)), now=now)


async def forget_ended(db: Executor, before: datetime) -> int:
    """Delete some of the messages that ended before ``before``. Returns how many."""
    return await _forget(db, before=before)


async def forget_account(db: Executor, *, account: str) -> int:
    """Delete some of what an account has sent. Returns how many messages."""
    return await _forget_account(db, account=account)


async def _with_recipients(db: Executor, found: list[Outgoing]) -> list[Outgoing]:
    if not found:
        return found
    standings: defaultdict[str, list[RecipientStanding]] = defaultdict(list)
    for outgoing_id, standing in await _recipients(db, ids=[one.id for one in found]):
        standings[outgoing_id].append(standing)
    return [replace(one, recipients=tuple(standings[one.id])) for one in found]
