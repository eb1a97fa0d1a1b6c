"""The calls by which operators see how much there is, and who came too fast."""

from functools import partial
from typing import Any, Final

from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import Parameter, whole_number
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.operating.figures import OperatorFigures
from mailsacd.store.activity import Throttled

MAX_HOURS: Final = 720

_operation = partial(Operation, tag="Operator", refusals=(400, 401, 403, 503))
_COUNT: Final = {"type": "integer", "minimum": 0}


_TOTALS: Final = schemas.object_of(
    {
        "stored": {
            "type": "object",
            "additionalProperties": _COUNT,
            "description": "How much there is, by what: messages, accounts, bytes …",
        },
        "month": schemas.STRING,
        "operations": schemas.list_of(
            schemas.object_of({"account": schemas.STRING, "kind": schemas.STRING, "count": _COUNT})
        ),
    }
)
_THROTTLED: Final = schemas.object_of(
    {
        "who": {"type": "string", "description": "A peer, a domain, an address or an account"},
        "account": {"type": ["string", "null"], "description": "Whose it is, where it is known"},
        "slowed": _COUNT,
        "sentAway": _COUNT,
        "last": schemas.TIME,
    }
)
HOURS: Final = Parameter(
    name="hours",
    where="query",
    description="Within so many hours.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_HOURS, "default": 1},
    convert=whole_number(MAX_HOURS, least=1),
    default=1,
)


class OperatorFigureCalls:
    """The handlers of these calls, and their declarations."""

    def __init__(self, figures: OperatorFigures) -> None:
        self._figures = figures

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls of operators about figures."""
        return (
            _operation(
                method="GET",
                path="/api/operator/stats",
                id="operatorGetStats",
                summary="How much is stored, and the operations of this month by account",
                description="Mail is counted as it comes and goes; its bytes are of messages, a "
                "copy for each recipient. Of very many addresses the number is an estimate.",
                answers=(schemas.json_answer("The numbers", _TOTALS),),
                handler=self.totals,
            ),
            _operation(
                method="GET",
                path="/api/operator/throttled",
                id="operatorListThrottled",
                summary="Who was slowed or sent away for coming too fast, the most often first",
                parameters=(HOURS,),
                answers=(schemas.json_answer("The list", schemas.list_of(_THROTTLED)),),
                handler=self.throttled,
            ),
        )

    async def totals(self, call: Call) -> Response:
        """Answer with how much there is, and who used how much."""
        return json_response(await self._figures.totals(call.actor))

    async def throttled(self, call: Call) -> Response:
        """Answer with who came too fast of late."""
        found = await self._figures.throttled(call.actor, hours=call["hours"])
        return json_response([throttled_json(each) for each in found])


def throttled_json(throttled: Throttled) -> dict[str, Any]:
    """Who came too fast, as operators are shown it."""
    return {
        "who": throttled.subject,
        "account": throttled.account,
        "slowed": throttled.slowed,
        "sentAway": throttled.sent_away,
        "last": iso_time(throttled.last),
    }
