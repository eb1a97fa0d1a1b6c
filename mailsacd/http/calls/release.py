"""The call that sends a stored message on. What may be sent to whom is in mail.sending.release."""

from functools import partial
from typing import Annotated, Final

import msgspec

from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.sending.release import Release

_operation = partial(Operation, tag="Sending", refusals=(400, 401, 402, 403, 404, 429, 503))
_MAX_RECIPIENTS: Final = 1_000  # message.max_recipients is the limit
_MAX_CHARACTERS: Final = 320

To = Annotated[str, msgspec.Meta(max_length=_MAX_CHARACTERS)]
_RELEASED: Final = schemas.object_of(
    {
        "_id": {"type": "string", "description": "Of the outgoing message"},
        "to": schemas.list_of(schemas.STRING),
        "from": {"type": "string", "description": "Who sends it on: the inbox, or the server"},
        "creditsUsed": {"type": "integer", "minimum": 1, "description": "One a recipient"},
    }
)


class ReleaseBody(msgspec.Struct, frozen=True, kw_only=True):
    """``to`` are the addresses that the message is sent on to: a text, or a list."""

    to: To | Annotated[list[To], msgspec.Meta(max_length=_MAX_RECIPIENTS)]


class ReleaseCalls:
    """The handler of the call that releases a message, and its declaration."""

    def __init__(self, release: Release) -> None:
        self._release = release

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call of this group."""
        return (
            _operation(
                method="POST",
                path="/api/addresses/{email}/messages/{messageId}/release",
                id="releaseMessage",
                summary="Send a stored message on",
                description="As it is, with `Resent-` fields before it, to addresses that the "
                "setting `relay.release_to` allows: by default none. Whoever may read the message "
                "may release it, with a key. 403 for an address that is not allowed.",
                parameters=(EMAIL, MESSAGE_ID),
                body=ReleaseBody,
                needs_account=True,
                answers=(schemas.json_answer("It is queued", _RELEASED),),
                handler=self.release,
            ),
        )

    async def release(self, call: Call) -> Response:
        """Queue the message, and answer with the outgoing one: ``{_id, to, from, creditsUsed}``."""
        body: ReleaseBody = call.body
        to = [body.to] if isinstance(body.to, str) else body.to
        released = await self._release.release(call.actor, call["email"], call["messageId"], to)
        return json_response(
            {
                "_id": released.id,
                "to": released.to,
                "from": released.sender,
                "creditsUsed": len(released.to),
            }
        )
