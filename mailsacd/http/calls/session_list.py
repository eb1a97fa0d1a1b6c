"""The calls by which people see where they are signed in, and end sessions."""

import re
from functools import partial
from typing import Any, Final

from mailsacd.core.account import Session
from mailsacd.core.errors import NotFoundError
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.accounts.session_list import SessionList

_operation = partial(Operation, tag="Sessions", refusals=(400, 401, 403, 503))
_ID_FORM: Final = re.compile(r"[0-9a-f]{1,64}\Z")

_FIELDS: Final[dict[str, Any]] = {
    "_id": {"type": "string", "description": "For nothing but ending it"},
    "created": schemas.TIME,
    "lastUsed": {**schemas.TIME, "description": "To an hour"},
    "expires": schemas.TIME,
    "ip": {"type": ["string", "null"], "description": "Where it was begun from"},
    "agent": {"type": "string", "description": "The program, as `Firefox 128 on Linux`"},
    "current": {"type": "boolean", "description": "The one that asks"},
}
_SESSION: Final = schemas.object_of(_FIELDS)
_ENDED: Final = {
    "type": "object",
    "required": ["ended"],
    "properties": {"ended": {"type": "integer", "minimum": 0}},
}


def _session_id(text: str) -> str:
    if not _ID_FORM.match(text):
        raise NotFoundError("There is no such session")
    return text


SESSION_ID: Final = Parameter(
    name="sessionId",
    where="path",
    description="The session's `_id`.",
    schema={"type": "string", "pattern": "^[0-9a-f]{1,64}$"},
    convert=_session_id,
)


class SessionListCalls:
    """The handlers of the calls about the login's sessions, and their declarations."""

    def __init__(self, sessions: SessionList) -> None:
        self._sessions = sessions

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about the login's sessions."""
        return (self._listing(), *self._ending())

    def _listing(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/auth/sessions",
            id="listSessions",
            summary="Where the login is signed in, newest first",
            answers=(schemas.json_answer("The sessions", schemas.list_of(_SESSION)),),
            handler=self.list,
        )

    def _ending(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="DELETE",
                path="/api/auth/sessions/{sessionId}",
                id="endSession",
                summary="End a session of the login",
                parameters=(SESSION_ID,),
                answers=(Answer(status=204, description="It is over", schemas={}),),
                refusals=(400, 401, 403, 404, 503),
                handler=self.end,
            ),
            _operation(
                method="DELETE",
                path="/api/auth/sessions",
                id="endOtherSessions",
                summary="End all sessions of the login but the one that asks",
                answers=(schemas.json_answer("How many there were", _ENDED),),
                handler=self.end_others,
            ),
        )

    async def list(self, call: Call) -> Response:
        """Answer with the sessions of the login, newest first."""
        found = await self._sessions.list(call.actor, call.session or "")
        return json_response([_shown(session) for session in found])

    async def end(self, call: Call) -> Response:
        """End a session, and answer 204."""
        await self._sessions.end(call.actor, call["sessionId"])
        return Response(status=204)

    async def end_others(self, call: Call) -> Response:
        """End all sessions but this one, and answer how many there were."""
        ended = await self._sessions.end_others(call.actor, call.session or "")
        return json_response({"ended": ended})


def _shown(session: Session) -> dict[str, Any]:
    return {
        "_id": session.id,
        "created": iso_time(session.created),
        "lastUsed": iso_time(session.last_used),
        "expires": iso_time(session.expires),
        "ip": session.peer or None,
        "agent": session.agent,
        "current": session.current,
    }
