"""Whether there is a way to the database that leads past every connection pooler.

PgBouncer in transaction mode lends a session out for a transaction at a time. All statements get on
with that (store.connection), but notices come to a session that stays ours.
"""

from typing import Any, Final

from mailsacd.core.errors import ConfigurationError
from mailsacd.store.connection import POOLED, Connection
from mailsacd.store.failures import DriverError
from mailsacd.store.pool import Database
from mailsacd.store.target import Target
from mailsacd.work.threads import Lane

# One server from its start to its end, and a database of it
_PLACE: Final = "select pg_postmaster_start_time()::text, current_database()"


async def check_direct(database: Database, direct_dsn: str, lookups: Lane, reactor: Any) -> None:
    """Raises ConfigurationError unless ``direct_dsn`` leads to ``database``, past any pooler.

    ``database`` has been started; ``direct_dsn`` may be its own. ``lookups`` is for its host.
    """
    target = Target(direct_dsn, lookups)
    if database.is_direct and target == database.target:
        return
    connection = Connection(reactor, lambda _: None)
    try:
        await connection.open(target)
        if not connection.is_direct:
            raise ConfigurationError(POOLED.format(target))
        there, _ = await connection.run(_PLACE, (), float("inf"))
    except (*DriverError, OSError) as e:
        raise ConfigurationError(f"cannot use the {target}: {' '.join(str(e).split())}") from e
    finally:
        connection.drop("it is checked")
    if there != await database.fetch(_PLACE):
        raise ConfigurationError(
            f"database.direct_dsn leads to the {target}, which is not where database.dsn leads"
        )
