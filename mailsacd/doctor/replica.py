"""The standby that may be read from, as a finding tells of it."""

from collections.abc import Sequence
from typing import Final

from twisted.internet.task import deferLater

from mailsacd.core.errors import MailsacdError
from mailsacd.data import Data
from mailsacd.doctor.finding import Finding, fault, ok, warning
from mailsacd.settings import Settings
from mailsacd.store.connection import Connection
from mailsacd.store.failures import DriverError
from mailsacd.store.positions import Reached, position_on_disk, reached
from mailsacd.store.target import StandbyTarget
from mailsacd.store.transaction import Transaction

AREA: Final = "replica"
PATIENCE_S: Final = 5.0
"""So long a statement on the standby may take."""

LOOKS_S: Final[Sequence[float]] = (0.0, 0.05, 0.2, 0.75)
"""How long after the last time it is looked again whether the standby has come to the primary."""


async def look_at_replica(settings: Settings, data: Data) -> list[Finding]:
    """Return what is wrong with the standby that the settings name, if they do."""
    if not settings.database.replica_dsn:
        return []
    if data.database.is_distributed:
        advice = "leave database.replica_dsn empty"
        return [warning(AREA, "with raw messages on other servers it is not read from", advice)]
    try:
        target = StandbyTarget(settings.database.replica_dsn, data.lanes.rest)
        return [_told(str(target), await _look(target, data))]
    except MailsacdError as e:
        return [fault(AREA, e.public, "see database.replica_dsn, and its own log")]
    except (*DriverError, OSError) as e:
        told = f"cannot use the {target}: {' '.join(str(e).split())}"
        return [fault(AREA, told, "see database.replica_dsn: until then the primary is read from")]


async def _look(target: StandbyTarget, data: Data) -> Reached:
    """How it is to the primary. Raises DriverError, OSError or MailsacdError."""
    connection = Connection(data.reactor, lambda _: None)
    try:
        await connection.open(target)
        standby = Transaction(connection, data.reactor, PATIENCE_S)
        position = await position_on_disk(data.database)
        for pause_s in LOOKS_S:
            await deferLater(data.reactor, pause_s)
            found = await reached(standby, position)
            if found.is_there:
                break
        return found
    finally:
        connection.drop("it is looked at")


def _told(target: str, found: Reached) -> Finding:
    if not found.is_same_database:
        advice = "see database.replica_dsn: it is not read from"
        return fault(AREA, f"the {target} is no standby of database.dsn", advice)
    if not found.is_same_timeline:
        advice = "it is not read from; after a failover that passes with its next checkpoint"
        return warning(AREA, f"the {target} does not follow the primary, or not yet", advice)
    if not found.is_there:
        advice = "see what holds it up there; the primary is read from meanwhile"
        return warning(AREA, f"the {target} is more than a second behind", advice)
    return ok(AREA, f"the {target} follows the primary")
