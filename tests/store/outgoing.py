"""Queues of outgoing mail for tests, made by a statement."""

from mailsacd.store.compression import compress
from mailsacd.store.pool import Database

CONTENT = b"From: ann@here.example\r\nSubject: hello\r\n\r\nthe text\r\n"


async def queue_many(
    db: Database, account: str, count: int, *, domains: int = 1, prefix: str = "m"
) -> None:
    """Queue ``count`` messages with a recipient each, evenly for ``d1.example`` and so on."""
    await db.run(
        """insert into outgoing_message (id, account, origin, reverse_path, header_from, subject,
               message_id, size, body)
           select %s || lpad(n::text, 9, '0'), nullif(%s, ''), 'api', 'ann@here.example',
               'ann@here.example', 'hello', n || '@here.example', %s, %s
           from generate_series(1, %s) n""",
        (prefix + account, account, len(CONTENT), compress(CONTENT), count),
    )
    await db.run(
        """insert into outgoing_recipient (message_id, place, account, address, domain)
           select %s || lpad(n::text, 9, '0'), 0, %s,
               'u' || n || '@d' || n %% %s || '.example', 'd' || n %% %s || '.example'
           from generate_series(1, %s) n""",
        (prefix + account, account, domains, domains, count),
    )
