"""Raw messages on several servers: by Citus, which makes one database of them.

Raw messages are nine tenths of what is stored (docs/growing.md). They are cut up by their ids; all
else stays on the server that all nodes are connected to, with the order of commits, locks and
notices (docs/adr/0039-raw-messages-apart.md). How statements are to be is told by a setting of the
database, which each session finds as it begins.
"""

from typing import Final

from mailsacd.core.errors import ConfigurationError, StatementError
from mailsacd.store.archive import check_alone
from mailsacd.store.locks import Job, wait_for_turn
from mailsacd.store.migrate import TIMEOUT_S
from mailsacd.store.pool import Database
from mailsacd.store.session import DISTRIBUTED
from mailsacd.store.sql import column, one
from mailsacd.store.transaction import Transaction

_MISSING: Final = (
    "the {0} has no Citus: install it on every server that is to have raw messages, put citus into"
    " shared_preload_libraries there, restart, and see docs/growing.md"
)

# The setting is there where the library is loaded
_is_available: one[bool] = one(
    column,
    """select exists (select from pg_available_extensions where name = 'citus')
           and exists (select from pg_settings where name = 'citus.shard_count')""",
)
_ALREADY: Final = (
    "select exists (select from pg_dist_partition where logicalrelid = 'raw_message'::regclass)"
)
# In sequence, by one connection to each server: by one to each of 32 parts, as is usual, a commit
# of 20 messages has 20 others to be prepared, and takes five times as long
_SETTINGS: Final = {DISTRIBUTED: "on", "citus.multi_shard_modify_mode": "sequential"}
_SET: Final = "; ".join(
    f"execute format('alter database %I set {name} = {value}', current_database())"
    for name, value in _SETTINGS.items()
)


async def distribute(database: Database) -> bool:
    """Spread the raw messages over the servers of a cluster of Citus.

    Those that are stored are moved. It takes up to an hour, and nobody else may use the database.
    Returns False when they were spread before. Raises ConfigurationError where there is no Citus,
    or it refuses, and ConflictError while another mailsacd is connected.
    """
    if not await _is_available(database):
        raise ConfigurationError(_MISSING.format(database.target))
    try:
        is_new = await database.transaction(_distribute, statement_timeout_s=TIMEOUT_S)
        if is_new:  # what was moved is still there, unseen
            await database.run("select truncate_local_data_after_distributing_table('raw_message')")
    except StatementError as e:
        why = str(e.__cause__).strip().partition("\n")[0]
        raise ConfigurationError(f"the {database.target} refuses: {why}") from e
    return is_new


async def _distribute(transaction: Transaction) -> bool:
    await wait_for_turn(transaction, Job.MIGRATING)
    await check_alone(transaction)
    await transaction.run("create extension if not exists citus")
    await transaction.run(f"do $$ begin {_SET}; end $$")
    if (await transaction.fetch(_ALREADY))[0][0]:
        return False
    await transaction.run(
        "select create_distributed_table('raw_message', 'id', colocate_with => 'none')"
    )
    return True
