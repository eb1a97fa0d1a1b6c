"""The calls about addresses that nothing is sent to, because mail to them failed for good."""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from mailsacd.core.address import parse_address
from mailsacd.core.errors import BadAddressError
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import LIMIT, SKIP, Parameter
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.sending.suppressions import Suppressions
from mailsacd.store.suppression import Suppression

_operation = partial(Operation, tag="Sending", refusals=(400, 401, 503))
_FIELDS: Final[dict[str, Any]] = {
    "address": {"type": "string"},
    "reason": {"type": "string", "description": "What its host said"},
    "created": schemas.TIME,
    "expires": schemas.TIME,
}
_SUPPRESSION: Final = schemas.object_of(_FIELDS)


def _address(text: str) -> str:
    try:
        parse_address(text)
    except BadAddressError as e:
        raise ValueError(f"is no mail address: {e.public}") from e
    return text


_ADDRESS: Final = Parameter(
    name="email",
    where="path",
    description="The address, in upper or lower case.",
    schema={"type": "string"},
    convert=_address,
)


class SuppressionCalls:
    """The handlers of the calls about suppressed addresses, and their declarations."""

    def __init__(self, suppressions: Suppressions) -> None:
        self._suppressions = suppressions

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls about suppressed addresses."""
        return (
            _operation(
                method="GET",
                path="/api/suppressions",
                id="listSuppressions",
                summary="The addresses that nothing is sent to for a while, the newest first",
                description="Mail to them failed for good; more to them fails at once.",
                parameters=(replace(LIMIT, description="At most so many."), SKIP),
                answers=(schemas.json_answer("The list", schemas.list_of(_SUPPRESSION)),),
                handler=self.list,
            ),
            _operation(
                method="DELETE",
                path="/api/suppressions/{email}",
                id="removeSuppression",
                summary="Send mail to the address again",
                parameters=(_ADDRESS,),
                answers=(Answer(status=204, description="It is", schemas={}),),
                refusals=(400, 401, 404, 503),
                handler=self.remove,
            ),
        )

    async def list(self, call: Call) -> Response:
        """Answer with the account's list."""
        found = await self._suppressions.list(call.actor, limit=call["limit"], skip=call["skip"])
        return json_response([suppression_json(one) for one in found])

    async def remove(self, call: Call) -> Response:
        """Have the account's mail sent to the address again."""
        await self._suppressions.remove(call.actor, call["email"])
        return Response(status=204)


def suppression_json(suppression: Suppression) -> dict[str, Any]:
    """Return a suppression as JSON has it."""
    return {
        "address": suppression.address,
        "reason": suppression.reason,
        "created": iso_time(suppression.created),
        "expires": iso_time(suppression.expires),
    }
