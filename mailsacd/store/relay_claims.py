"""What the relay job claims: lines of an account's mail for a domain.

What may be sent is ``ready``. What waits for its time, and what somebody claimed, is not: it
becomes ready when its time has come, or the lease is over. Times come from the node's clock, but
never from one that is behind the database's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mailsacd.core.outgoing import OutgoingRecipient
from mailsacd.core.relay import Claim, Rooms
from mailsacd.store.sql import Executor, column, many, none, one

MAX_ROWS: Final = 100
"""Of so many recipients may one line consist: the most that a host must take with a message."""

MAX_READIED: Final = 1_000
"""So many recipients at a time are made ready, or put off."""

READY: Final = "ready and state = 'queued'"
NOW: Final = "greatest(now(), %(now)s::timestamptz)"

_MAX_ACCOUNTS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A claim, and where the search for the next ones goes on: ``sender`` and ``step`` count the
    accounts, and the domains of each, in the order in which their turns came."""

    sender: int
    step: int
    claim: Claim


def _taken(sender: int, step: int, *columns: Any) -> Taken:
    account, domain, message_id, place, attempts, size, address, notify, orcpt, *rest = columns
    claim = Claim(
        account=account,
        domain=domain,
        message_id=message_id,
        place=place,
        attempts=attempts,
        size=size,
        recipient=OutgoingRecipient(address=address, notify=notify, orcpt=orcpt),
        is_delay_told=rest[0],
        suppressed=rest[1],
    )
    return Taken(sender=sender, step=step, claim=claim)


_ready_due = none(
    f"""update outgoing_recipient set ready = true, claimed_until = null
        from (select message_id, place from outgoing_recipient
              where state = 'queued' and not ready and coalesce(claimed_until, due) <= {NOW}
              order by coalesce(claimed_until, due) limit {MAX_READIED}
              for update skip locked) late
        where outgoing_recipient.message_id = late.message_id
            and outgoing_recipient.place = late.place"""  # noqa: S608  no input in it
)
_is_any_ready: one[bool] = one(
    column,
    f"select exists (select from outgoing_recipient where {READY})",  # noqa: S608  no input in it
)
# From account to account, and within each from domain to domain, by the index: each search goes on
# where the last one ended, and around. So whoever has a long line costs the others nothing, and a
# search is as long as what it may take on, however much waits.
_take = many(
    _taken,
    f"""with recursive onward (account, nth) as (
            (select account, 1 from outgoing_recipient
             where {READY} and account > %(after)s order by account limit 1)
            union all
            select next.account, nth + 1 from onward cross join lateral (
                select account from outgoing_recipient
                where {READY} and account > onward.account order by account limit 1
            ) next
            where nth < {_MAX_ACCOUNTS}
        ), around (account, nth) as (
            (select account, {_MAX_ACCOUNTS} + 1 from outgoing_recipient
             where {READY} order by account limit 1)
            union all
            select next.account, nth + 1 from around cross join lateral (
                select account from outgoing_recipient
                where {READY} and account > around.account order by account limit 1
            ) next
            where nth < 2 * {_MAX_ACCOUNTS} and around.account < %(after)s
        ), sender as (
            select * from onward union all select * from around where account <= %(after)s
        ), line as (
            select sender.account, nth, found.domain, step,
                row_number() over (partition by sender.account order by step) as turn
            from sender
            left join unnest(%(accounts)s::text[], %(afters)s::text[], %(account_rooms)s::integer[])
                as known (account, after, room) on known.account = sender.account
            cross join lateral (
                with recursive onward (domain, step) as (
                    (select domain, 1 from outgoing_recipient
                     where {READY} and account = sender.account
                         and domain > coalesce(known.after, '') order by domain limit 1)
                    union all
                    select next.domain, step + 1 from onward cross join lateral (
                        select domain from outgoing_recipient
                        where {READY} and account = sender.account and domain > onward.domain
                        order by domain limit 1
                    ) next
                ), around (domain, step) as (
                    (select domain, 1000000000 from outgoing_recipient
                     where {READY} and account = sender.account
                         and domain <= coalesce(known.after, '') order by domain limit 1)
                    union all
                    select next.domain, step + 1 from around cross join lateral (
                        select domain from outgoing_recipient
                        where {READY} and account = sender.account and domain > around.domain
                            and domain <= known.after
                        order by domain limit 1
                    ) next
                )
                select * from (select * from onward union all select * from around) walked
                where domain <> all (%(full)s::text[])
                limit coalesce(known.room, %(account_room)s)
            ) found
        ), ranked as (
            select line.*, coalesce(known.room, %(domain_room)s::integer) as room,
                row_number() over (partition by line.domain order by turn, nth) as of_domain
            from line
            left join unnest(%(domains)s::text[], %(domain_rooms)s::integer[])
                as known (domain, room) on known.domain = line.domain
        ), chosen as (
            select account, domain, nth, step from ranked where of_domain <= room
            order by turn, nth limit %(limit)s
        ), locked as (
            select chosen.nth, chosen.step, found.message_id, found.place,
                dense_rank() over (
                    partition by chosen.account, chosen.domain order by found.message_id) as turn
            from chosen cross join lateral (
                select message_id, place from outgoing_recipient
                where {READY} and account = chosen.account and domain = chosen.domain
                order by message_id, place limit {MAX_ROWS} for update skip locked
            ) found
        )
        update outgoing_recipient rcpt set ready = false, attempts = attempts + 1,
            claimed_until = {NOW} + %(lease_s)s * interval '1 second'
        from locked
        where turn <= %(messages)s and rcpt.message_id = locked.message_id
            and rcpt.place = locked.place
        returning nth, step, account, domain, rcpt.message_id, rcpt.place, attempts,
            (select size from outgoing_message where id = rcpt.message_id), address,
            notify, orcpt, delay_told, (
                select reason from suppression
                where suppression.address = lower(rcpt.address)
                    and suppression.account in ('', rcpt.account) and expires > {NOW}
                order by suppression.account limit 1)""",  # noqa: S608  no input in it
)


async def ready_due(db: Executor, now: datetime) -> int:
    """Make ready what is due, and what somebody claimed whose lease is over.

    Returns how many recipients that were, of which there may be more.
    """
    return await _ready_due(db, now=now)


async def is_any_ready(db: Executor) -> bool:
    """Return whether anything may be claimed."""
    return await _is_any_ready(db)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Where the last search ended: at an account, and for accounts at a domain of theirs."""

    account: str
    domains: Mapping[str, str]


async def claim_lines(
    db: Executor, now: datetime, rooms: Rooms, turns: Turns, *, lease_s: int, messages: int
) -> list[Taken]:
    """Take on recipients that are ready, in lines of an account and a domain.

    A line has ``messages`` at most, and MAX_ROWS recipients. Nobody else gets them within
    ``lease_s`` seconds.
    """
    known = {*rooms.of_accounts, *turns.domains}
    return await _take(
        db,
        now=now,
        lease_s=lease_s,
        messages=messages,
        limit=rooms.all,
        after=turns.account,
        accounts=list(known),
        afters=[turns.domains.get(account, "") for account in known],
        account_rooms=[rooms.of_accounts.get(account, rooms.each_account) for account in known],
        account_room=rooms.each_account,
        domains=list(rooms.of_domains),
        domain_rooms=list(rooms.of_domains.values()),
        domain_room=rooms.each_domain,
        full=[domain for domain, room in rooms.of_domains.items() if room <= 0],
    )
