"""`/outgoing`: what an account has sent, what became of it, and whom nothing is sent to."""

from functools import partial
from typing import Final, Literal

from mailsacd.core.errors import ConflictError, MailsacdError
from mailsacd.http.api.parameters import SKIP
from mailsacd.http.server.answer import Response
from mailsacd.mail.sending.outgoing_queue import OutgoingQueue
from mailsacd.mail.sending.suppressions import Suppressions
from mailsacd.web.filters import segment
from mailsacd.web.page import Page
from mailsacd.web.paging import paged
from mailsacd.web.parameters import in_path
from mailsacd.web.visit import Visit

PATH: Final = "/outgoing"
PER_PAGE: Final = 30
SUPPRESSED: Final = "/suppressed"

Change = Literal["cancel", "retry"]
_DONE: Final[dict[Change, str]] = {"cancel": "It is sent no more", "retry": "It is tried again now"}


class OutgoingPages:
    """What may be done is decided in mail.sending.outgoing_queue and suppressions."""

    def __init__(self, queue: OutgoingQueue, suppressions: Suppressions) -> None:
        self._queue = queue
        self._suppressions = suppressions

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        one = (in_path("id"),)
        return (
            Page(
                path=PATH, id="outgoing", parameters=(SKIP,), for_accounts=True, handler=self.list
            ),
            Page(
                path=f"{PATH}/{{id}}",
                id="outgoing.one",
                parameters=one,
                for_accounts=True,
                handler=self.show,
            ),
            *(
                Page(
                    method="POST",
                    path=f"{PATH}/{{id}}/{change}",
                    id=f"outgoing.{change}",
                    parameters=one,
                    for_accounts=True,
                    handler=partial(self.change, change),
                )
                for change in _DONE
            ),
            Page(
                path=SUPPRESSED,
                id="suppressed",
                parameters=(SKIP,),
                for_accounts=True,
                handler=self.suppressed,
            ),
            Page(
                method="POST",
                path=f"{SUPPRESSED}/remove",
                id="suppressed.remove",
                for_accounts=True,
                handler=self.remove,
            ),
        )

    async def list(self, visit: Visit) -> Response:
        """What was sent, the newest first, each with how many recipients have it."""
        skip = visit["skip"]
        found = await self._queue.list_own(visit.actor, limit=PER_PAGE + 1, skip=skip)
        return visit.shown(
            "account/outgoing.html",
            messages=found[:PER_PAGE],
            **paged(found, skip=skip, step=PER_PAGE),
        )

    async def show(self, visit: Visit) -> Response:
        """One message with each of its recipients. Raises NotFoundError."""
        return await self._shown(visit)

    async def change(self, change: Change, visit: Visit) -> Response:
        """Cancel or retry it, for one recipient or all."""
        recipient = str(visit.fields().get("recipient", "")) or None
        try:
            await self._queue.change_own(visit.actor, change, visit["id"], recipient)
        except ConflictError as e:
            return await self._shown(visit, e)
        return visit.redirect(f"{PATH}/{segment(visit['id'])}", _DONE[change])

    async def suppressed(self, visit: Visit) -> Response:
        """The addresses that nothing is sent to for a while."""
        skip = visit["skip"]
        found = await self._suppressions.list(visit.actor, limit=PER_PAGE + 1, skip=skip)
        return visit.shown(
            "account/suppressed.html",
            suppressions=found[:PER_PAGE],
            **paged(found, skip=skip, step=PER_PAGE),
        )

    async def remove(self, visit: Visit) -> Response:
        """Send mail to an address again. Raises NotFoundError."""
        address = str(visit.fields().get("address", ""))
        await self._suppressions.remove(visit.actor, address)
        return visit.redirect(SUPPRESSED, f"Mail is sent to {address} again")

    async def _shown(self, visit: Visit, error: MailsacdError | None = None) -> Response:
        message = await self._queue.get_own(visit.actor, visit["id"])
        return visit.form("account/outgoing_message.html", error, message=message)
