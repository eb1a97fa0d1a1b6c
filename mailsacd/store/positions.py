"""How far the primary is, and whether a standby has come there.

The position is that of the log's end (`pg_current_wal_insert_lsn`), not of what is on the disk:
a commit that waits for no disk is seen before it is written. What a statement on the primary could
see when the position was asked is in the log before it, and so on a standby that has replayed it
(https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL).

A number alone says nothing, for after a failover a standby may have followed the former primary
further than the new one went on from. So the database and the timeline have to be the same. Of a
standby's timelines the highest is taken: each is told after the fact, and they only rise.
"""

from dataclasses import dataclass
from typing import Final

from mailsacd.store.sql import Executor, one


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log of a server: ``lsn``, as PostgreSQL writes it, in a ``timeline``.

    ``database`` names it among all there are: by the system's identifier and its own name.
    """

    lsn: str
    timeline: int
    database: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How a server is to a Position: ``is_there`` says something if all else is so."""

    is_standby: bool
    is_same_database: bool
    is_same_timeline: bool
    is_there: bool


_DATABASE: Final = """(select system_identifier from pg_control_system())::text
    || ' ' || current_database()"""


def _position(lsn: str) -> one[Position]:
    return one(
        Position,
        f"""select {lsn}::text,
               ('x' || left(pg_walfile_name({lsn}), 8))::bit(32)::integer,
               {_DATABASE}""",
    )


_inserted = _position("pg_current_wal_insert_lsn()")
_flushed = _position("pg_current_wal_flush_lsn()")
# The receiver's is told to those alone who may read all statistics; the others lag behind it
_reached = one(
    Reached,
    f"""select pg_is_in_recovery(), {_DATABASE} = %(database)s::text,
           greatest(
               (select received_tli from pg_stat_wal_receiver),
               (select timeline_id from pg_control_checkpoint()),
               (select min_recovery_end_timeline from pg_control_recovery())
           ) = %(timeline)s::integer,
           coalesce(pg_last_wal_replay_lsn() >= %(lsn)s::text::pg_lsn, false)""",  # noqa: S608  parts of SQL, no input
)


async def position_of(primary: Executor) -> Position:
    """Return how far it is now. Raises StatementError where it does not tell."""
    return await _inserted(primary)


async def position_on_disk(primary: Executor) -> Position:
    """Return how far what is on its disk is now: for no standby is sent more."""
    return await _flushed(primary)


async def reached(standby: Executor, position: Position) -> Reached:
    """Return whether the server shows what was committed before ``position`` was asked."""
    return await _reached(
        standby, lsn=position.lsn, timeline=position.timeline, database=position.database
    )
