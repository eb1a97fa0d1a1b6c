"""The calls about the second factor of whoever has signed in."""

from functools import partial
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.calls.sessions import Code, Password
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.accounts.second_factor import SecondFactors

_PATH: Final = "/api/auth/totp"
_operation = partial(Operation, tag="Sessions", refusals=(400, 401, 403, 409, 429, 503))


_STATUS: Final = schemas.object_of(
    {
        "enabled": {"type": "boolean"},
        "since": schemas.TIME_OR_NULL,
        "recoveryCodesLeft": {"type": "integer", "minimum": 0},
    }
)
_ENROLMENT: Final = schemas.object_of(
    {
        "secret": {"type": "string", "description": "For the device, in base 32: told this once"},
        "uri": {"type": "string", "description": "The same as an `otpauth:` URI"},
        "svg": {"type": "string", "description": "The URI as a QR code"},
    }
)
_CODES: Final = schemas.object_of(
    {
        "recoveryCodes": {
            **schemas.list_of(schemas.STRING),
            "description": "For when the device is lost: each is good once, and told this once",
        }
    }
)


class EnrolmentBody(msgspec.Struct, frozen=True, kw_only=True):
    """The password once more."""

    password: Password


class ConfirmationBody(msgspec.Struct, frozen=True, kw_only=True):
    """A code that the device shows."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]


class ProofBody(msgspec.Struct, frozen=True, kw_only=True):
    """The password once more, and a code: of the device, or a recovery code."""

    password: Password
    code: Code | None = None


class SecondFactorCalls:
    """The handlers of the calls about the second factor, and their declarations."""

    def __init__(self, factors: SecondFactors) -> None:
        self._factors = factors

    def operations(self) -> tuple[Operation, ...]:
        """Declare all calls about the second factor."""
        return (*self._beginning(), *self._afterwards())

    def _beginning(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="GET",
                path=_PATH,
                id="getSecondFactor",
                summary="Whether signing in takes a code beside the password",
                answers=(schemas.json_answer("How it stands", _STATUS),),
                refusals=(400, 401, 403, 503),
                handler=self.status,
            ),
            _operation(
                method="POST",
                path=_PATH,
                id="beginSecondFactor",
                summary="Make a secret for a device; nothing changes until it is confirmed",
                body=EnrolmentBody,
                needs_account=True,
                answers=(schemas.json_answer("What the device is told", _ENROLMENT),),
                handler=self.begin,
            ),
            _operation(
                method="PUT",
                path=_PATH,
                id="confirmSecondFactor",
                summary="Have signing in take a code, by one that the device shows",
                body=ConfirmationBody,
                needs_account=True,
                answers=(schemas.json_answer("Codes to keep", _CODES),),
                handler=self.confirm,
            ),
        )

    def _afterwards(self) -> tuple[Operation, ...]:
        return (
            _operation(
                method="DELETE",
                path=_PATH,
                id="disableSecondFactor",
                summary="Have signing in take the password alone",
                body=ProofBody,
                needs_account=True,
                answers=(Answer(status=204, description="It is gone", schemas={}),),
                handler=self.disable,
            ),
            _operation(
                method="POST",
                path=f"{_PATH}/recovery-codes",
                id="renewRecoveryCodes",
                summary="Make new recovery codes; those before are good no more",
                body=ProofBody,
                needs_account=True,
                answers=(schemas.json_answer("Codes to keep", _CODES),),
                handler=self.renew,
            ),
        )

    async def status(self, call: Call) -> Response:
        """Answer with how it stands with the second factor."""
        found = await self._factors.status(call.actor)
        return json_response(
            {
                "enabled": found.since is not None,
                "since": None if found.since is None else iso_time(found.since),
                "recoveryCodesLeft": found.recovery_codes_left,
            }
        )

    async def begin(self, call: Call) -> Response:
        """Answer with a secret for a device, which is told this once."""
        body: EnrolmentBody = call.body
        made = await self._factors.begin(call.actor, body.password)
        return json_response({"secret": made.secret, "uri": made.uri, "svg": made.picture})

    async def confirm(self, call: Call) -> Response:
        """Have signing in take a code, and answer with recovery codes, told this once."""
        body: ConfirmationBody = call.body
        codes = await self._factors.confirm(call.actor, body.code)
        return json_response({"recoveryCodes": codes})

    async def disable(self, call: Call) -> Response:
        """Take the second factor away, and answer 204."""
        body: ProofBody = call.body
        await self._factors.disable(call.actor, body.password, body.code)
        return Response(status=204)

    async def renew(self, call: Call) -> Response:
        """Answer with new recovery codes, told this once."""
        body: ProofBody = call.body
        codes = await self._factors.renew_codes(call.actor, body.password, body.code)
        return json_response({"recoveryCodes": codes})
