"""Locks that all nodes share on what is no row: jobs of one node at a time, changes in turns.

They are PostgreSQL's advisory locks, and are the only ones that mailsacd takes. Each is held until
its transaction ends, so a node that dies holds none. The server that all nodes are connected to
has them, whatever other servers have tables (docs/growing.md).
"""

from enum import IntEnum
from typing import Final

from mailsacd.store.sql import Executor, column, many, one


class Job(IntEnum):
    """What one node does at a time."""

    MIGRATING = 0x6D61696C  # "mail"
    MAKING_ACCOUNTS = 0x61636374  # "acct"
    ADDING_UP = 0x636F756E  # "coun"
    ERASING = 0x65726173  # "eras"
    CUTTING_TALLIES = 0x74616C79  # "taly"


class Kind(IntEnum):
    """Of what, besides its name, a lock is."""

    DOMAIN = 0x646F6D  # "dom"
    DKIM_KEYS = 0x646B6D  # "dkm"


_take = many(lambda _: None, "select pg_advisory_xact_lock(%(job)s::bigint)")
_try: one[bool] = one(column, "select pg_try_advisory_xact_lock(%(job)s::bigint)")
_take_name = many(
    lambda _: None, "select pg_advisory_xact_lock(%(kind)s::integer, hashtext(%(name)s))"
)
_share_name = many(
    lambda _: None, "select pg_advisory_xact_lock_shared(%(kind)s::integer, hashtext(%(name)s))"
)

ADDING_UP_IS_OURS: Final = f"(select pg_try_advisory_xact_lock({int(Job.ADDING_UP)}))"
"""The condition, in a statement, that it takes the lock and no other transaction has it."""


async def wait_for_turn(db: Executor, job: Job) -> None:
    """Do ``job`` alone until the transaction ends; wait for whoever is at it."""
    await _take(db, job=int(job))


async def take_turn(db: Executor, job: Job) -> bool:
    """Do ``job`` alone until the transaction ends. Returns False when somebody else is at it."""
    return await _try(db, job=int(job))


async def lock_name(db: Executor, kind: Kind, name: str) -> None:
    """Have nobody else lock or share ``name`` until the transaction ends; wait for who does."""
    await _take_name(db, kind=int(kind), name=name)


async def share_name(db: Executor, kind: Kind, name: str) -> None:
    """Have nobody lock ``name`` until the transaction ends, whoever shares it, too."""
    await _share_name(db, kind=int(kind), name=name)
