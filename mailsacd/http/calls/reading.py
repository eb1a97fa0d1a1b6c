"""The calls for who reads one message: the codes in it, and the messages beside it."""

from functools import partial
from typing import Final

import msgspec

from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.mailbox import Mailbox
from mailsacd.mail.reading.message_codes import WEIGHT, codes_of

_MESSAGE: Final = "/api/addresses/{email}/messages/{messageId}"
_operation = partial(
    Operation,
    method="GET",
    tag="Messages",
    parameters=(EMAIL, MESSAGE_ID),
    refusals=(400, 401, 403, 404, 503),
    within_scope=True,
)


class ReadingCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls for who reads one message."""
        return (
            _operation(
                path=f"{_MESSAGE}/codes",
                id="getMessageCodes",
                summary="The one-time codes that a message tells, and its confirmation links",
                description="Codes are as somebody types them, without spaces; the likeliest "
                "first, three at most. They are looked for in subject, text and HTML, near words "
                "that say what they are. `links` confirm an address, have a new password chosen or "
                "sign in, five at most. How likely each is and where it stands is told, too.",
                answers=(schemas.json_answer("What was found", schemas.named("MessageCodes")),),
                handler=self.codes,
            ),
            _operation(
                path=f"{_MESSAGE}/neighbours",
                id="getMessageNeighbours",
                summary="The messages that came to the inbox next after one, and before it",
                description="Of those that the caller sees there; null where there is none.",
                answers=(schemas.json_answer("Their ids", schemas.named("MessageNeighbours")),),
                handler=self.neighbours,
            ),
        )

    async def codes(self, call: Call) -> Response:
        """Answer with the codes and links of a message: ``{_id, codes, found, links}``."""
        message_id = call["messageId"]
        seen = await self._mailbox.view(
            call.actor, call["email"], message_id, codes_of, weight=WEIGHT
        )
        return json_response({"_id": message_id, **msgspec.structs.asdict(seen)})

    async def neighbours(self, call: Call) -> Response:
        """Answer with the ids of the messages beside one: ``{_id, newer, older}``."""
        message_id = call["messageId"]
        found = await self._mailbox.neighbours(call.actor, call["email"], message_id)
        return json_response({"_id": message_id, "newer": found.newer, "older": found.older})
