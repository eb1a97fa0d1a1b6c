"""The calls about an account's team users."""

from functools import partial
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from mailsacd.core.actor import account_of, managed_account
from mailsacd.core.audit import author_of
from mailsacd.core.errors import NotFoundError
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.calls.sessions import NewPassword
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.accounts.team import Team

_TAG: Final = "Account"
_REFUSALS: Final = (400, 401, 403, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_MAX_NAME: Final = 63

_USER: Final = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}},
}


def _user_name(text: str) -> str:
    if len(text) > _MAX_NAME or not text.isprintable():
        raise NotFoundError("There is no such user of this account")
    return text


_USER_NAME: Final = Parameter(
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


class TeamCalls:
    """The handlers of the calls about team users, and their declarations."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about team users."""
        return (self._listing(), *self._changing())

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
                parameters=(_USER_NAME,),
                answers=(Answer(status=204, description="It is gone", schemas={}),),
                refusals=(*_REFUSALS, 404),
                handler=self.remove_user,
            ),
        )

    async def users(self, call: Call) -> Response:
        """Answer with the names of the account's team users, who may see each other."""
        names = await self._team.list(account_of(call.actor))
        return json_response([{"name": name} for name in names])

    async def add_user(self, call: Call) -> Response:
        """Make a team user, and answer with it."""
        account = managed_account(call.actor)
        body: NewUserBody = call.body
        by = author_of(call.actor)
        return json_response({"name": await self._team.add(account, body.name, body.password, by)})

    async def remove_user(self, call: Call) -> Response:
        """Delete a team user with its sessions, and answer 204."""
        account, by = managed_account(call.actor), author_of(call.actor)
        await self._team.remove(account, call["name"], by)
        return Response(status=204)
