"""`/activity`: what happened to an account, a page at a time, all of it or one kind alone."""

from typing import Final

from mailsacd.http.api.parameters import SKIP
from mailsacd.http.calls.activity import KIND
from mailsacd.http.server.answer import Response
from mailsacd.mail.records.activity import Activity
from mailsacd.web.event_texts import KINDS, text_of
from mailsacd.web.page import Page
from mailsacd.web.paging import paged
from mailsacd.web.visit import Visit

PER_PAGE: Final = 50


class ActivityPage:
    """The page, and its declaration."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def pages(self) -> tuple[Page, ...]:
        """Declare what is served here."""
        return (
            Page(
                path="/activity",
                id="activity",
                parameters=(SKIP, KIND),
                for_accounts=True,
                handler=self.show,
            ),
        )

    async def show(self, visit: Visit) -> Response:
        """A page of events, newest first, with a choice of their kind."""
        kind, skip = visit["kind"], visit["skip"]
        events = await self._activity.list(visit.actor, kind=kind, limit=PER_PAGE + 1, skip=skip)
        return visit.shown(
            "figures/activity.html",
            events=[text_of(event) for event in events[:PER_PAGE]],
            kinds=KINDS,
            kind=kind or "",
            **paged(events, skip=skip, step=PER_PAGE),
        )
