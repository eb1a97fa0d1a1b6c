"""How much there is, and who came too fast, as an operator looks it up."""

from collections.abc import Sequence
from typing import Any

from mailsacd.core.actor import Actor, operators_account
from mailsacd.mail.records.operator_totals import operator_totals
from mailsacd.mail.records.throttled import throttled_of_late
from mailsacd.store.activity import Throttled
from mailsacd.store.pool import Database
from mailsacd.store.reading import Reader
from mailsacd.work.sharing import Sharing


class OperatorFigures:
    """Every call raises UnauthenticatedError or ForbiddenError unless an operator has signed in."""

    def __init__(self, database: Database, reads: Reader) -> None:
        """How much there is is read by ``reads``."""
        self._database = database
        self._reads = reads
        self._counting: Sharing[str, dict[str, Any]] = Sharing()

    async def totals(self, actor: Actor) -> dict[str, Any]:
        """As `operator_totals`, which is read once for all who ask at the same time."""
        operators_account(actor)
        return await self._counting.get("", lambda: operator_totals(self._reads))

    async def throttled(self, actor: Actor, *, hours: int = 1) -> Sequence[Throttled]:
        """Who was slowed or sent away within the last ``hours``, the most often first."""
        operators_account(actor)
        return await throttled_of_late(self._database, hours=hours)
