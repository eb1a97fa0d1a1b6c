"""Brings the schema up to date: ordered SQL files, each applied once, in a transaction of its own.

What SQL cannot do alone is a step in code before a file. It is run again and again, each time in a
transaction, until it has nothing left to do. Any number of daemons may start at the same time: an
advisory lock lets one of them at it, and the others find the work done. One that is killed leaves
whole transactions behind.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from twisted.logger import Logger

from mailsacd.core.errors import ConfigurationError
from mailsacd.store.locks import Job, wait_for_turn
from mailsacd.store.pool import Database
from mailsacd.store.sql import many, none
from mailsacd.store.transaction import Transaction

TIMEOUT_S: Final = 3_600.0  # of a statement, or of the wait for another daemon's migration

Step = Callable[[Transaction], Awaitable[bool]]
"""Does some of what has to be done before a migration; tells whether there may be more of it."""

_log = Logger()


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of ``schema/``. ``0001_messages.sql`` is number 1."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """The SHA-256 by which a file that was changed after it was applied is found out."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that was applied, as it was then."""

    number: int
    name: str
    checksum: str


_MAKE_TABLE: Final = """create table if not exists schema_migration (
        number   integer primary key,
        name     text not null,
        checksum text not null,
        applied  timestamptz not null default now()
    )"""
_applied = many(Applied, "select number, name, checksum from schema_migration order by number")
_record = none(
    """insert into schema_migration (number, name, checksum)
       values (%(number)s, %(name)s, %(checksum)s)"""
)


def migrations() -> list[Migration]:
    """Return all migrations that this version knows, in order."""
    files = resources.files("mailsacd.store.schema").iterdir()
    return [
        Migration(int(file.name[:4]), file.name, file.read_text(encoding="utf-8"))
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".sql")
    ]


async def migrate(database: Database, steps: Mapping[int, Step], *, upto: int | None = None) -> int:
    """Apply what is missing, up to number ``upto``; how many were applied.

    ``steps`` are done before the migrations with these numbers. Raises ConfigurationError for a
    schema that this version does not know.
    """
    known = [m for m in migrations() if upto is None or m.number <= upto]
    count = 0
    applied: int | None = 0
    while applied is not None:
        count += applied
        applied = await database.transaction(
            lambda transaction: _go_on(transaction, known, steps), statement_timeout_s=TIMEOUT_S
        )
    return count


async def _go_on(
    transaction: Transaction, known: list[Migration], steps: Mapping[int, Step]
) -> int | None:
    """Do some of what is missing; how many migrations that applied, None when none is missing."""
    await wait_for_turn(transaction, Job.MIGRATING)
    await transaction.run(_MAKE_TABLE)
    applied = await _applied(transaction)
    check_applied(applied)
    missing = [m for m in known if m.number > len(applied)]
    if not missing:
        return None
    step = steps.get(missing[0].number)
    if step is not None and await step(transaction):
        return 0
    _log.info("migrating the schema: {name}", name=missing[0].name)
    await transaction.run(missing[0].sql)
    await _record(
        transaction,
        number=missing[0].number,
        name=missing[0].name,
        checksum=missing[0].checksum,
    )
    return 1


def check_applied(applied: Sequence[Applied], what: str = "the database") -> None:
    """Raises ConfigurationError unless ``applied``, in order, are migrations of this version.

    ``what`` they were applied to is for the text of the error.
    """
    known = migrations()
    if len(applied) > len(known):
        raise ConfigurationError(
            f"{what} has the schema of a newer mailsacd ({applied[-1].name}): "
            "upgrade mailsacd, or use another one"
        )
    for there, here in zip(applied, known, strict=False):
        if (there.number, there.checksum) != (here.number, here.checksum):
            raise ConfigurationError(
                f"{what} was migrated with another {there.name} than this version has"
            )
