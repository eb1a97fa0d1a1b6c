"""Who came too fast of late, as the operator looks it up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from mailsacd.core.token import milliseconds, time_prefix
from mailsacd.store.activity import Throttled, list_throttled
from mailsacd.store.pool import Database


async def throttled_of_late(database: Database, *, hours: int) -> Sequence[Throttled]:
    """Who was slowed or sent away within the last ``hours``, the most often first."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    return await list_throttled(database, time_prefix(milliseconds(since)))
