"""The calls by which operators refuse mail, and look after mail on its way out."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import Meta

from mailsacd.core.outgoing import Outgoing
from mailsacd.core.outgoing_form import shown
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import LIMIT, SKIP, Parameter, text_up_to, yes_or_no
from mailsacd.http.calls.operator_accounts import PAGE
from mailsacd.http.calls.outgoing import OUTGOING, OUTGOING_ID, RecipientBody
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.operating.mail import OperatorMail
from mailsacd.mail.receiving.denylist_entry import MAX_REASON_CHARACTERS
from mailsacd.mail.sending.outgoing_queue import selected
from mailsacd.store.denylist import Denied
from mailsacd.store.outgoing_queue import Change

_operation = partial(Operation, tag="Operator", refusals=(400, 401, 403, 503))
_DENYLIST: Final = "/api/operator/denylist"
_QUEUE: Final = "/api/operator/queue"
_MAX_ENTRY: Final = 320
_MAX_NAME: Final = 254


_DENIED: Final = schemas.object_of(
    {
        "entry": schemas.STRING,
        "recipient": {"type": "boolean", "description": "Mail to it is refused, not from it"},
        "reason": schemas.STRING,
        "created": schemas.TIME,
        "expires": schemas.TIME_OR_NULL,
    }
)
_WAITING: Final[dict[str, Any]] = {
    **OUTGOING,
    "required": ["account", *OUTGOING["required"]],
    "properties": {
        "account": {"type": ["string", "null"], "description": "Whose it is; null: the server's"},
        **OUTGOING["properties"],
    },
}
_DENIED_ENTRY: Final = schemas.object_of({"entry": schemas.STRING})
_CHANGED: Final = schemas.object_of({"recipients": {"type": "integer", "minimum": 0}})


def _text(name: str, description: str, *, required: bool = False) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description=description,
        schema={"type": "string"},
        convert=text_up_to(_MAX_ENTRY),
        required=required,
    )


def _flag(name: str, description: str) -> Parameter:
    return Parameter(
        name=name,
        where="query",
        description=description,
        schema={"type": "boolean"},
        convert=yes_or_no,
        default=False,
    )


class DenyBody(msgspec.Struct, frozen=True, kw_only=True):
    """``entry`` is a mail address, a domain with all below it, an IP address or a network.

    ``for`` is a time such as ``7d``; without one it is refused for good.
    """

    entry: Annotated[str, Meta(min_length=1, max_length=_MAX_ENTRY)]
    recipient: bool = False
    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)] = ""
    lasting: Annotated[str, Meta(max_length=40)] = msgspec.field(default="", name="for")


class QueueChangeBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to all that waits of an ``account``, at a ``domain``, or to ``all``."""

    change: Change
    account: Annotated[str, Meta(max_length=_MAX_NAME)] | None = None
    domain: Annotated[str, Meta(max_length=_MAX_NAME)] | None = None
    all: bool = False


class OperatorMailCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, mail: OperatorMail) -> None:
        self._mail = mail

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls of operators about the denylist and the queue."""
        return (*self._denying(), *self._looking(), *self._changing())

    def _denying(self) -> tuple[Operation, ...]:
        recipient = _flag("recipient", "It is whom mail is for.")
        return (
            _operation(
                method="GET",
                path=_DENYLIST,
                id="operatorListDenied",
                summary="Whose mail is refused, and whom mail is refused for",
                parameters=PAGE,
                answers=(schemas.json_answer("The list", schemas.list_of(_DENIED)),),
                handler=self.denied,
            ),
            _operation(
                method="POST",
                path=_DENYLIST,
                id="operatorDeny",
                summary="Refuse mail from an entry, or to it",
                body=DenyBody,
                needs_account=True,
                answers=(schemas.json_answer("The entry", _DENIED_ENTRY),),
                handler=self.deny,
            ),
            _operation(
                method="DELETE",
                path=_DENYLIST,
                id="operatorAllow",
                summary="Take mail from an entry, or to it, again",
                parameters=(_text("entry", "What is on the list.", required=True), recipient),
                needs_account=True,
                answers=(Answer(status=204, description="It is taken again", schemas={}),),
                refusals=(400, 401, 403, 404, 503),
                handler=self.allow,
            ),
        )

    def _looking(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path=_QUEUE,
                id="operatorListQueue",
                summary="Mail on its way out, whoever sends it, the oldest first",
                parameters=(
                    _text("account", "Only what this account sends."),
                    _text("domain", "Only what goes to this domain."),
                    _flag("ended", "Also what no recipient waits for any more."),
                    replace(LIMIT, description="At most so many."),
                    SKIP,
                ),
                answers=(schemas.json_answer("The list", schemas.list_of(_WAITING)),),
                handler=self.queue,
            ),
            _operation(
                method="GET",
                path=f"{_QUEUE}/{{outgoingId}}",
                id="operatorGetQueued",
                summary="What has become of each recipient of a message, whoever sends it",
                parameters=(OUTGOING_ID,),
                needs_account=True,
                answers=(schemas.json_answer("The message", _WAITING),),
                refusals=(400, 401, 403, 404, 503),
                handler=self.queued,
            ),
        )

    def _changing(self) -> tuple[Operation, ...]:
        several = _operation(
            method="POST",
            path=_QUEUE,
            id="operatorChangeQueue",
            summary="Send at once, cancel, hold or release all that waits of an account or domain",
            body=QueueChangeBody,
            needs_account=True,
            answers=(schemas.json_answer("How many recipients that is", _CHANGED),),
            handler=self.change_all,
        )
        changes: tuple[Change, ...] = get_args(Change)
        return several, *(
            _operation(
                method="POST",
                path=f"{_QUEUE}/{{outgoingId}}/{change}",
                id=f"operator{change.title()}Queued",
                summary=f"Have a message {_DONE[change]}, or one recipient of it",
                parameters=(OUTGOING_ID,),
                body=RecipientBody,
                needs_account=True,
                answers=(schemas.json_answer("The message", _WAITING),),
                refusals=(400, 401, 403, 404, 409, 503),
                handler=partial(self.change, change),
            )
            for change in changes
        )

    async def denied(self, call: Call) -> Response:
        """Answer with the denylist."""
        found = await self._mail.denied(
            call.actor, query=call["query"], limit=call["limit"], skip=call["skip"]
        )
        return json_response([denied_json(each) for each in found])

    async def deny(self, call: Call) -> Response:
        """Put an entry on the denylist, and answer with its normal form."""
        body: DenyBody = call.body
        entry = await self._mail.deny(
            call.actor, body.entry, body.reason, recipient=body.recipient, lasting=body.lasting
        )
        return json_response({"entry": entry})

    async def allow(self, call: Call) -> Response:
        """Take an entry off the denylist, and answer 204."""
        await self._mail.allow(call.actor, call["entry"], recipient=call["recipient"])
        return Response(status=204)

    async def queue(self, call: Call) -> Response:
        """Answer with what is on its way, the oldest first."""
        which = selected(call["account"], call["domain"])
        found = await self._mail.outgoing(
            call.actor, which, ended=call["ended"], limit=call["limit"], skip=call["skip"]
        )
        return json_response([outgoing_json(one) for one in found])

    async def queued(self, call: Call) -> Response:
        """Answer with one message on its way."""
        found = await self._mail.outgoing_message(call.actor, call["outgoingId"])
        return json_response(outgoing_json(found))

    async def change(self, change: Change, call: Call) -> Response:
        """Change a message or one recipient of it, and answer with it as it is then."""
        body: RecipientBody = call.body
        changed = await self._mail.change(
            call.actor, change, call["outgoingId"], body.recipient or None
        )
        return json_response(outgoing_json(changed))

    async def change_all(self, call: Call) -> Response:
        """Change all that is selected, and answer how many recipients that is."""
        body: QueueChangeBody = call.body
        which = selected(body.account, body.domain)
        count = await self._mail.change_all(call.actor, body.change, which, everything=body.all)
        return json_response({"recipients": count})


_DONE: Final[dict[Change, str]] = {
    "retry": "sent at once",
    "cancel": "sent no more",
    "hold": "kept until it is released",
    "release": "sent that was held",
}


def denied_json(denied: Denied) -> dict[str, Any]:
    """An entry of the denylist, as operators are shown it."""
    return {
        "entry": denied.entry,
        "recipient": denied.recipient,
        "reason": denied.reason,
        "created": iso_time(denied.created),
        "expires": denied.expires and iso_time(denied.expires),
    }


def outgoing_json(outgoing: Outgoing) -> dict[str, Any]:
    """A message on its way, as operators are shown it: with whose it is."""
    return {"account": outgoing.account, **shown(outgoing)}
