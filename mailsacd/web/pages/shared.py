"""`/shared/{linkToken}`: an inbox that somebody else lets one read."""

from dataclasses import replace
from typing import Any, Final

import msgspec

from mailsacd.http.api.parameters import MESSAGE_ID, SKIP
from mailsacd.http.calls.inbox_links import LINK_TOKEN
from mailsacd.http.server.answer import Response
from mailsacd.mail.reading.inbox_links import InboxLinks
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.mailbox import Page as ListPage
from mailsacd.web.page import Page
from mailsacd.web.visit import Visit

PER_PAGE: Final = 50
MAX_TEXT_CHARACTERS: Final = 20_000

_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


class SharedPages:
    """The list, and a message: nothing is changed by them."""

    def __init__(self, links: InboxLinks, mailbox: Mailbox) -> None:
        self._links = links
        self._mailbox = mailbox

    def pages(self) -> tuple[Page, ...]:
        """Declare both of these pages."""
        linked = replace(MESSAGE_ID, name="linkedId")
        return (
            Page(
                path="/shared/{linkToken}",
                id="shared",
                parameters=(LINK_TOKEN, SKIP),
                handler=self.list,
            ),
            Page(
                path="/shared/{linkToken}/{linkedId}",
                id="shared-message",
                parameters=(LINK_TOKEN, linked),
                handler=self.message,
            ),
        )

    async def list(self, visit: Visit) -> Response:
        """The messages of the inbox, newest first."""
        actor, inbox = await self._links.look_through(visit["linkToken"])
        page = ListPage(limit=PER_PAGE + 1, skip=visit["skip"])
        found = _decode(await self._mailbox.list_json(actor, inbox, page))
        return visit.shown(
            "shared/list.html",
            inbox=inbox,
            token=visit["linkToken"],
            messages=found[:PER_PAGE],
            newer=visit["skip"] > 0,
            older=visit["skip"] + PER_PAGE if len(found) > PER_PAGE else None,
        )

    async def message(self, visit: Visit) -> Response:
        """One message as text, with links to its other forms."""
        actor, inbox = await self._links.look_through(visit["linkToken"])
        message_id = visit["linkedId"]
        message = await self._mailbox.get(actor, inbox, message_id)
        text = await self._mailbox.text(actor, inbox, message_id)
        return visit.shown(
            "shared/message.html",
            inbox=inbox,
            token=visit["linkToken"],
            message=msgspec.json.decode(message.as_json()),
            text=text[:MAX_TEXT_CHARACTERS],
            cut=len(text) > MAX_TEXT_CHARACTERS,
        )
