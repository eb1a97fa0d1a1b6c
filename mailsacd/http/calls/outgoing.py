"""The calls that send mail, and tell what became of it."""

import re
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import Meta

from mailsacd.core.errors import NotFoundError
from mailsacd.core.outgoing import Origin, RecipientState
from mailsacd.core.outgoing_form import shown
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import LIMIT, SKIP, Parameter, whole_number
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.sending.message_fields import MessageFields
from mailsacd.mail.sending.outgoing_queue import OutgoingQueue
from mailsacd.mail.sending.submission import Submission
from mailsacd.store.outgoing_queue import Change

MAX_LISTED: Final = 100
_ANY_SIZE: Final = 2**31  # http.max_body_bytes and message.max_bytes are the limits
_REFUSALS: Final = (400, 401, 503)
_operation = partial(Operation, tag="Sending", refusals=_REFUSALS, needs_account=True)
_ID_FORM: Final = re.compile(r"[0-9a-z]{1,64}\Z")
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_RECIPIENT_FIELDS: Final[dict[str, Any]] = {
    "address": schemas.STRING,
    "state": {"enum": list(get_args(RecipientState))},
    "sending": {"type": "boolean", "description": "It is being sent just now"},
    "attempts": {"type": "integer", "minimum": 0},
    "nextAttempt": schemas.TIME_OR_NULL,
    "code": {"type": ["integer", "null"], "description": "SMTP reply code of the last attempt"},
    "status": {**_TEXT_OR_NULL, "description": "Its enhanced status code (RFC 3463)"},
    "reply": {**_TEXT_OR_NULL, "description": "Its text, or why there was none"},
    "host": {**_TEXT_OR_NULL, "description": "Who said it"},
    "lastAttempt": schemas.TIME_OR_NULL,
    "finished": schemas.TIME_OR_NULL,
}
_RECIPIENT: Final = schemas.object_of(_RECIPIENT_FIELDS)
_FIELDS: Final[dict[str, Any]] = {
    "_id": schemas.STRING,
    "from": {"type": "string", "description": "The envelope's sender"},
    "to": {**schemas.list_of(schemas.STRING), "description": "All recipients"},
    "subject": schemas.STRING,
    "messageId": {"type": "string", "description": "Without angle brackets"},
    "size": {"type": "integer", "minimum": 0},
    "origin": {"enum": list(get_args(Origin))},
    "created": schemas.TIME,
    "ended": {**schemas.TIME_OR_NULL, "description": "When its last recipient was done with"},
    "recipients": schemas.list_of(_RECIPIENT),
}
OUTGOING: Final = schemas.object_of(_FIELDS)
_SENT: Final = schemas.object_of(
    {
        "_id": schemas.STRING,
        "to": {**schemas.list_of(schemas.STRING), "description": "All recipients"},
        "from": schemas.STRING,
        "creditsUsed": {"type": "integer", "minimum": 1, "description": "One a recipient"},
    }
)


def _outgoing_id(text: str) -> str:
    if not _ID_FORM.match(text):
        raise NotFoundError("There is no such message")
    return text


OUTGOING_ID: Final = Parameter(
    name="outgoingId",
    where="path",
    description="The outgoing message's `_id`.",
    schema={"type": "string", "pattern": "^[0-9a-z]{1,64}$"},
    convert=_outgoing_id,
)


class RecipientBody(msgspec.Struct, frozen=True, kw_only=True):
    """``recipient`` is the address of the one that is meant; without it, all are."""

    recipient: Annotated[str, Meta(max_length=320)] | None = None


class OutgoingCalls:
    """The handlers of the calls that send mail, and their declarations."""

    def __init__(self, submission: Submission, queue: OutgoingQueue) -> None:
        self._submission = submission
        self._queue = queue

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls that send mail."""
        return (self._sending(), *self._looking(), *self._changing())

    def _sending(self) -> Operation:
        return _operation(
            method="POST",
            path="/api/outgoing-messages",
            id="sendMessage",
            summary="Send a message",
            description="It is on disk when the answer comes, and is tried for days. `raw` is a "
            "whole message, beside which only the envelope (`from`, `to`, `cc`, `bcc`) and "
            "`received` count. `from` has to be a private address of the account's, or at one of "
            "its verified domains, or one that nobody has at a domain of the operator's.",
            body=MessageFields,
            max_body_bytes=_ANY_SIZE,
            answers=(schemas.json_answer("It is queued", _SENT),),
            refusals=(*_REFUSALS, 402, 403, 413, 429),
            handler=self.send,
        )

    def _looking(self) -> tuple[Operation, ...]:
        limit = replace(
            LIMIT,
            description="At most so many.",
            schema={**LIMIT.schema, "maximum": MAX_LISTED},
            convert=whole_number(MAX_LISTED),
        )
        return (
            _operation(
                method="GET",
                path="/api/outgoing-messages",
                id="listOutgoing",
                summary="What the account has sent, the newest first",
                parameters=(limit, SKIP),
                answers=(schemas.json_answer("The list", schemas.list_of(OUTGOING)),),
                handler=self.list,
            ),
            _operation(
                method="GET",
                path="/api/outgoing-messages/{outgoingId}",
                id="getOutgoing",
                summary="What has become of each recipient of a message",
                parameters=(OUTGOING_ID,),
                answers=(schemas.json_answer("The message", OUTGOING),),
                refusals=(*_REFUSALS, 404),
                handler=self.get,
            ),
        )

    def _changing(self) -> tuple[Operation, ...]:
        changes: tuple[tuple[Change, str], ...] = (
            ("cancel", "Send it no more, to one recipient or all that wait"),
            ("retry", "Send it at once, to one recipient or all that wait or have failed"),
        )
        return tuple(
            _operation(
                method="POST",
                path=f"/api/outgoing-messages/{{outgoingId}}/{change}",
                id=f"{change}Outgoing",
                summary=summary,
                description="A recipient that is being sent to just now stays as it is; 409 where "
                "that leaves none.",
                parameters=(OUTGOING_ID,),
                body=RecipientBody,
                answers=(schemas.json_answer("The message", OUTGOING),),
                refusals=(*_REFUSALS, 404, 409),
                handler=partial(self.change, change),
            )
            for change, summary in changes
        )

    async def send(self, call: Call) -> Response:
        """Queue a message, and answer with its id and what it cost."""
        sent = await self._submission.send(call.actor, call.body)
        return json_response(
            {"_id": sent.id, "to": sent.to, "from": sent.sender, "creditsUsed": len(sent.to)}
        )

    async def list(self, call: Call) -> Response:
        """Answer with what the account has sent, the newest first."""
        found = await self._queue.list_own(call.actor, limit=call["limit"], skip=call["skip"])
        return json_response([shown(outgoing) for outgoing in found])

    async def get(self, call: Call) -> Response:
        """Answer with one message."""
        return json_response(shown(await self._queue.get_own(call.actor, call["outgoingId"])))

    async def change(self, change: Change, call: Call) -> Response:
        """Cancel or retry a message or one recipient of it, and answer with it as it is then."""
        recipient = call.body.recipient or None
        changed = self._queue.change_own(call.actor, change, call["outgoingId"], recipient)
        return json_response(shown(await changed))
