"""The calls about webhooks: what became of deliveries, and what they are signed with."""

import re
from dataclasses import replace
from functools import partial
from typing import Any, Final

from mailsacd.core.address import inbox_of
from mailsacd.core.delivery import STATES, Delivery
from mailsacd.core.errors import BadAddressError, NotFoundError
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL, LIMIT, SKIP, Parameter, one_of
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.delivering.deliveries import BOTH_SECRETS_FOR, KEPT_FOR, Deliveries
from mailsacd.mail.delivering.webhook_tests import WebhookTests

_TAG: Final = "Webhooks"
_REFUSALS: Final = (400, 401, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_ID_FORM: Final = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")
_FIELDS: Final[dict[str, Any]] = {
    "_id": {"type": "string", "description": "The event's id: `webhook-id`, in each attempt"},
    "address": {"type": "string", "description": "The address whose setting it is"},
    "kind": {"enum": ["webhook", "slack"]},
    "url": {"type": "string"},
    "inbox": {"type": "string"},
    "messageId": {"type": "string", "description": "The message's `_id`"},
    "state": {"enum": list(STATES)},
    "attempts": {"type": "integer", "minimum": 0},
    "code": {"type": ["integer", "null"], "description": "HTTP status of the last attempt"},
    "error": {"type": "string", "description": "Why the last attempt failed"},
    "created": schemas.TIME,
    "nextAttempt": schemas.TIME_OR_NULL,
    "finished": schemas.TIME_OR_NULL,
    "test": {"type": "boolean", "description": "Somebody asked for it; of no stored message"},
}
_DELIVERY: Final = schemas.object_of(_FIELDS)
_SECRET: Final = schemas.object_of(
    {"secret": {"type": "string", "pattern": "^whsec_[A-Za-z0-9+/]+=*$"}}
)


def _delivery_id(text: str) -> str:
    if not _ID_FORM.match(text):
        raise NotFoundError("There is no such delivery")
    return text


def _address(text: str) -> str:
    try:
        return str(inbox_of(text))
    except BadAddressError as e:
        raise ValueError(f"is no mail address: {e.public}") from e


_DELIVERY_ID: Final = Parameter(
    name="deliveryId",
    where="path",
    description="The delivery's `_id`.",
    schema={"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"},
    convert=_delivery_id,
)
_ADDRESS: Final = Parameter(
    name="address",
    where="query",
    description="Only those of this address's settings.",
    schema={"type": "string"},
    convert=_address,
)
_STATE: Final = Parameter(
    name="state",
    where="query",
    description="Only those in this state.",
    schema={"type": "string", "enum": ["", *STATES]},
    convert=one_of(*STATES),
)


class DeliveryCalls:
    """The handlers of the calls about webhooks, and their declarations."""

    def __init__(self, deliveries: Deliveries, tests: WebhookTests) -> None:
        self._deliveries = deliveries
        self._tests = tests

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about webhooks."""
        return (*self._delivering(), self._testing(), *self._signing())

    def _delivering(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/webhooks/deliveries",
                id="listDeliveries",
                summary="What is posted to the account's webhooks and Slack, newest mail first",
                description=f"Those that ended are kept for {KEPT_FOR.days} days.",
                parameters=(
                    _ADDRESS,
                    _STATE,
                    replace(LIMIT, description="At most so many."),
                    SKIP,
                ),
                answers=(schemas.json_answer("The list", schemas.list_of(_DELIVERY)),),
                handler=self.list,
            ),
            _operation(
                method="POST",
                path="/api/webhooks/deliveries/{deliveryId}/redeliver",
                id="redeliver",
                summary="Post it again now, with the same id, to the URL that is set now",
                parameters=(_DELIVERY_ID,),
                answers=(schemas.json_answer("The delivery", _DELIVERY),),
                refusals=(*_REFUSALS, 403, 404, 409),
                handler=self.redeliver,
            ),
        )

    def _testing(self) -> Operation:
        return _operation(
            method="POST",
            path="/api/addresses/{email}/webhook-test",
            id="testWebhook",
            summary="Post a message that says so to an address's webhook and Slack, once and soon",
            description="What came of it is in the list of deliveries.",
            parameters=(EMAIL,),
            needs_account=True,
            answers=(schemas.json_answer("The deliveries", schemas.list_of(_DELIVERY)),),
            refusals=(*_REFUSALS, 403, 404, 409, 429),
            handler=self.test,
        )

    def _signing(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path="/api/webhooks/secret",
                id="getWebhookSecret",
                summary="What the account's webhooks are signed with",
                answers=(schemas.json_answer("The secret", _SECRET),),
                handler=self.secret,
            ),
            _operation(
                method="POST",
                path="/api/webhooks/secret",
                id="rotateWebhookSecret",
                summary="Make a new secret",
                description="The one before signs along for "
                f"{BOTH_SECRETS_FOR.total_seconds() / 3600:.0f} hours.",
                answers=(schemas.json_answer("The secret", _SECRET),),
                refusals=(*_REFUSALS, 403),
                handler=self.rotate,
            ),
        )

    async def list(self, call: Call) -> Response:
        """Answer with the account's deliveries, those of the newest mail first."""
        found = await self._deliveries.list(
            call.actor,
            address=call["address"],
            state=call["state"],
            limit=call["limit"],
            skip=call["skip"],
        )
        return json_response([_shown(delivery) for delivery in found])

    async def redeliver(self, call: Call) -> Response:
        """Have a delivery posted again now, and answer with it as it is then."""
        return json_response(
            _shown(await self._deliveries.redeliver(call.actor, call["deliveryId"]))
        )

    async def test(self, call: Call) -> Response:
        """Test an address's hooks, and answer with the deliveries, which are under way."""
        made = await self._tests.begin(call.actor, call["email"])
        return json_response([_shown(delivery) for delivery in made])

    async def secret(self, call: Call) -> Response:
        """Answer with the secret that the account's webhooks are signed with."""
        return json_response({"secret": await self._deliveries.secret(call.actor)})

    async def rotate(self, call: Call) -> Response:
        """Make a new secret, and answer with it; the one before signs along for a while."""
        return json_response({"secret": await self._deliveries.rotate_secret(call.actor)})


def _shown(delivery: Delivery) -> dict[str, Any]:
    due = delivery.due if delivery.state == "pending" else None
    return {
        "_id": delivery.id,
        "address": delivery.address,
        "kind": delivery.kind,
        "url": delivery.url,
        "inbox": delivery.inbox,
        "messageId": delivery.message_id,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "code": delivery.code,
        "error": delivery.error,
        "created": iso_time(delivery.created),
        "nextAttempt": None if due is None else iso_time(due),
        "finished": None if delivery.finished is None else iso_time(delivery.finished),
        "test": delivery.is_test,
    }
