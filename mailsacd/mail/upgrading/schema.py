"""The schema, and what has to be done in code before some of its migrations."""

from collections.abc import Mapping
from typing import Final

from mailsacd.mail.upgrading.unexamined import examine_some
from mailsacd.store.migrate import Step, migrate
from mailsacd.store.pool import Database

STEPS: Final[Mapping[int, Step]] = {15: examine_some}
"""By the number of the migration that comes after it."""


async def bring_up_to_date(database: Database) -> int:
    """Apply all migrations that ``database`` does not have, and return how many these were.

    Any number of daemons may do so at once. One that is killed has done part of the work, and the
    next one goes on with it. Raises ConfigurationError for a schema that this version does not
    know, UnavailableError when the database is away.
    """
    return await migrate(database, STEPS)
