"""What the operator is told about the whole: how much there is, and who used how much."""

from datetime import UTC, datetime
from typing import Any, Final

from mailsacd.store.reading import Reader
from mailsacd.store.sql import Executor
from mailsacd.store.statistics import count_everything
from mailsacd.store.usage import uses_of_month

MAX_USES: Final = 1_000


async def operator_totals(reads: Reader) -> dict[str, Any]:
    """``stored``: name to number; ``operations``: the most, of this month, by account and kind.

    Nothing of it takes longer for there being very many messages.
    """
    return await reads.reading(_totals)


async def _totals(db: Executor) -> dict[str, Any]:
    month = datetime.now(UTC).date().replace(day=1)
    uses = await uses_of_month(db, month, limit=MAX_USES)
    return {
        "stored": await count_everything(db),
        "month": month.isoformat()[:7],
        "operations": [{"account": u.account, "kind": u.kind, "count": u.count} for u in uses],
    }
