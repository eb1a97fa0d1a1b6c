"""The call that has a message sent to an address of one's own, to see what comes of it."""

from functools import partial
from typing import Final

from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.sending.samples import SampleMail

_operation = partial(Operation, tag="Addresses", refusals=(400, 401, 403, 404, 429, 503))
_SAMPLE: Final = {
    "type": "object",
    "required": ["_id", "inbox"],
    "properties": {
        "_id": {"type": "string", "description": "The message's"},
        "inbox": {"type": "string", "description": "Where it went, by forwards and catch-all"},
    },
}


class SampleCalls:
    """The handler of the call, and its declaration."""

    def __init__(self, samples: SampleMail) -> None:
        self._samples = samples

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call of this group."""
        return (
            _operation(
                method="POST",
                path="/api/addresses/{email}/sample-message",
                id="sendSample",
                summary="Have a short message arrive at an address of the account",
                description="It is kept, pushed and posted to the webhook as all mail of the "
                "address is.",
                parameters=(EMAIL,),
                needs_account=True,
                answers=(schemas.json_answer("It has arrived", _SAMPLE),),
                handler=self.send,
            ),
        )

    async def send(self, call: Call) -> Response:
        """Store the message, and answer with its id."""
        id_, inbox = await self._samples.send(call.actor, call["email"])
        return json_response({"_id": id_, "inbox": inbox})
