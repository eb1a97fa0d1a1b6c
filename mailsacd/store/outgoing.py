"""Statements on messages on their way out, as their senders see them."""

from typing import Final

from mailsacd.core.outgoing import NewOutgoing
from mailsacd.store.profile import SEND
from mailsacd.store.sql import Executor, column, none, one

# One row of usage for a month: whoever sends at the same time, on whatever node, waits for it.
_MONTH: Final = "date_trunc('month', now() at time zone 'utc')::date"
_charge = none(
    f"""insert into usage as used (account, month, kind, key, count)
       select name, {_MONTH}, '{SEND}', '', %(n)s::bigint from account
       where name = %(account)s and %(n)s::bigint <= %(limit)s::bigint
           and not suspended and not removing
       for key share
       on conflict (account, month, kind, key) do update set count = used.count + excluded.count
       where used.count + excluded.count <= %(limit)s::bigint"""  # noqa: S608  no input in it
)
_open_bytes: one[int] = one(
    column,
    """select coalesce(sum(size), 0)::bigint from outgoing_message
       where account = %(account)s and ended is null""",
)
_insert = none(
    """with message as (
           insert into outgoing_message (id, account, origin, reverse_path, header_from, subject,
               message_id, size, body, ret, envid, smtputf8)
           select %(id)s, %(account)s, %(origin)s, %(reverse_path)s, %(header_from)s, %(subject)s,
               %(message_id)s, %(size)s, %(body)s, %(ret)s, %(envid)s, %(smtputf8)s
           where %(account)s::text is null or exists (
               select from account where name = %(account)s and not removing)
           returning id, account
       )
       insert into outgoing_recipient (message_id, place, account, address, domain, notify, orcpt)
       select message.id, recipient.place - 1, coalesce(message.account, ''), recipient.address,
           recipient.domain, recipient.notify, recipient.orcpt
       from message, unnest(%(addresses)s::text[], %(domains)s::text[], %(notify)s::text[],
           %(orcpt)s::text[]) with ordinality
           as recipient (address, domain, notify, orcpt, place)"""
)


async def charge_sends(db: Executor, account: str, n: int, limit: int) -> bool:
    """Count ``n`` recipients more against the account's ``limit`` of this month (of UTC).

    Returns False, and counts nothing, when that is too many, or the account is suspended or gone.
    """
    return await _charge(db, account=account, n=n, limit=limit) == 1


async def open_bytes(db: Executor, account: str) -> int:
    """Return how many bytes the account's messages have that wait for a recipient."""
    return await _open_bytes(db, account=account)


async def insert_outgoing(db: Executor, outgoing_id: str, new: NewOutgoing, body: bytes) -> bool:
    """Queue ``new``. ``body`` is its content as store.compression makes it.

    Returns False, and queues nothing, when its account is gone or being removed.
    """
    queued = await _insert(
        db,
        id=outgoing_id,
        account=new.account,
        origin=new.origin,
        reverse_path=new.reverse_path,
        header_from=new.header_from,
        subject=new.subject,
        message_id=new.message_id,
        size=len(new.content),
        body=body,
        ret=new.ret,
        envid=new.envid,
        smtputf8=new.smtputf8,
        addresses=[recipient.address for recipient in new.recipients],
        domains=[recipient.domain for recipient in new.recipients],
        notify=[recipient.notify for recipient in new.recipients],
        orcpt=[recipient.orcpt for recipient in new.recipients],
    )
    return queued > 0
