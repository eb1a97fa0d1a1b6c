"""The call that tells who sent a message."""

from functools import partial

from mailsacd.core.authentication import Authentication
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.authentication.on_request import ChecksOnRequest

_operation = partial(Operation, tag="Messages", refusals=(400, 401, 403, 404, 503))


class AuthenticationCalls:
    """The handler of this call, and its declaration."""

    def __init__(self, checks: ChecksOnRequest) -> None:
        self._checks = checks

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call of this group."""
        return (
            _operation(
                method="GET",
                path="/api/addresses/{email}/messages/{messageId}/authentication",
                id="getMessageAuthentication",
                summary="Who sent a message, as SPF, DKIM, ARC and DMARC tell",
                description="What `auth` of the message is; where that is null it is found out "
                "now, and kept. So it is where the DNS had failed (`temperror`).",
                parameters=(EMAIL, MESSAGE_ID),
                answers=(
                    schemas.json_answer("The results", schemas.named("MessageAuthentication")),
                ),
                handler=self.authentication,
            ),
        )

    async def authentication(self, call: Call) -> Response:
        """Answer with who sent a message: ``{_id, auth}``."""
        message_id = call["messageId"]
        found: Authentication = await self._checks.authentication(
            call.actor, call["email"], message_id
        )
        return json_response({"_id": message_id, "auth": found})
