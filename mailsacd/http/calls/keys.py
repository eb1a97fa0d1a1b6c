"""The calls about API keys: with a session that manages the account, never with an API key."""

import re
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from mailsacd.core.account import ApiKey
from mailsacd.core.errors import NotFoundError
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import Parameter
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.accounts.keys import Keys

_TAG: Final = "Credentials"
_REFUSALS: Final = (400, 401, 403, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
_KEY_ID_FORM: Final = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")

_FIELDS: Final[dict[str, Any]] = {
    "_id": schemas.STRING,
    "name": schemas.STRING,
    "created": schemas.TIME,
    "lastUsed": {**schemas.TIME_OR_NULL, "description": "To some seconds; null: never"},
}
_KEY: Final = schemas.object_of(_FIELDS)
_NEW_KEY: Final = schemas.object_of(
    {
        **_FIELDS,
        "key": {"type": "string", "description": "The key: kept by nobody here, so told once"},
    }
)


def _key_id(text: str) -> str:
    if not _KEY_ID_FORM.match(text):
        raise NotFoundError("There is no such API key")
    return text


_KEY_ID: Final = Parameter(
    name="keyId",
    where="path",
    description="The key's `_id`.",
    schema={"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"},
    convert=_key_id,
)


class NewKeyBody(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is what to call it; without one, it is called after its ``_id``."""

    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class KeyCalls:
    """The handlers of the calls about API keys, and their declarations."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about API keys."""
        return (self._listing(), *self._changing())

    def _listing(self) -> Operation:
        return _operation(
            method="GET",
            path="/api/credentials/keys",
            id="listKeys",
            summary="The account's API keys, without their values",
            answers=(schemas.json_answer("The keys", schemas.list_of(_KEY)),),
            handler=self.list,
        )

    def _changing(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="POST",
                path="/api/credentials/keys",
                id="createKey",
                summary="Make an API key, whose value is told once",
                description="Takes a session of the account's own login.",
                body=NewKeyBody,
                needs_account=True,
                answers=(schemas.json_answer("The key", _NEW_KEY),),
                refusals=(*_REFUSALS, 409),
                handler=self.add,
            ),
            _operation(
                method="DELETE",
                path="/api/credentials/keys/{keyId}",
                id="deleteKey",
                summary="Take an API key back: it is good for nothing at once",
                parameters=(_KEY_ID,),
                answers=(Answer(status=204, description="It is gone", schemas={}),),
                refusals=(*_REFUSALS, 404),
                handler=self.remove,
            ),
        )

    async def list(self, call: Call) -> Response:
        """Answer with the account's keys, oldest first, without their values."""
        found = await self._keys.list(call.actor)
        return json_response([key_json(key) for key in found])

    async def add(self, call: Call) -> Response:
        """Make a key, and answer with it and its value, which is told this once."""
        body: NewKeyBody = call.body
        key, value = await self._keys.add(call.actor, body.name)
        return json_response({**key_json(key), "key": value})

    async def remove(self, call: Call) -> Response:
        """Take a key back, and answer 204."""
        await self._keys.remove(call.actor, call["keyId"])
        return Response(status=204)


def key_json(key: ApiKey) -> dict[str, Any]:
    """Return a key as JSON has it, without its value."""
    return {
        "_id": key.id,
        "name": key.name,
        "created": iso_time(key.created),
        "lastUsed": None if key.last_used is None else iso_time(key.last_used),
    }
