"""The call that tells how likely a message is spam."""

from functools import partial

from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.spam.on_request import ScoresOnRequest

_operation = partial(Operation, tag="Messages", refusals=(400, 401, 403, 404, 503))


class SpamCalls:
    """The handler of this call, and its declaration."""

    def __init__(self, scores: ScoresOnRequest) -> None:
        self._scores = scores

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call of this group."""
        return (
            _operation(
                method="GET",
                path="/api/addresses/{email}/messages/{messageId}/spam",
                id="getMessageSpam",
                summary="How likely a message is spam, who says so, and why",
                description="`score` is what `spam` of the message is. A message that was not "
                "scored yet is scored now, and stays in its folder; `spam` is null where nobody "
                "says anything of it. 503: the scorer does not answer.",
                parameters=(EMAIL, MESSAGE_ID),
                answers=(schemas.json_answer("The report", schemas.named("MessageSpam")),),
                handler=self.spam,
            ),
        )

    async def spam(self, call: Call) -> Response:
        """Answer with what a scorer says of a message: ``{_id, spam}``."""
        message_id = call["messageId"]
        report = await self._scores.report(call.actor, call["email"], message_id)
        return json_response({"_id": message_id, "spam": report})
