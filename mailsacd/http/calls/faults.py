"""The calls about faults that a domain's mail meets on purpose. docs/faults.md."""

from functools import partial
from typing import Any, Final

import msgspec

from mailsacd.core.fault_plan import FaultPlan
from mailsacd.core.token import iso_time
from mailsacd.http.api import schemas
from mailsacd.http.api.operation import Answer, Call, Operation
from mailsacd.http.api.parameters import DOMAIN
from mailsacd.http.server.answer import Response, json_response
from mailsacd.mail.faults.domain_faults import DomainFaults, DomainFaultsView
from mailsacd.store.faults import ProvokedFault

_REFUSALS: Final = (400, 401, 403, 404, 503)
_operation = partial(
    Operation, path="/api/domains/{domain}/faults", tag="Domains", parameters=(DOMAIN,)
)


class FaultPlanBody(FaultPlan, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mail for the domain fails on purpose, in the place of what was set before."""


class FaultCalls:
    """The handlers of the calls about faults, and their declarations."""

    def __init__(self, faults: DomainFaults) -> None:
        self._faults = faults

    def operations(self) -> tuple[Operation, ...]:
        """Declare the calls about faults."""
        answer = schemas.json_answer("What is set, and what was done", _VIEW)
        return (
            _operation(
                method="GET",
                id="getFaults",
                summary="Which mail for the domain fails on purpose, and which has",
                description="The last 200 faults that were provoked, the newest first.",
                answers=(answer,),
                refusals=(400, 401, 404, 503),
                handler=self.get,
            ),
            _operation(
                method="PUT",
                id="setFaults",
                summary="Have mail for a verified domain fail on purpose",
                description="By local parts (`byAddress`), and by rules, tried in their order. "
                "Counts begin anew. 409 for a domain that is not verified, or where others have "
                "addresses.",
                body=FaultPlanBody,
                needs_account=True,
                answers=(answer,),
                refusals=(*_REFUSALS, 409),
                handler=self.set,
            ),
            _operation(
                method="DELETE",
                id="removeFaults",
                summary="Have no mail fail on purpose any more",
                answers=(Answer(status=204, description="None does", schemas={}),),
                refusals=_REFUSALS,
                handler=self.remove,
            ),
        )

    async def get(self, call: Call) -> Response:
        """Answer with what is set, and what was done."""
        return json_response(_json(await self._faults.get(call.actor, call["domain"])))

    async def set(self, call: Call) -> Response:
        """Set what the body says, and answer with it."""
        body: FaultPlanBody = call.body
        plan = FaultPlan(byAddress=body.byAddress, answers=body.answers, rules=body.rules)
        return json_response(_json(await self._faults.set(call.actor, call["domain"], plan)))

    async def remove(self, call: Call) -> Response:
        """Have no mail fail any more."""
        await self._faults.remove(call.actor, call["domain"])
        return Response(status=204)


def _json(view: DomainFaultsView) -> dict[str, Any]:
    return {
        "domain": view.domain,
        **msgspec.to_builtins(view.plan),
        "count": view.count,
        "provoked": [_provoked_json(each) for each in view.provoked],
    }


def _provoked_json(provoked: ProvokedFault) -> dict[str, Any]:
    return {
        "number": provoked.number,
        "time": iso_time(provoked.time),
        **msgspec.to_builtins(provoked.facts),
    }


_COUNT: Final = {"type": "integer", "minimum": 0}
_PROVOKED: Final = schemas.object_of(
    {
        "number": _COUNT,
        "time": schemas.TIME,
        **dict.fromkeys(("at", "do", "fault", "sender", "name", "peer", "answer"), schemas.STRING),
    }
)
_VIEW: Final = schemas.object_of(
    {
        "domain": schemas.STRING,
        "byAddress": {"type": "boolean"},
        "answers": {"type": "boolean"},
        "rules": schemas.list_of(schemas.named("FaultRule")),
        "count": _COUNT,
        "provoked": schemas.list_of(_PROVOKED),
    }
)
