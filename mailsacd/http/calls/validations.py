"""The calls that say of mail addresses whether they are any, and whether they are disposable."""

from functools import partial
from typing import Annotated, Any, Final

import msgspec

from mailsacd.core.actor import Actor
from mailsacd.core.errors import UnauthenticatedError
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Call, Operation
from mailsacd.http.api.parameters import EMAIL
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.validation.validate import Validator, Verdict

_TAG: Final = "Validation"
_REFUSALS: Final = (400, 401, 503)
_operation = partial(Operation, tag=_TAG, refusals=_REFUSALS)
MAX_EMAILS: Final = 50
MAX_EMAIL_CHARACTERS: Final = 1_000
_MAX_BODY_BYTES: Final = 524_288  # of MAX_EMAILS addresses, each character escaped

_FIELDS: Final[dict[str, Any]] = {
    "email": {"type": "string", "description": "As it was asked for"},
    "validFormat": {"type": "boolean", "description": "By RFC 5321 and RFC 5322"},
    "isValidFormat": {"type": "boolean", "description": "The same"},
    "local": {"type": "string", "description": "Empty where the format is not valid"},
    "domain": {"type": "string", "description": "In A-labels; empty as well"},
    "isDisposable": {"type": "boolean", "description": "Whether `disposableDomains` has any"},
    "disposableDomains": {
        **schemas.list_of(schemas.STRING),
        "description": "The known disposable providers among the aliases",
    },
    "aliases": {
        **schemas.list_of(schemas.STRING),
        "description": "The domain, its mail hosts, the names that share their IP addresses, "
        "and these addresses; as far as the DNS answers",
    },
}
_VALIDATION: Final = schemas.object_of(_FIELDS)
_TWICE: Final = schemas.object_of(
    {**_FIELDS, "0": {**_VALIDATION, "description": "The same once more"}}
)


class ValidationsBody(msgspec.Struct, frozen=True, kw_only=True):
    """The texts that are to be looked at."""

    emails: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=MAX_EMAIL_CHARACTERS)]],
        msgspec.Meta(min_length=1, max_length=MAX_EMAILS),
    ]


class ValidationCalls:
    """The handlers of the calls about whether texts are addresses, and their declarations."""

    def __init__(self, validator: Validator, *, anonymous_read: bool) -> None:
        self._validator = validator
        self._anonymous_read = anonymous_read

    def operations(self) -> tuple[Operation, ...]:
        """Declare both calls about mail addresses."""
        return (
            _operation(
                method="GET",
                path="/api/validations/addresses/{email}",
                id="validateAddress",
                summary="Whether a text is a mail address, and whether a disposable one",
                description="Asks the DNS and nobody else. What it does not answer in time is "
                "left out.",
                parameters=(EMAIL,),
                answers=(schemas.json_answer("What is known of it", _TWICE),),
                handler=self.one,
            ),
            _operation(
                method="POST",
                path="/api/validations/addresses",
                id="validateAddresses",
                summary=f"The same of up to {MAX_EMAILS} addresses",
                body=ValidationsBody,
                needs_account=not self._anonymous_read,
                max_body_bytes=_MAX_BODY_BYTES,
                answers=(
                    schemas.json_answer("In the order asked for", schemas.list_of(_VALIDATION)),
                ),
                handler=self.several,
            ),
        )

    async def one(self, call: Call) -> Response:
        """Answer with what is known of one address.

        The object is there once more under the key 0: older clients index the answer.
        """
        self._check(call.actor)
        shown = _shown(await self._validator.check(call["email"]))
        return json_response({**shown, "0": shown})

    async def several(self, call: Call) -> Response:
        """Answer with what is known of each address, in the order asked for."""
        self._check(call.actor)
        return json_response([_shown(v) for v in await self._validator.check_all(call.body.emails)])

    def _check(self, actor: Actor) -> None:
        if actor.account is None and not self._anonymous_read:
            raise UnauthenticatedError("An API key is needed here")


def _shown(verdict: Verdict) -> dict[str, Any]:
    return {
        "email": verdict.email,
        "validFormat": verdict.valid,
        "isValidFormat": verdict.valid,
        "local": verdict.local,
        "domain": verdict.domain,
        "isDisposable": bool(verdict.disposable),
        "disposableDomains": verdict.disposable,
        "aliases": verdict.aliases,
    }
