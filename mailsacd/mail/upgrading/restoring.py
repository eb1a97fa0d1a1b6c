"""Restores a dump: its rows go into a schema that is made anew, at the number that they are of.

That schema is beside the one in use until it is whole and up to date. Of a dump nothing but rows is
used: see store.dump.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mailsacd.core.errors import ConfigurationError, InvalidInputError
from mailsacd.mail.upgrading.schema import STEPS, bring_up_to_date
from mailsacd.store.archive import names_in_use, tables_to_fill
from mailsacd.store.counts import count_anew
from mailsacd.store.dump import Dump, Entry, Rows
from mailsacd.store.events import forget_transactions
from mailsacd.store.loading import load
from mailsacd.store.migrate import Applied, check_applied, migrate
from mailsacd.store.outgoing_queue import hold_all
from mailsacd.store.pool import Database
from mailsacd.work.threads import Lane

_MIGRATIONS: Final = "schema_migration"
_MAX_MIGRATIONS_BYTES: Final = 1_048_576
# The kinds of what our own dumps have beside the rows, with the name of what it is or belongs to
_KINDS: Final = (
    "CONSTRAINT", "FK CONSTRAINT", "FUNCTION", "INDEX", "TABLE", "TABLE DATA", "TRIGGER", "TYPE",
)  # fmt: skip
_KINDS_WITHOUT_MEANING: Final = ("ACL", "COMMENT", "SCHEMA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A dump that is one of mailsacd's, with the ``number`` of its last migration."""

    dump: Dump
    number: int
    entries: Sequence[Entry]


def recognised(dump: Dump) -> Known:
    """Look at ``dump``, and at no database; it takes as long as running a program twice.

    Raises InvalidInputError when it is none of mailsacd's, and for one of a newer version.
    """
    try:
        return _recognised(dump)
    except (InvalidInputError, ConfigurationError) as e:
        raise InvalidInputError(f"this is no backup that can be restored: {e.public}") from e


async def refill(
    known: Known, beside: Database, parameters: Mapping[str, str], lane: Lane
) -> Sequence[str]:
    """Make the schema of ``beside``, fill it from a dump, and bring it up to date.

    ``parameters`` are libpq's, for the same database. Returns what is left out of what the dump
    holds: what is not mailsacd's. Raises InvalidInputError for rows that do not fit.
    """
    await migrate(beside, STEPS, upto=known.number)
    tables = await tables_to_fill(beside)
    left_out = _left_out(known.entries, await names_in_use(beside))
    await lane.run_in_thread(lambda: load(known.dump, tables, parameters))
    await bring_up_to_date(beside)
    await beside.transaction(forget_transactions)
    await beside.transaction(hold_all)  # it may have been sent since the dump was made
    await beside.transaction(count_anew)
    return left_out


def _recognised(dump: Dump) -> Known:
    entries = dump.entries()
    if Entry("TABLE DATA", "public", _MIGRATIONS) not in entries:
        raise InvalidInputError("it is a dump of something else than mailsacd")
    with dump.rows(_MIGRATIONS) as rows:
        applied = _applied(rows)
    if not applied or [each.number for each in applied] != list(range(1, len(applied) + 1)):
        raise InvalidInputError("it does not tell which version it is of")
    check_applied(applied, "it")
    return Known(dump=dump, number=len(applied), entries=entries)


def _applied(rows: Rows) -> list[Applied]:
    text = b""
    while piece := rows.read():
        text += piece
        if len(text) > _MAX_MIGRATIONS_BYTES:
            raise InvalidInputError("its list of migrations is too long")
    lines = [
        dict(zip(rows.columns, line.split("\t"), strict=False))
        for line in text.decode("utf-8", "replace").splitlines()
    ]
    try:
        applied = [Applied(int(row["number"]), row["name"], row["checksum"]) for row in lines]
    except (KeyError, ValueError) as e:
        raise InvalidInputError("its list of migrations cannot be read") from e
    return sorted(applied, key=lambda each: each.number)


def _left_out(entries: Sequence[Entry], ours: frozenset[str]) -> Sequence[str]:
    found = {
        f"{entry.kind.lower()} {entry.name}"
        for entry in entries
        if entry.kind not in _KINDS_WITHOUT_MEANING and not _is_ours(entry, ours)
    }
    return sorted(found)


def _is_ours(entry: Entry, ours: frozenset[str]) -> bool:
    return entry.kind in _KINDS and entry.name.partition("(")[0] in ours
