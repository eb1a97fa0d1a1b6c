"""What was said by SMTP: about a message, and where mail for an address was refused."""

from datetime import datetime
from typing import Any, Final

from mailsacd.core.errors import ForbiddenError, UnauthenticatedError
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID
from mailsacd.http.server.answer import Response
from mailsacd.mail.reading.transcripts import Transcripts
from mailsacd.web.page import Page
from mailsacd.web.pages.address import PATH as ADDRESS
from mailsacd.web.pages.message import PATH as MESSAGE
from mailsacd.web.visit import Visit

LISTED: Final = 20
MAX_LINES: Final = 200
"""Of each dialogue so much is shown; the API has all of it."""


class TranscriptPages:
    """What may be seen is decided in mail.reading.transcripts."""

    def __init__(self, transcripts: Transcripts) -> None:
        self._transcripts = transcripts

    def pages(self) -> tuple[Page, ...]:
        """Declare all of these pages."""
        return (
            Page(
                path=f"{MESSAGE}/transcript",
                id="message.transcript",
                parameters=(EMAIL, MESSAGE_ID),
                handler=self.of_message,
            ),
            Page(
                path=f"{ADDRESS}/refused",
                id="address.refused",
                parameters=(EMAIL,),
                for_accounts=True,
                handler=self.refused,
            ),
        )

    async def of_message(self, visit: Visit) -> Response:
        """What was said about a message. Refused as the API refuses it."""
        email, message_id = visit["email"], visit["messageId"]
        found = await self._transcripts.of_message(visit.actor, email, message_id)
        return visit.shown(
            "message/transcript.html",
            email=email,
            message_id=message_id,
            transcript=found and _timed(found),
            most=MAX_LINES,
        )

    async def refused(self, visit: Visit) -> Response:
        """What was said where mail for an address was refused. ForbiddenError for another's."""
        try:
            found = await self._transcripts.refused(visit.actor, visit["email"], LISTED)
        except UnauthenticatedError as e:  # he has signed in: it would not help to do so again
            raise ForbiddenError(e.public) from e
        return visit.shown(
            "account/refused.html",
            email=visit["email"],
            refused=[{**each, "transcript": _timed(each["transcript"])} for each in found],
            most=MAX_LINES,
        )


def _timed(transcript: dict[str, Any]) -> dict[str, Any]:
    """With how many seconds after the connection each line came."""
    began = datetime.fromisoformat(transcript["began"])

    def after_s(at: str | None) -> str:
        if at is None:
            return ""
        return f"{(datetime.fromisoformat(at) - began).total_seconds():.3f}"

    lines = [{**line, "after": after_s(line["at"])} for line in transcript["lines"]]
    return {**transcript, "lines": lines}
