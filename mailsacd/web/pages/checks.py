"""`/inbox/{email}/{messageId}/checks`: what is wrong with a message, with the reasons.

What looks at nothing but the message is checked when the page is opened. Links are opened by a
form, which those who have signed in may send.
"""

from typing import Any, Final

import msgspec

from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID
from mailsacd.http.server.answer import Response
from mailsacd.mail.checks.check import overall
from mailsacd.mail.checks.link_result import NAME as LINKS
from mailsacd.mail.checks.on_request import MessageChecks
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.web.page import Page
from mailsacd.web.pages.message import PATH
from mailsacd.web.visit import Visit

TITLES: Final = {
    "headers": "Header and parts",
    "unsubscribe": "Leaving the list",
    "size": "Size",
    "accessibility": "Accessibility",
    "images": "Pictures",
    "clients": "HTML in mail programs",
    LINKS: "Links",
}
GOOD_FROM: Final = 90
FAIR_FROM: Final = 60
MAX_LINKS: Final = 50

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class CheckPages:
    """The page, and its form."""

    def __init__(self, mailbox: Mailbox, checks: MessageChecks) -> None:
        self._mailbox = mailbox
        self._checks = checks

    def pages(self) -> tuple[Page, ...]:
        """Declare the page, and what its form is sent to."""
        path, one = f"{PATH}/checks", (EMAIL, MESSAGE_ID)
        return (
            Page(path=path, id="checks", parameters=one, handler=self.show),
            Page(
                method="POST",
                path=path,
                id="checks.links",
                parameters=one,
                handler=self.open_links,
                for_accounts=True,
            ),
        )

    async def show(self, visit: Visit) -> Response:
        """What is told by nothing but the message."""
        return await self._shown(visit, self._checks.of_message)

    async def open_links(self, visit: Visit) -> Response:
        """The same, and what came of opening the links, which takes half a minute at most."""
        names = (*self._checks.of_message, LINKS)
        follows_all = visit.fields().get("follow") == "all"
        return await self._shown(visit, names, follows_all=follows_all)

    async def _shown(
        self, visit: Visit, names: tuple[str, ...], *, follows_all: bool = False
    ) -> Response:
        actor, email, message_id = visit.actor, visit["email"], visit["messageId"]
        results = await self._checks.check(actor, email, message_id, names, follows_all=follows_all)
        message = await self._mailbox.get(actor, email, message_id)
        return visit.shown(
            "message/check_results.html",
            message=_decode(message.as_json()),
            results=results,
            score=overall(results),
            titles=TITLES,
            good_from=GOOD_FROM,
            fair_from=FAIR_FROM,
            max_links=MAX_LINKS,
            opens_links=LINKS in self._checks.names,
            links_opened=LINKS in names,
        )
