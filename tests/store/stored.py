"""Mail as an older version stored it."""

from mailsacd.core.message import NewEnvelope
from mailsacd.core.token import utc_from_ms
from mailsacd.store.migrate import migrate
from mailsacd.store.pool import Database


async def stored_by_older_version(database: Database, *, upto: int) -> None:
    """Three messages of ann's in an empty database, which is brought up to date after them.

    Of 20 bytes each: one of her own, one that she has starred and read, and a public one that she
    has starred.
    """
    await migrate(database, {}, upto=upto)
    await database.run(
        """insert into raw_message (id, received, body, size, refs)
           values ('e', now(), '\\xff', 20, 3);
           insert into message
               (inbox, id, raw_id, domain, received, facts, owner, saved_by, read) values
               ('x@a.example', 'e-0', 'e', 'a.example', now(), '{"size":20', 'ann', null, null),
               ('x@a.example', 'e-1', 'e', 'a.example', now(), '{"size":20', 'ann', 'ann', true),
               ('p@p.example', 'e-2', 'e', 'p.example', now(), '{"size":20', null, 'ann', null)"""
    )
    await migrate(database, {})


async def store_by_older_version(database: Database, new: NewEnvelope) -> None:
    """Store public mail in the columns that all versions have since there are statistics."""
    received = utc_from_ms(new.received_ms)
    await database.run(
        "insert into raw_message (id, received, body, size, refs) values (%s, %s, %s, %s, %s)",
        (new.id, received, new.raw, new.size, len(new.messages)),
    )
    for message in new.messages:
        await database.run(
            "insert into message (inbox, id, raw_id, domain, received, facts, attachments)"
            " values (%s, %s, %s, %s, %s, %s, %s::uuid[])",
            (
                message.inbox, message.id, new.id, message.domain, received, message.facts,
                list(new.attachments) or None,
            ),
        )  # fmt: skip
