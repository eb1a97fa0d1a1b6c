"""The call that tells all that is known of a message."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec

from mailsacd.core.token import iso_time_from_ms
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID
from mailsacd.http.calls.transcripts import TRANSCRIPT
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.evidence import Evidence

SOURCES: Final[Mapping[str, Mapping[str, Any]]] = {
    "auth": schemas.named("Authentication"),
    "spam": schemas.named("SpamReport"),
    "checks": schemas.named("CheckResults"),
    "codes": schemas.named("CodesAndLinks"),
    "transcript": TRANSCRIPT,
}
"""What the answer consists of, with the schema of each."""

_ANSWER: Final = schemas.object_of(
    {
        "_id": schemas.STRING,
        "gathered": schemas.TIME,
        "message": schemas.named("Message"),
        **{name: {"anyOf": [schema, {"type": "null"}]} for name, schema in SOURCES.items()},
        "missing": {
            "type": "object",
            "additionalProperties": schemas.STRING,
            "description": "Of what is null: why",
        },
    }
)

_operation = partial(Operation, tag="Messages", refusals=(400, 401, 403, 404, 503))


class EvidenceCalls:
    """The handler of this call, and its declaration."""

    def __init__(self, evidence: Evidence) -> None:
        """``evidence`` has the sources whose names are in SOURCES."""
        self._evidence = evidence

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call of this group."""
        return (
            _operation(
                method="GET",
                path="/api/addresses/{email}/messages/{messageId}/evidence",
                id="getMessageEvidence",
                summary="All that is known of a message, to be kept",
                description="The message as it is now, and what the calls about it answer that "
                "have these names. What there is nothing of is null, and `missing` says why. It is "
                "gathered anew after a minute.",
                parameters=(EMAIL, MESSAGE_ID),
                answers=(schemas.json_answer("The evidence", _ANSWER),),
                handler=self.evidence,
            ),
        )

    async def evidence(self, call: Call) -> Response:
        """Answer with the message, what was found, and why something is missing."""
        message_id = call["messageId"]
        message, findings = await self._evidence.of_message(call.actor, call["email"], message_id)
        return json_response(
            {
                "_id": message_id,
                "gathered": iso_time_from_ms(findings.gathered_ms),
                "message": msgspec.Raw(message.as_json()),
                **{name: findings.found.get(name) for name in SOURCES},
                "missing": findings.missing,
            }
        )
