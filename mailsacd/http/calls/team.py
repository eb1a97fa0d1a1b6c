"""The calls about an account's team users."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from mailsacd.core.errors import NotFoundError
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.calls.sessions import NewPassword
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.accounts.team import MAX_MINUTES, Team

_TAG: Final = "Account"
_REFUSALS: Final = (400, 401, 403, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_MAX_NAME: Final = 63
_OWN_LOGIN: Final = "Takes a session of the account's own login."

_USER: Final = schemas.object_of(
    {
        "name": schemas.STRING,
        "elevatedUntil": {
            **schemas.TIME_OR_NULL,
            "description": "Until then the user manages the account; null: does not",
        },
    }
)


def _user_name(text: str) -> str:
    if len(text) > _MAX_NAME or not text.isprintable():
        raise NotFoundError("There is no such user of this account")
    return text


USER_NAME: Final = Parameter(
    name="name",
    where="path",
    description="The team user's name.",
    schema={"type": "string"},
    convert=_user_name,
)


class NewUserBody(msgspec.Struct, frozen=True, kw_only=True):
    """The name and password of a new team user."""

    name: Annotated[str, Meta(min_length=1, max_length=_MAX_NAME)]
    password: NewPassword


class ElevationBody(msgspec.Struct, frozen=True, kw_only=True):
    """For how long from now the user manages the account."""

    minutes: Annotated[int, Meta(ge=1, le=MAX_MINUTES)]


class TeamCalls:
    """The handlers of the calls about team users, and their declarations."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about team users."""
        return (self._listing(), *self._changing(), *self._elevating())

    def _listing(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/me/users",
            id="listUsers",
            summary="The account's team users",
            answers=(schemas.json_answer("Their names", schemas.list_of(_USER)),),
            handler=self.users,
        )

    def _changing(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="POST",
                path="/api/me/users",
                id="createUser",
                summary="Make a team user, for all but account, keys and domains",
                description=_OWN_LOGIN,
                body=NewUserBody,
                needs_account=True,
                answers=(schemas.json_answer("The user", _USER),),
                refusals=(*_REFUSALS, 404, 409, 429),
                handler=self.add_user,
            ),
            _operation(
                method="DELETE",
                path="/api/me/users/{name}",
                id="deleteUser",
                summary="Delete a team user, whose sessions end at once",
                parameters=(USER_NAME,),
                answers=(Answer(status=204, description="It is gone", schemas={}),),
                refusals=(*_REFUSALS, 404),
                handler=self.remove_user,
            ),
        )

    def _elevating(self) -> tuple[Operation, ...]:
        path = "/api/me/users/{name}/elevation"
        return (
            _operation(
                method="PUT",
                path=path,
                id="elevateUser",
                summary="Have a team user manage account, keys and domains for a while",
                description=f"{_OWN_LOGIN} The user cannot delete the account, change its mail "
                "address, make keys or users, or elevate others.",
                parameters=(USER_NAME,),
                body=ElevationBody,
                needs_account=True,
                answers=(schemas.json_answer("The user", _USER),),
                refusals=(*_REFUSALS, 404),
                handler=self.elevate,
            ),
            _operation(
                method="DELETE",
                path=path,
                id="endElevation",
                summary="Have a team user manage the account no more",
                parameters=(USER_NAME,),
                answers=(Answer(status=204, description="It does not", schemas={}),),
                refusals=(*_REFUSALS, 404),
                handler=self.end_elevation,
            ),
        )

    async def users(self, call: Call) -> Response:
        """Answer with the account's team users, who may see each other."""
        found = await self._team.list(call.actor)
        return json_response([_shown(user.name, user.elevated_until) for user in found])

    async def add_user(self, call: Call) -> Response:
        """Make a team user, and answer with it."""
        body: NewUserBody = call.body
        return json_response(_shown(await self._team.add(call.actor, body.name, body.password)))

    async def remove_user(self, call: Call) -> Response:
        """Delete a team user with its sessions, and answer 204."""
        await self._team.remove(call.actor, call["name"])
        return Response(status=204)

    async def elevate(self, call: Call) -> Response:
        """Elevate a team user, and answer with it."""
        body: ElevationBody = call.body
        until = await self._team.elevate(call.actor, call["name"], body.minutes)
        return json_response(_shown(call["name"].lower(), until))

    async def end_elevation(self, call: Call) -> Response:
        """Elevate a team user no more, and answer 204."""
        await self._team.end_elevation(call.actor, call["name"])
        return Response(status=204)


def _shown(name: str, elevated_until: datetime | None = None) -> dict[str, Any]:
    until = None if elevated_until is None else iso_time(elevated_until)
    return {"name": name, "elevatedUntil": until}
