"""What the relay job writes down of what it claimed, and the mail behind it.

Times come from the node's clock, but never from one that is behind the database's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from mailsacd.core.relay import Claim, Ending, QueuedMessage
from mailsacd.store.compression import expand
from mailsacd.store.outgoing_queue import end_messages, lock_messages
from mailsacd.store.relay_claims import MAX_READIED, NOW, READY
from mailsacd.store.sql import Executor, many, maybe, none


def _queued_message(*columns: Any) -> QueuedMessage:
    named = dict(zip(QueuedMessage.__dataclass_fields__, columns, strict=True))
    body = named["content"]
    return QueuedMessage(**named | {"content": b"" if body is None else expand(body)})


_message = maybe(
    _queued_message,
    """select id, coalesce(account, ''), origin, reverse_path, message_id, created, body, ret,
           envid, smtputf8
       from outgoing_message where id = %(id)s""",
)
_KEYS: Final = (
    "unnest(%(messages)s::text[], %(places)s::integer[], %(attempts)s::integer[])"
    " as held (message_id, place, attempts)"
)
_IS_HELD: Final = """rcpt.message_id = held.message_id and rcpt.place = held.place
    and rcpt.state = 'queued' and rcpt.attempts = held.attempts and claimed_until is not null"""
_renew = many(
    lambda message_id, place: (message_id, place),
    f"""update outgoing_recipient rcpt
        set claimed_until = {NOW} + %(lease_s)s * interval '1 second'
        from {_KEYS} where {_IS_HELD} returning rcpt.message_id, rcpt.place""",  # noqa: S608  no input in it
)
_release = none(
    f"""update outgoing_recipient rcpt
        set claimed_until = null, attempts = rcpt.attempts - 1, ready = true
        from {_KEYS} where {_IS_HELD}"""  # noqa: S608  no input in it
)
# Of an account's other mail for a domain no host of which answers
_put_off = none(
    f"""update outgoing_recipient rcpt set ready = false, due = %(due)s
        from (select message_id, place from outgoing_recipient
              where {READY} and account = %(account)s and domain = %(domain)s
              order by message_id, place limit {MAX_READIED} for update skip locked) late
        where rcpt.message_id = late.message_id and rcpt.place = late.place"""  # noqa: S608  no input in it
)
# A delivery counts whoever has the claim by now; anything else is told by its holder alone.
_end = many(
    lambda message_id, place: (message_id, place),
    f"""update outgoing_recipient rcpt
        set state = ending.state, ready = false, claimed_until = null,
            due = coalesce(ending.due, rcpt.due), code = ending.code, status = ending.status,
            reply = ending.reply, host = ending.host, tried = {NOW},
            finished = case when ending.state <> 'queued' then {NOW} end,
            delay_told = delay_told or ending.tells_delay
        from unnest(%(messages)s::text[], %(places)s::integer[], %(attempts)s::integer[],
            %(states)s::text[], %(dues)s::timestamptz[], %(codes)s::integer[],
            %(statuses)s::text[], %(replies)s::text[], %(hosts)s::text[], %(delays)s::boolean[])
            as ending (message_id, place, attempts, state, due, code, status, reply, host,
                tells_delay)
        where rcpt.message_id = ending.message_id and rcpt.place = ending.place
            and case when ending.state = 'delivered' then rcpt.state in ('queued', 'held')
                else rcpt.state = 'queued' and rcpt.attempts = ending.attempts
                    and claimed_until is not null end
        returning rcpt.message_id, rcpt.place""",  # noqa: S608  no input in it
)


async def find_queued(db: Executor, outgoing_id: str) -> QueuedMessage | None:
    """Return a message, or None when it is gone.

    Its content is empty once no recipient is open any more.
    """
    return await _message(db, id=outgoing_id)


async def renew_claims(
    db: Executor, claims: Sequence[Claim], now: datetime, *, lease_s: int
) -> set[tuple[str, int]]:
    """Hold ``claims`` for another ``lease_s`` seconds.

    Returns the keys of those that are still held; another node has the rest, or it is over.
    """
    return set(await _renew(db, now=now, lease_s=lease_s, **_keys(claims)))


async def release_claims(db: Executor, claims: Sequence[Claim]) -> None:
    """Give ``claims`` back as if they had not been made."""
    await _release(db, **_keys(claims))


async def put_off(db: Executor, account: str, domain: str, due: datetime) -> int:
    """Have an account's mail for a domain that is ready wait until ``due``.

    Returns how many recipients that were; there may be more.
    """
    return await _put_off(db, account=account, domain=domain, due=due)


async def record_endings(
    db: Executor, endings: Sequence[Ending], now: datetime
) -> set[tuple[str, int]]:
    """Write down what became of claims, within a transaction.

    Returns the keys of those that were still held, so that it counts.
    """
    await lock_messages(db, [ending.claim.message_id for ending in endings])
    ended = await _end(
        db,
        now=now,
        states=[ending.state for ending in endings],
        dues=[ending.due for ending in endings],
        codes=[ending.code for ending in endings],
        statuses=[ending.status for ending in endings],
        replies=[ending.reply for ending in endings],
        hosts=[ending.host for ending in endings],
        delays=[ending.tells_delay for ending in endings],
        **_keys([ending.claim for ending in endings]),
    )
    await end_messages(db, [e.claim.message_id for e in endings if e.state != "queued"], now)
    return set(ended)


def _keys(claims: Sequence[Claim]) -> dict[str, object]:
    return {
        "messages": [claim.message_id for claim in claims],
        "places": [claim.place for claim in claims],
        "attempts": [claim.attempts for claim in claims],
    }
