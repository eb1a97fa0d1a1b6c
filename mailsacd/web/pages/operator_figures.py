"""`/operator` and `/operator/storage`: who comes too fast, and how much there is, for operators."""

from typing import Final

from mailsacd.core.actor import operators_account
from mailsacd.http.calls.operator_figures import HOURS
from mailsacd.http.server.answer import Response
from mailsacd.mail.operating.figures import OperatorFigures
from mailsacd.store.statistics import EXACT_ADDRESSES
from mailsacd.web.page import Page
from mailsacd.web.visit import Visit

LISTED: Final = 100
"""So many accounts, and so many of those who come too fast, are shown: those with the most."""


class OperatorFigurePages:
    """Everybody but an operator gets ForbiddenError from mail.operating.figures."""

    def __init__(self, figures: OperatorFigures) -> None:
        self._figures = figures

    def pages(self) -> tuple[Page, ...]:
        """Declare what is served here."""
        return (
            Page(
                path="/operator",
                id="operator",
                parameters=(HOURS,),
                for_accounts=True,
                handler=self.overview,
            ),
            Page(
                path="/operator/storage",
                id="operator.storage",
                for_accounts=True,
                handler=self.storage,
            ),
        )

    async def overview(self, visit: Visit) -> Response:
        """How much there is of what, and who came too fast of late."""
        operators_account(visit.actor)
        hours = visit["hours"]
        throttled = await self._figures.throttled(visit.actor, hours=hours)
        return visit.shown(
            "operator/overview.html",
            stored=(await self._figures.totals(visit.actor))["stored"],
            throttled=throttled[:LISTED],
            hours=hours,
        )

    async def storage(self, visit: Visit) -> Response:
        """How much is stored, and the operations of this month by account."""
        totals = await self._figures.totals(visit.actor)
        return visit.shown(
            "operator/storage.html",
            stored=totals["stored"],
            month=totals["month"],
            operations=totals["operations"][:LISTED],
            exact=EXACT_ADDRESSES,
        )
