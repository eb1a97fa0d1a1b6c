"""`/inbox/{email}/{messageId}`: one message, in one of its views, and what is done with it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from mailsacd.core.message_form import FOLDERS
from mailsacd.http.api.parameters import (
    EMAIL,
    MESSAGE_ID,
    one_of,
    whole_number,
)
from mailsacd.http.server.answer import Response
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.message_codes import WEIGHT
from mailsacd.mail.reading.transcripts import Transcripts
from mailsacd.mail.spam.on_request import ScoresOnRequest
from mailsacd.web import message_views as views
from mailsacd.web.filters import segment
from mailsacd.web.page import Page
from mailsacd.web.pages.inbox import SPAM_FROM
from mailsacd.web.pages.marking import Marking
from mailsacd.web.parameters import asked, flag
from mailsacd.web.visit import THEMES, Visit

PATH: Final = "/inbox/{email}/{messageId}"
VIEWS: Final = ("html", "text", "source", "headers", "attachments", "links")
PART_BYTES: Final = 32_768
"""Of the source so much is shown at a time."""
MAX_PARTS: Final = 100_000
MAX_LINKS: Final = 200

_decode = msgspec.json.Decoder(dict[str, Any]).decode


SHOW: Final = flag("show")
THEME: Final = asked("theme", one_of(*THEMES), "light")
_PARAMETERS: Final = (
    EMAIL,
    MESSAGE_ID,
    SHOW,
    asked("view", one_of(*VIEWS), ""),
    THEME,
    asked("width", one_of("desktop", "phone"), "desktop"),
    asked("part", whole_number(MAX_PARTS, least=1), 1),
)
View = Callable[[Visit], Awaitable[Mapping[str, Any]]]


class MessagePages:
    """The page, and its form."""

    def __init__(
        self,
        mailbox: Mailbox,
        marking: Marking,
        spam: ScoresOnRequest,
        transcripts: Transcripts,
    ) -> None:
        self._mailbox = mailbox
        self._spam = spam
        self._transcripts = transcripts
        self._marking = marking
        self._views: Mapping[str, View] = {
            "source": self._source,
            "headers": self._headers,
            "attachments": self._attachments,
        }

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(path=PATH, id="message", parameters=_PARAMETERS, handler=self.show),
            Page(
                method="POST",
                path=PATH,
                id="message.do",
                parameters=(EMAIL, MESSAGE_ID),
                handler=self.do,
            ),
        )

    async def show(self, visit: Visit) -> Response:
        """The message in one view. Refused as the API refuses it.

        Nothing becomes read by that: a page that is fetched is not yet one that somebody sees.
        """
        actor, email, message_id = visit.actor, visit["email"], visit["messageId"]
        message = await self._mailbox.get(actor, email, message_id)
        neighbours = await self._mailbox.neighbours(actor, email, message_id)
        seen = await self._views.get(visit["view"], self._overview)(visit)
        return visit.shown(
            "message/page.html",
            message=_decode(message.as_json()),
            neighbours=neighbours,
            has_transcript=await self._transcripts.is_kept(actor, email, message_id),
            view=visit["view"] or ("html" if seen["has_html"] else "text"),
            views=[each for each in VIEWS if each != "html" or seen["has_html"]],
            show=visit["show"],
            max_links=MAX_LINKS,
            preview={"theme": visit["theme"], "width": visit["width"]},
            folders=FOLDERS,
            spam=await self._spam.kept(message),
            spam_from=SPAM_FROM,
            **seen,
        )

    async def do(self, visit: Visit) -> Response:
        """Mark, label, move or delete it."""
        email, message_id = visit["email"], visit["messageId"]
        inbox = f"/inbox/{segment(email)}"
        told = await self._marking.do(visit, email, [message_id])
        action = visit.fields().get("action")
        if action in {"delete", "unread"}:  # whoever sees the message again has read it
            return visit.redirect(inbox, told)
        silent = action in {"read", "star", "unstar"}
        return visit.redirect(visit.back(f"{inbox}/{message_id}"), "" if silent else told)

    async def _overview(self, visit: Visit) -> Mapping[str, Any]:
        return msgspec.structs.asdict(await self._view(visit, views.overview, WEIGHT))

    async def _headers(self, visit: Visit) -> Mapping[str, Any]:
        return msgspec.structs.asdict(await self._view(visit, views.header_fields))

    async def _attachments(self, visit: Visit) -> Mapping[str, Any]:
        return msgspec.structs.asdict(await self._view(visit, views.attachment_list))

    async def _source(self, visit: Visit) -> Mapping[str, Any]:
        raw = await self._mailbox.raw(visit.actor, visit["email"], visit["messageId"])
        parts = max(-(-len(raw) // PART_BYTES), 1)
        part = min(visit["part"], parts)
        shown = raw[(part - 1) * PART_BYTES : part * PART_BYTES]
        return {
            "has_html": await self._view(visit, views.has_html),
            "source": shown.decode("utf-8", "replace")
            .replace("\r\n", "\n")
            .replace("\0", "\ufffd"),
            "part": part,
            "parts": parts,
        }

    async def _view(self, visit: Visit, view: Callable[[Any], Any], weight: int = 1) -> Any:
        email, message_id = visit["email"], visit["messageId"]
        return await self._mailbox.view(visit.actor, email, message_id, view, weight=weight)
