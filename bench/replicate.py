"""Fills a store of ours with very much mail of one account: by SQL, as copies of one message.

What is in the tables is what the daemon would have put there. Indexes are made anew after it, which
takes half the time.
"""

import os
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg2

from mailsacd.core.token import time_prefix

ACCOUNT: Final = "admin"
DOMAIN: Final = "growth.example"
INBOXES: Final = 1_000
SUBJECT: Final = "The subject that each copy replaces"
WORDS: Final = {"every": 1, "tenth": 10, "hundredth": 100, "thousandth": 1_000, "seldom": 100_000}
"""Words of subjects, and in one of how many copies each is."""
FORMER: Final = "former"
"""In one of ten, too, but in none of the newest NEWER copies."""
NEWER: Final = 20_000

_DAY_MS: Final = 86_400_000

_CLAIM: Final = f"""
    insert into domain (name, owner, verified, verified_mx, hosted, verification_txt)
    values ('{DOMAIN}', '{ACCOUNT}', true, true, true, '');
    update account set overrides = '{{"message_limit": 1000000000}}' where name = '{ACCOUNT}';
    notify mailsacd_directory, ''"""
_SUBJECT: Final = " || ".join(
    f"case when {condition} then '{word} ' else '' end"
    for word, condition in (
        *((word, f"n %% {every} = 0") for word, every in WORDS.items()),
        (FORMER, f"n %% 10 = 0 and n <= %(messages)s - {NEWER}"),
    )
)
_COPIES: Final = f"""
    with template as (
        select * from message where owner = '{ACCOUNT}' order by id desc limit 1
    ), copies as (
        select n, %(prefix)s || lpad(to_hex(n), 11, '0') as raw_id,
            'i' || n %% {INBOXES} || '@{DOMAIN}' as inbox, {_SUBJECT} || n as subject
        from generate_series(1, %(messages)s) n
    ), raws as (
        insert into raw_message (id, received, body, size, refs, plain, wire_size)
        select copies.raw_id, now() - interval '1 day', body, size, 1, plain, wire_size
        from copies, raw_message
        where raw_message.id = (select template.raw_id from template)
    )
    insert into message (inbox, id, raw_id, domain, received, bytes, facts, owner, private,
        subject, sender, recipients)
    select copies.inbox, copies.raw_id || '-0', copies.raw_id, '{DOMAIN}',
        now() - interval '1 day', bytes, changed.facts, owner, private,
        texts.subject, texts.sender, texts.recipients
    from template cross join copies
    cross join lateral (
        select replace(replace(replace(template.facts, template.id, copies.raw_id || '-0'),
            template.inbox, copies.inbox), '{SUBJECT}', copies.subject) as facts
    ) changed
    cross join lateral search_texts(changed.facts) texts"""
_INDEXES: Final = """select indexname, indexdef from pg_indexes
    where tablename = 'message' and indexname <> 'message_pkey'"""
_QUICKLY: Final = """set synchronous_commit = off; set maintenance_work_mem = '512MB'"""


def claim(data_dir: Path) -> None:
    """Have ACCOUNT own DOMAIN, and keep as many messages as it likes."""
    _run(data_dir, _CLAIM)


def replicate(data_dir: Path, messages: int, now_ms: int) -> None:
    """Make so many copies of the newest message of ACCOUNT, each of a day before ``now_ms``."""
    with closing(_connected(data_dir)) as connection, connection.cursor() as cursor:
        cursor.execute(_QUICKLY)
        cursor.execute(_INDEXES)
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"drop index {name}")
        prefix = time_prefix(now_ms - _DAY_MS)
        cursor.execute(_COPIES, {"prefix": prefix, "messages": messages})
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("vacuum analyze message")
        cursor.execute("vacuum analyze raw_message")


def settle(data_dir: Path) -> None:
    """Have PostgreSQL write down what it has in memory, and the kernel, too.

    Else what is measured after a million rows were put there waits for the disk behind them.
    """
    _run(data_dir, "checkpoint")
    os.sync()


def left(data_dir: Path) -> int:
    """How many rows there are of messages."""
    with closing(_connected(data_dir)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from message")
        ((rows,),) = cursor.fetchall()
        return int(rows)


def _run(data_dir: Path, sql: str) -> None:
    with closing(_connected(data_dir)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)


def _connected(data_dir: Path) -> "psycopg2.extensions.connection":
    connection = psycopg2.connect(host=data_dir / "postgres", user="mailsacd", dbname="postgres")
    connection.autocommit = True
    return connection
