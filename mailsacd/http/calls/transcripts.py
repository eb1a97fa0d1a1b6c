"""The calls that tell what was said by SMTP about a message, or where mail was refused."""

from functools import partial
from typing import Any, Final

from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, MESSAGE_ID, Parameter, whole_number
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.reading.transcripts import MAX_LISTED, Transcripts

_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_COUNT_OR_NULL: Final = {"type": ["integer", "null"], "minimum": 0}
_FLAG: Final = {"type": "boolean"}


def _object_or_null(properties: dict[str, Any]) -> dict[str, Any]:
    return {**schemas.object_of(properties), "type": ["object", "null"]}


_TLS: Final = _object_or_null(
    {"version": schemas.STRING, "cipher": schemas.STRING, "bits": {"type": "integer"}}
)
_CERTIFICATE: Final = _object_or_null(
    {
        "subject": schemas.STRING,
        "issuer": schemas.STRING,
        "serial": {"type": "string", "description": "In hex"},
        "notBefore": schemas.TIME,
        "notAfter": schemas.TIME,
        "sha256": {"type": "string", "description": "Its fingerprint in hex"},
    }
)
_RECIPIENT: Final = schemas.object_of(
    {
        "to": {"type": "string", "description": "As it was mailed; empty where it is no address"},
        "code": {**_COUNT_OR_NULL, "description": "Of the reply to RCPT; null: there was none"},
        "status": _TEXT_OR_NULL,
    }
)
_LINE: Final = schemas.object_of(
    {
        "at": {**schemas.TIME_OR_NULL, "description": "Null for the answer to a stored message"},
        "by": {"enum": ["client", "server"]},
        "text": {"type": "string", "description": "Lines of a reply are parted by LF"},
        "omitted": {
            **_TEXT_OR_NULL,
            "description": "What of it is not kept: message, credentials, arguments, unknown (no "
            "command that is known), unreadable (too long, or with a bare CR or LF)",
        },
        "bytes": {**_COUNT_OR_NULL, "description": "How many bytes are not kept"},
    }
)
_FIELDS: Final = {
    "began": {**schemas.TIME, "description": "When the client was connected"},
    "peer": {"type": "string", "description": "The client's IP address"},
    "via": {"type": "string", "description": "The IP address that it connected to"},
    "port": {"type": "string", "description": "smtp, capture, or one of these with -tls"},
    "helo": {"type": "string", "description": "What it calls itself"},
    "protocol": {"type": "string", "description": "As in Received: SMTP, ESMTP, ESMTPS …"},
    "login": {**_TEXT_OR_NULL, "description": "The account that had logged in, told itself alone"},
    "tls": _TLS,
    "clientCertificate": {**_CERTIFICATE, "description": "What it showed; nobody verifies it"},
    "from": {**_TEXT_OR_NULL, "description": "The reverse-path, empty for a bounce"},
    "recipients": schemas.list_of(_RECIPIENT),
    "declaredSize": {**_COUNT_OR_NULL, "description": "What SIZE= promised"},
    "size": {**_COUNT_OR_NULL, "description": "Bytes of the message as it came"},
    "chunked": {**_FLAG, "description": "It came by BDAT"},
    "code": {**_COUNT_OR_NULL, "description": "Of the reply to the message"},
    "limited": {**_FLAG, "description": "There were too many lines: some are left out"},
    "lines": schemas.list_of(_LINE),
}
TRANSCRIPT: Final = schemas.object_of(_FIELDS)
_OF_MESSAGE: Final = schemas.object_of(
    {"_id": schemas.STRING, "transcript": _object_or_null(_FIELDS)},
)
_REFUSED: Final = schemas.object_of(
    {
        "_id": schemas.STRING,
        "inbox": {"type": "string", "description": "Where the mail would have gone"},
        "received": {**schemas.TIME, "description": "When it was refused"},
        "transcript": TRANSCRIPT,
    }
)

_operation = partial(Operation, tag="Messages", refusals=(400, 401, 403, 404, 503))

LIMIT: Final = Parameter(
    name="limit",
    where="query",
    description="How many at most, the newest first.",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_LISTED, "default": 20},
    convert=whole_number(MAX_LISTED),
    default=20,
)


class TranscriptCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, transcripts: Transcripts) -> None:
        self._transcripts = transcripts

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about transcripts."""
        return (
            _operation(
                method="GET",
                path="/api/addresses/{email}/messages/{messageId}/transcript",
                id="getMessageTranscript",
                summary="What was said by SMTP about a message",
                description="Null where it was not kept. Its recipients are those whom the message "
                "names, and the asker's own: others had blind copies.",
                parameters=(EMAIL, MESSAGE_ID),
                answers=(schemas.json_answer("The transcript", _OF_MESSAGE),),
                handler=self.of_message,
            ),
            _operation(
                method="GET",
                path="/api/addresses/{email}/refused-transcripts",
                id="listRefusedTranscripts",
                summary="What was said by SMTP where mail for an address was refused",
                description="For who owns the address or its domain, and for operators.",
                parameters=(EMAIL, LIMIT),
                answers=(schemas.json_answer("The newest ones", schemas.list_of(_REFUSED)),),
                handler=self.refused,
            ),
        )

    async def of_message(self, call: Call) -> Response:
        """Answer with the transcript of a message."""
        message_id = call["messageId"]
        found: dict[str, Any] | None = await self._transcripts.of_message(
            call.actor, call["email"], message_id
        )
        return json_response({"_id": message_id, "transcript": found})

    async def refused(self, call: Call) -> Response:
        """Answer with those of refused transactions."""
        found = await self._transcripts.refused(call.actor, call["email"], call["limit"])
        return json_response(found)
