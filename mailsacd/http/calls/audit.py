"""The call about what was done to the account, and by whom."""

from dataclasses import replace
from typing import Any, Final, get_args

from mailsacd.core.audit import TOPICS, AuditEntry, By
from mailsacd.core.token import iso_time, time_of
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import LIMIT, SINCE, SKIP, UNTIL, Parameter, one_of
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.records.audit import AuditLog

_FIELDS: Final[dict[str, Any]] = {
    "_id": {"type": "string", "description": "Rises with time"},
    "time": schemas.TIME,
    "topic": {"enum": list(TOPICS)},
    "action": {"type": "string", "description": "`created`, `changed`, `removed`, `signed-in`, …"},
    "subject": {"type": "string", "description": "The key, login, address or domain"},
    "detail": {"type": "string", "description": "What is to be known beside that"},
    "by": {"enum": list(get_args(By))},
    "name": {"type": ["string", "null"], "description": "The login's or the API key's"},
    "ip": {"type": ["string", "null"], "description": "Where it was done from"},
}


TOPIC: Final = Parameter(
    name="topic",
    where="query",
    description="Only what was done to that.",
    schema={"type": "string", "enum": ["", *TOPICS]},
    convert=one_of(*TOPICS),
)


class AuditCalls:
    """The handler of the call about the audit log, and its declaration."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def operations(self) -> tuple[Operation, ...]:
        """Declare the one call about the audit log."""
        entry = schemas.object_of(_FIELDS)
        about = "entries"
        return (
            Operation(
                method="GET",
                path="/api/audit",
                id="listAudit",
                tag="Account",
                summary="What was done to the account and to what it owns, newest first",
                description="Takes a session that manages the account: of its own login, or of an "
                "elevated team user.",
                parameters=(
                    replace(UNTIL, description=UNTIL.description.replace("messages", about)),
                    replace(SINCE, description=SINCE.description.replace("messages", about)),
                    TOPIC,
                    replace(LIMIT, description=LIMIT.description.replace("messages", about)),
                    SKIP,
                ),
                answers=(schemas.json_answer("The list", schemas.list_of(entry)),),
                refusals=(400, 401, 403, 503),
                handler=self.list,
            ),
        )

    async def list(self, call: Call) -> Response:
        """Answer with the account's audit log, newest first."""
        found = await self._log.list(
            call.actor,
            since_ms=call["since"],
            until_ms=call["until"],
            topic=call["topic"],
            limit=call["limit"],
            skip=call["skip"],
        )
        return json_response([_shown(entry) for entry in found])


def _shown(entry: AuditEntry) -> dict[str, Any]:
    act, author = entry.act, entry.author
    return {
        "_id": entry.id,
        "time": iso_time(time_of(entry.id)),
        "topic": act.topic,
        "action": act.action,
        "subject": act.subject,
        "detail": act.detail,
        "by": author.kind,
        "name": author.name or None,
        "ip": author.peer or None,
    }
