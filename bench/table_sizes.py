"""What the tables of a store of ours take on the disk, each of them and each index by itself."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg2

FILLING: Final = ("event", "event_pkey")
"""What is kept for 15 minutes, and so grows for as long and no longer, whatever is recycled."""

_SIZES: Final = """
    with sized as (
        select coalesce(owner.relname, relation.relname) as name,
            pg_relation_size(relation.oid) + pg_relation_size(relation.oid, 'fsm')
                + pg_relation_size(relation.oid, 'vm') as bytes
        from pg_class relation
        left join pg_index on indexrelid = relation.oid
        left join pg_class owner
            on owner.reltoastrelid in (relation.oid, pg_index.indrelid)
        where relation.relkind in ('r', 'i', 't')
            and (owner.oid is not null and owner.relnamespace = current_schema()::regnamespace
                 or relation.relnamespace = current_schema()::regnamespace)
    )
    select name, sum(bytes)::bigint from sized group by name
    union all
    select 'all else', (pg_database_size(current_database()) - sum(bytes))::bigint from sized"""


def sizes_mb(data_dir: Path) -> Mapping[str, float]:
    """Megabytes by table, with its TOAST table, and by index; ``all else`` is PostgreSQL's own."""
    with (
        closing(
            psycopg2.connect(host=data_dir / "postgres", user="mailsacd", dbname="postgres")
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(_SIZES)
        return {name: size / 1e6 for name, size in cursor.fetchall()}
