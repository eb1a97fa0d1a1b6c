"""The one statement that makes mail durable, with all that follows from it.

It stores the raw messages and everybody's copies, says whose they are, puts down what is to be
delivered to webhooks and Slack, and leaves one event for those who wait for mail.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from mailsacd.core.errors import StatementError
from mailsacd.core.message import NewEnvelope, NewMessage, Owned
from mailsacd.store.literal import literal, text_literal
from mailsacd.store.pool import Database, Transaction

_RAWS: Final = (
    "with raws as (insert into raw_message (id, received, body, size, refs, plain, wire_size)"
    " values "
)

# Nobody owns anything of the domains: no owner to look for, nothing to deliver.
_PUBLIC_COPIES: Final = """), events as (
    insert into event (messages) values (%s)
) insert into message (inbox, id, raw_id, domain, received, facts, attachments) values """

_COPIES: Final = """), copies as (
    insert into message (inbox, id, raw_id, domain, received, facts, attachments, passed, saved_by,
        owner, private, subject, sender, recipients)
    select inbox, id, raw_id, domain, received, facts, attachments, passed, saved_by,
        owner, private, (texts).*
    from (
        select new.inbox, new.id, raw_id, new.domain, received::timestamptz, facts,
            attachments::uuid[], passed::text[], saved_by,
            coalesce(forwarder.name, address.owner, domain.owner) as owner,
            address.owner is not null or coalesce(domain.is_private, false)
                or coalesce(forwarder.name <> domain.owner, forwarder.name is not null) as private,
            case when coalesce(forwarder.name, address.owner, domain.owner) is not null
                then searched_texts(facts) end as texts
        from (values """

# An address that is reserved goes before its domain. Before both goes the account that forwarded
# the mail to there: if it gave the address up just now, the mail is neither lost nor another's.
# The subquery is closed by its offset: the texts are worked out once a row, and only where there
# is an owner.
_OWNED_BY: Final = """) new (inbox, id, raw_id, domain, received, facts, attachments, passed,
            forwarded_by, saved_by)
        left join address on address.email = new.inbox
        left join domain on domain.name = new.domain and domain.verified
        left join account forwarder on forwarder.name = forwarded_by and not forwarder.removing
        offset 0
    ) stamped
    returning id, inbox, owner, private, saved_by, passed
), events as (
    insert into event (messages)
    select json_agg(json_build_array(id, inbox, owner, private, saved_by, passed))::text
    from copies
)"""

_HOOKED: Final = """, hooks as (
    insert into delivery (id, account, address, kind, url, inbox, message_id)
    select copies.id || '-' || left(hook.kind, 1) || path.place, copies.owner, address.email,
        hook.kind, hook.url, copies.inbox, copies.id
    from copies
    cross join unnest(array_append(passed, inbox)) with ordinality path (email, place)
    join address on address.email = path.email and address.owner = copies.owner
    cross join lateral (
        values ('webhook', address.webhook), ('slack', address.webhook_slack)
    ) hook (kind, url)
    where hook.url is not null and coalesce(copies.saved_by = copies.owner, true)
    returning message_id
)
select id, owner, private, id in (select message_id from hooks)
from copies where owner is not null"""

_NOT_HOOKED: Final = " select id, owner, private, false from copies where owner is not null"

_encode = msgspec.json.Encoder().encode


async def store_envelopes(
    db: Database | Transaction,
    batch: Sequence[NewEnvelope],
    *,
    public: bool = False,
    hooks: bool = True,
) -> dict[str, Owned]:
    """Store all of ``batch`` in one statement: all of it is committed, or nothing.

    Tells which of the messages, by id, are somebody's. ``public`` says that nobody owns anything
    of any of the domains nor starred nor forwarded any of them, so that this need not be looked up:
    it would cost a fifth more; not ``hooks``, that no address of these has a webhook or Slack,
    which would cost 0.3 ms. The reactor is held while the raws are sent: who makes a batch bounds
    its bytes. Raises StatementError, also for a text that PostgreSQL cannot hold.
    """
    try:
        sql = _storing_public(batch) if public else _storing(batch, hooks=hooks)
    except ValueError as e:
        raise StatementError("The database cannot hold the text of a message") from e
    rows, _ = await db.run_binary(sql, [new.raw for new in batch])
    return {row[0]: Owned(*row[1:]) for row in rows}


def _storing_public(batch: Sequence[NewEnvelope]) -> bytes:
    stored = [(m.id, m.inbox, None, False, None, None) for new in batch for m in new.messages]
    event = text_literal(_encode(stored).decode())
    copies = ",".join(f"({_copy(new, m)})" for new in batch for m in new.messages)
    return f"{_raws(batch)}{_PUBLIC_COPIES % event}{copies}".encode()


def _storing(batch: Sequence[NewEnvelope], *, hooks: bool) -> bytes:
    copies = ",".join(
        f"({_copy(new, message)},{literal(message.passed or None)},{literal(message.forwarder)},"
        f"{literal(new.saved_by)})"
        for new in batch
        for message in new.messages
    )
    last = _HOOKED if hooks else _NOT_HOOKED
    return f"{_raws(batch)}{_COPIES}{copies}{_OWNED_BY}{last}".encode()


def _raws(batch: Sequence[NewEnvelope]) -> str:
    """All written out but the bodies, which are the parameters $1, $2 … in the batch's order."""
    return _RAWS + ",".join(
        f"({text_literal(new.id)},{literal(new.received)},${place},"
        f"{new.size},{len(new.messages)},{new.plain},{literal(new.wire_size)})"
        for place, new in enumerate(batch, 1)
    )


def _copy(new: NewEnvelope, message: NewMessage) -> str:
    attachments = f"'{{{','.join(new.attachments)}}}'::uuid[]" if new.attachments else "null"
    return (
        f"{text_literal(message.inbox)},{text_literal(message.id)},{text_literal(new.id)},"
        f"{text_literal(message.domain)},{literal(new.received)},{text_literal(message.facts)},"
        f"{attachments}"
    )
