"""The call about what happened."""

from dataclasses import replace
from typing import Any, Final

from mailsacd.core.activity import Event
from mailsacd.core.token import iso_time, time_of
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import LIMIT, SINCE, SKIP, UNTIL, Parameter, text_up_to
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.records.activity import MAX_A_DAY, Activity

_MAX_KIND: Final = 40
KIND: Final = Parameter(
    name="kind",
    where="query",
    description="Only events of this kind.",
    schema={"type": "string", "maxLength": _MAX_KIND, "examples": ["received"]},
    convert=text_up_to(_MAX_KIND),
)
_FIELDS: Final[dict[str, Any]] = {
    "_id": {"type": "string", "description": "Rises with time"},
    "time": schemas.TIME,
    "kind": {
        "type": "string",
        "description": "`received`, `refused`, `throttled`, `signed-in`, `sign-in-failed`, …",
    },
    "code": {"type": ["integer", "null"], "description": "The SMTP reply or HTTP status"},
    "subject": {"type": "string", "description": "The address, domain or peer that it is about"},
    "detail": {"type": "string", "description": "Of a message received, its `_id`"},
    "times": {"type": "integer", "minimum": 1, "description": "How often, within seconds"},
}


class ActivityCalls:
    """The handler of the call about what happened, and its declaration."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call about what happened."""
        event = schemas.object_of(_FIELDS)
        about = "events"
        return (
            Operation(
                method="GET",
                path="/api/activity",
                id="listActivity",
                tag="Account",
                summary="What happened to the account of late, newest first",
                description="For as long as the plan has it (`activity_minutes`). Of more than "
                f"{MAX_A_DAY:,} things in a day the rest is only counted, by the hour: the subject "
                "is `*` then.",
                parameters=(
                    replace(UNTIL, description=UNTIL.description.replace("messages", about)),
                    replace(SINCE, description=SINCE.description.replace("messages", about)),
                    replace(LIMIT, description=LIMIT.description.replace("messages", about)),
                    SKIP,
                    KIND,
                ),
                answers=(schemas.json_answer("The list", schemas.list_of(event)),),
                refusals=(400, 401, 503),
                handler=self.list,
            ),
        )

    async def list(self, call: Call) -> Response:
        """Answer with the account's events, newest first."""
        found = await self._activity.list(
            call.actor,
            kind=call["kind"],
            since_ms=call["since"],
            until_ms=call["until"],
            limit=call["limit"],
            skip=call["skip"],
        )
        return json_response([_shown(event) for event in found])


def _shown(event: Event) -> dict[str, Any]:
    return {
        "_id": event.id,
        "time": iso_time(time_of(event.id)),
        "kind": event.kind,
        "code": event.code,
        "subject": event.subject,
        "detail": event.detail,
        "times": event.times,
    }
