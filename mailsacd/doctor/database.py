"""The database, as a finding tells of it."""

from typing import Final

from mailsacd.core.errors import MailsacdError
from mailsacd.doctor.finding import Finding, fault, ok, warning
from mailsacd.settings import Settings
from mailsacd.store.condition import Condition, condition_of
from mailsacd.store.pool import Database

AREA: Final = "database"
OLDEST: Final = 140_000
"""PostgreSQL 14, as server_version_num has it."""

CLOCKS_APART_S: Final = 5.0
_OF_OTHERS: Final = 15


async def look_at_database(settings: Settings, database: Database) -> list[Finding]:
    """Return what is wrong with the database that the settings name."""
    try:
        condition = await condition_of(database)
    except MailsacdError as e:
        return [fault(AREA, e.public, "see its own log")]
    return [_version(condition), *_durability(condition), *_connections(settings, condition)]


def _version(condition: Condition) -> Finding:
    told = f"PostgreSQL {condition.version // 10_000}, schema {condition.schema}"
    if condition.version < OLDEST:
        return fault(AREA, told, "PostgreSQL 14 or later is needed")
    if abs(condition.clock_ahead_s) > CLOCKS_APART_S:
        told = f"{told}: its clock is {condition.clock_ahead_s:+.0f} s from this machine's"
        return warning(AREA, told, "have both kept right by NTP")
    return ok(AREA, f"{told}, {condition.size / 2**20:,.0f} MiB")


def _durability(condition: Condition) -> list[Finding]:
    return [
        fault(AREA, f"{name} is off: what was acknowledged may be lost", f"switch {name} on")
        for name in condition.off
    ]


def _connections(settings: Settings, condition: Condition) -> list[Finding]:
    chosen = settings.database
    each = chosen.connections + chosen.mail_connections + 1
    needed = each * max(settings.server.workers, 1) + _OF_OTHERS
    if needed <= condition.max_connections:
        return []
    told = f"{needed} connections may be wanted, and it has {condition.max_connections}"
    return [warning(AREA, told, "raise max_connections there, or lower database.connections")]
